/**
 * Makes the console's page. Runs as a macro: when `packed.ts` is compiled into the binary, or when
 * it is first imported from source. Nothing of this file is in the product.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const PAGE = join(import.meta.dir, "page");
/** Names of files carry their contents' hash: whoever has one never asks for it again. */
const NAMING = "[name]-[hash].[ext]";

/** Gzipped files in base64, by name, and the page that refers to them. */
export function bundle(): { readonly html: string; readonly files: Record<string, string> } {
  const out = mkdtempSync(join(tmpdir(), "tern-console-"));
  try {
    // A process of its own: a macro runs inside a build, and may not start another one there.
    const made = Bun.spawnSync([
      process.execPath,
      "build",
      join(PAGE, "main.tsx"),
      join(PAGE, "main.css"),
      "--production",
      "--target=browser",
      `--outdir=${out}`,
      `--entry-naming=${NAMING}`,
    ]);
    if (!made.success) throw new Error(`the console does not build:\n${made.stderr}`);
    const names = readdirSync(out).sort();
    const files = Object.fromEntries(
      names.map((name) => [name, packed(readFileSync(join(out, name)))]),
    );
    const named = (ending: string): string => `/console/${names.find((n) => n.endsWith(ending))}`;
    const html = readFileSync(join(PAGE, "index.html"), "utf8")
      .replace("main.tsx", named(".js"))
      .replace("main.css", named(".css"));
    return { html, files };
  } finally {
    rmSync(out, { recursive: true });
  }
}

function packed(bytes: Uint8Array): string {
  return gzipSync(bytes, { level: 9 }).toString("base64");
}
