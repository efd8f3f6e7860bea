import type { Asked } from "../../../src/wire/http1/reply.ts";

/**
 * A response head read the slow and obvious way: split into lines, one pattern for each rule of
 * RFC 9112, our stricter choices included. Undefined for whatever is refused or not whole.
 */
export function plainReplyReader(text: string, asked: Asked) {
  const blank = text.indexOf("\r\n\r\n");
  if (blank < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, blank).split("\r\n");

  const start = /^HTTP\/1\.(\d) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(first);
  if (!start) return undefined;
  const [, version, code, reason = ""] = start;
  const minor = version === "0" ? 0 : 1;
  const status = Number(code);

  const fields: [string, string][] = [];
  for (const line of lines) {
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (!field) return undefined;
    fields.push([(field[1] ?? "").toLowerCase(), (field[2] ?? "").replace(/^[\t ]+|[\t ]+$/g, "")]);
  }
  const all = (name: string) => fields.filter(([n]) => n === name).map(([, value]) => value);

  const [length] = all("content-length");
  const [coding] = all("transfer-encoding");
  if (all("content-length").length + all("transfer-encoding").length > 1) return undefined;
  if (length !== undefined && !/^(0|[1-9]\d{0,14})$/.test(length)) return undefined;
  if (coding !== undefined && (minor === 0 || coding.toLowerCase() !== "chunked")) return undefined;

  const options = all("connection").flatMap((v) => v.split(",").map((o) => o.trim().toLowerCase()));
  const bodiless =
    status < 200 || status === 204 || (asked === "CONNECT" && status >= 200 && status < 300);
  if (bodiless && (coding !== undefined || Number(length ?? 0) > 0)) return undefined;
  const body =
    bodiless || asked === "HEAD" || status === 304
      ? "none"
      : coding !== undefined
        ? "chunked"
        : length === undefined
          ? "close"
          : length === "0"
            ? "none"
            : "length";
  return {
    end: blank + 4,
    status,
    reason,
    minor,
    fields,
    body,
    contentLength: length === undefined ? -1 : Number(length),
    keepAlive:
      body !== "close" &&
      !options.includes("close") &&
      (minor === 1 || options.includes("keep-alive")),
    upgrade: options.includes("upgrade") && all("upgrade").length > 0,
  };
}
