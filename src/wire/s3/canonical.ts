/**
 * The one form of a request that both ends sign (AWS Signature Version 4, "Create a canonical
 * request", as S3 has it: paths are escaped once, and never made shorter).
 */

/** A request as its signature sees it. */
export interface Signable {
  readonly method: string;
  /** Decoded, with a slash at its beginning. */
  readonly path: string;
  /** Decoded, in any order. Without X-Amz-Signature. */
  readonly query: readonly Pair[];
  /** Names in lower case. Those that are signed, and no others. */
  readonly headers: readonly Pair[];
  /** Hex of the body's SHA-256, or what x-amz-content-sha256 says in its place. */
  readonly payload: string;
}

export type Pair = readonly [name: string, value: string];

/** The text whose SHA-256 is signed. */
export function canonicalRequest(request: Signable): string {
  const headers = request.headers
    .map(([name, value]): Pair => [name, value.trim().replaceAll(/ +/g, " ")])
    .toSorted(byName);
  return [
    request.method,
    escapePath(request.path),
    canonicalQuery(request.query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    "",
    headers.map(([name]) => name).join(";"),
    request.payload,
  ].join("\n");
}

/** Sorted by escaped name, then by escaped value. */
export function canonicalQuery(query: readonly Pair[]): string {
  return query
    .map(([name, value]): Pair => [escapeText(name), escapeText(value)])
    .toSorted((a, b) => byName(a, b) || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** Every segment escaped: all but letters, digits and `-._~`. */
export function escapePath(path: string): string {
  return path.split("/").map(escapeText).join("/");
}

/** RFC 3986, 2.3: what need not be escaped is not; encodeURIComponent leaves five more. */
export function escapeText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `a=1&b` as pairs, decoded. Undefined when it cannot be. */
export function parseQuery(text: string): Pair[] | undefined {
  try {
    return text
      .split("&")
      .filter((part) => part !== "")
      .map((part): Pair => {
        const equals = part.indexOf("=");
        const name = equals < 0 ? part : part.slice(0, equals);
        return [decode(name), equals < 0 ? "" : decode(part.slice(equals + 1))];
      });
  } catch {
    return undefined; // an escape that is none
  }
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function byName([a]: Pair, [b]: Pair): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
