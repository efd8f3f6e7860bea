/** Which stored response of a URL a request may have (RFC 9111, 4.1). */

/** Reads a request's field; null when it has none. */
export type RequestField = (name: string) => string | null;

/** Codings a body may be stored in; what a client accepts beyond them makes no difference. */
const CODINGS = ["zstd", "br", "gzip"] as const;

/** What most responses vary by. */
const NONE: readonly string[] = [];

/** Names in a Vary value, lower case, in order, once each. `*` is never matched: do not store it. */
export function varyNames(vary: string | undefined): readonly string[] {
  if (vary === undefined) return NONE;
  const names = vary
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  return [...new Set(names)].sort();
}

/**
 * The secondary key: equal for requests that may share a response that varies by `names`. Values
 * are normalised where that loses nothing (4.1): space, and Accept-Encoding to the codings there are.
 */
export function varyKey(names: readonly string[], field: RequestField): string {
  return names.map((name) => `${name}:${normal(name, field(name))}`).join("\n");
}

function normal(name: string, value: string | null): string {
  if (value === null) return "";
  if (name === "accept-encoding") return `=${acceptedCodings(value).join(",")}`;
  const spaced = value
    .trim()
    .replaceAll(/[ \t]*,[ \t]*/g, ",")
    .replaceAll(/[ \t]+/g, " ");
  return `=${name === "accept-language" || name === "accept" ? spaced.toLowerCase() : spaced}`;
}

/** Which of the codings we know are accepted at all: what a server may answer to all who accept the same. */
export function acceptedCodings(value: string): string[] {
  const weights = new Map<string, number>();
  for (const part of value.split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const q = parameters.find((text) => text.startsWith("q="));
    weights.set(name === "x-gzip" ? "gzip" : name, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  const other = weights.get("*") ?? 0;
  return CODINGS.filter((coding) => (weights.get(coding) ?? other) > 0);
}
