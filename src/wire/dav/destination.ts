/** The `Destination` header of COPY and MOVE, and the URIs within `If` (RFC 4918, 8.3 and 10.3). */

/** `authority` is undefined for a bare path: it is on this server then. */
export interface Reference {
  readonly authority: string | undefined;
  /** Path and query as in a request line: still encoded. */
  readonly target: string;
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\s]+)([^#\s]*)$/i;
const PATH = /^\/[^#\s]*$/;

/** Read an absolute URI or an absolute path. Undefined for anything else, fragments included: answer 400. */
export function parseReference(text: string | null): Reference | undefined {
  const value = text?.trim() ?? "";
  if (PATH.test(value) && !value.startsWith("//")) return { authority: undefined, target: value };
  const uri = ABSOLUTE.exec(value);
  if (!uri) return undefined;
  const [, authority = "", target = ""] = uri;
  return { authority, target: target.startsWith("/") ? target : `/${target}` };
}

/**
 * Do both authorities name the same server? User names are passed over, and so is the default
 * port of either scheme: a proxy in front that ends TLS changes the one but not the other.
 */
export function sameAuthority(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(authority: string): string {
  const host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
  return host.replace(/:(80|443)?$/, "").replace(/\.(?=$|:\d+$)/, "");
}
