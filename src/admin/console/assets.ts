import { gunzipSync } from "node:zlib";

import { fail } from "../route.ts";

/**
 * What the page may do: run and look as our own files say, and talk to us. Trusted Types without a
 * policy means that no text can ever become markup or a script, whatever the code tries.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

export const HTML_TYPE = "text/html; charset=utf-8";
const FOREVER = "public, max-age=31536000, immutable"; // the name is a hash of the contents
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** The page of the console: the same for everybody, it asks the API what to show. */
export async function consolePage(): Promise<Response> {
  const { packed } = await import("./packed.ts");
  return new Response(packed.html, {
    headers: { "Content-Type": HTML_TYPE, "Content-Security-Policy": POLICY },
  });
}

/** A file that the page refers to. */
export async function consoleFile(name: string, accepted: string | null): Promise<Response> {
  const { packed } = await import("./packed.ts");
  const gzip = Object.hasOwn(packed.files, name) ? packed.files[name] : undefined;
  if (gzip === undefined) return fail(404, "not_found", "the console has no such file");
  const bytes = Buffer.from(gzip, "base64");
  const takesGzip = /\bgzip\b/.test(accepted ?? "");
  return new Response(takesGzip ? bytes : gunzipSync(bytes), {
    headers: {
      "Content-Type": TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
      ...(takesGzip && { "Content-Encoding": "gzip" }),
      "Cache-Control": FOREVER,
      Vary: "Accept-Encoding",
    },
  });
}
