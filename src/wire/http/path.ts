/** Request targets (RFC 9112, 3.2) become paths that a file system can be asked for. */
import { parseHost } from "./host.ts";

export interface Target {
  /**
   * Decoded, without ".", ".." and empty segments; begins with "/", and ends with "/" when the
   * last segment was empty or a dot segment. "*" for the asterisk form, which only OPTIONS has.
   */
  readonly path: string;
  /** Behind the "?", as sent; "" when there is none. */
  readonly query: string;
  /** Of the absolute form, as `parseHost` gives it; it outranks the Host field. Else "". */
  readonly host: string;
}

const SLASH = 47;
const QUERY = 63;
const PERCENT = 37;
const DOT = 46;
const HASH = 35;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const anyText = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Read an origin-form, absolute-form or asterisk-form target. Undefined is answered 400: a bad
 * escape, an encoded slash or control byte, text that is not UTF-8, a raw byte no URI may hold,
 * or ".." above the root. Dot segments go after decoding, so `%2e%2e/` climbs no higher than `../`.
 */
export function decodeTarget(target: string): Target | undefined {
  return decode(target, unescape);
}

/**
 * The same for what another server will understand as it likes: only to choose a route by. An
 * encoded slash is a slash, text need not be UTF-8, and of what is encoded NUL alone is refused.
 */
export function decodeTargetForOthers(target: string): Target | undefined {
  return decode(target, unescapeForOthers);
}

type Unescape = (raw: string) => string | undefined;

function decode(target: string, unescaped: Unescape): Target | undefined {
  if (target.charCodeAt(0) === SLASH) return fromOrigin(target, "", unescaped);
  if (target === "*") return { path: "*", query: "", host: "" };
  const scheme = /^https?:\/\//i.exec(target);
  if (!scheme) return undefined;
  const from = scheme[0].length;
  let to = from;
  while (to < target.length && target[to] !== "/" && target[to] !== "?") to++;
  const host = parseHost(target.slice(from, to));
  if (host === undefined || host === "") return undefined;
  const rest = target.slice(to);
  return fromOrigin(rest.startsWith("/") ? rest : `/${rest}`, host, unescaped);
}

function fromOrigin(target: string, host: string, unescaped: Unescape): Target | undefined {
  let mark = -1;
  let plain = true;
  let before = 0;
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    // Controls, SP, DEL, "#" and everything beyond ASCII have to be escaped (RFC 3986, 2).
    if (c <= 32 || c >= 127 || c === HASH) return undefined;
    if (mark >= 0) continue;
    if (c === QUERY) mark = i;
    else if (c === PERCENT || (before === SLASH && (c === SLASH || c === DOT))) plain = false;
    before = c;
  }
  const raw = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  if (plain) return { path: raw, query, host };
  const decoded = raw.includes("%") ? unescaped(raw) : raw;
  const path = decoded === undefined ? undefined : withoutDots(decoded);
  return path === undefined ? undefined : { path, query, host };
}

function unescape(raw: string): string | undefined {
  // A slash inside a name cannot be told from one between names once decoded.
  const bytes = unescapedBytes(raw, (c) => c >= 32 && c !== 127 && c !== SLASH);
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function unescapeForOthers(raw: string): string | undefined {
  const bytes = unescapedBytes(raw, (c) => c > 0);
  return bytes && anyText.decode(bytes);
}

/**
 * Percent-decode (RFC 3986, 2.1). Undefined when an escape is none (then `mayBe` is asked about NaN), or is of
 * a byte that may not be.
 */
function unescapedBytes(raw: string, mayBe: (c: number) => boolean): Uint8Array | undefined {
  const bytes = new Uint8Array(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    let c = raw.charCodeAt(i);
    if (c === PERCENT) {
      c = hexDigit(raw.charCodeAt(i + 1)) * 16 + hexDigit(raw.charCodeAt(i + 2));
      if (!mayBe(c)) return undefined;
      i += 2;
    }
    bytes[length++] = c;
  }
  return bytes.subarray(0, length);
}

/** NaN for what is none, the end of the text included. */
function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : Number.NaN;
}

/** RFC 3986, 5.2.4, but climbing above the root is refused rather than forgiven. */
function withoutDots(path: string): string | undefined {
  const kept: string[] = [];
  let folder = true;
  for (const segment of path.split("/")) {
    folder = segment === "" || segment === "." || segment === "..";
    if (!folder) kept.push(segment);
    else if (segment === ".." && kept.pop() === undefined) return undefined;
  }
  if (kept.length === 0) return "/";
  return `/${kept.join("/")}${folder ? "/" : ""}`;
}
