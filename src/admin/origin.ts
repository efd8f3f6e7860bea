import type { Address } from "../core/address.ts";
import { parseIp, showIp } from "../core/ip.ts";
import { isLoopback } from "../core/loopback.ts";
import { parseHost } from "../wire/http/host.ts";

/**
 * May a request call this listener by that name? A page whose name suddenly resolves to our
 * address (DNS rebinding) has its own name in the Host field, so only names we know are answered.
 * Health checkers that speak HTTP/1.0 send none; browsers always do.
 */
export function hostAllowed(
  field: string | undefined,
  listener: Address,
  names: readonly string[],
): boolean {
  if (field === undefined || listener.kind === "unix") return true;
  const host = parseHost(field)?.replace(/^\[|\]$/g, "");
  if (host === undefined || host === "") return false;
  if (isLoopback(host) || same(host, listener.host)) return true;
  if (names.some((name) => same(host, name))) return true;
  const everywhere = ["", "0.0.0.0", "::"].includes(listener.host);
  return everywhere && parseIp(host) !== undefined; // an address is nobody's name to rebind
}

function same(a: string, b: string): boolean {
  const [left, right] = [parseIp(a), parseIp(b)];
  if (left && right) return showIp(left) === showIp(right);
  return a === b;
}

/**
 * Was this sent by a page of ours, or by no page at all? Browsers say where a request comes from
 * in fields that scripts cannot set (Fetch Metadata, and Origin on every POST); curl sends neither.
 */
export function sameOrigin(headers: Headers, secure: boolean): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = headers.get("origin");
  if (origin === null) return true;
  const host = headers.get("host");
  // Behind a proxy that ends TLS the page is https and we are not; the other way round is an attack.
  const own = [`https://${host}`, ...(secure ? [] : [`http://${host}`])];
  return host !== null && own.some((url) => URL.parse(url)?.origin === origin);
}

/** A browser sent it. */
export function fromBrowser(headers: Headers): boolean {
  return headers.has("sec-fetch-site") || headers.has("origin");
}
