/** Connections that change to another protocol (RFC 9110, 7.8). */
import type { HttpRequest } from "../../wire/http/message.ts";

/**
 * Behind these there are requests again, which would reach servers without having been looked at
 * ("h2c smuggling"); and what is secret is not the client's to begin in the middle.
 */
const MORE_REQUESTS = /^(h2c?|http|tls)\b/i;

/**
 * What a request would have its connection changed to, as servers may see it; null for nothing.
 * Only HTTP/1.1 has that.
 */
export function protocolsOf({ protocol, headers, body }: HttpRequest): string | null {
  if (protocol !== "HTTP/1.1" || body !== undefined) return null;
  const asked = headers.get("upgrade");
  if (asked === null || !/(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(headers.get("connection") ?? ""))
    return null;
  const left = asked.split(",").map((one) => one.trim());
  return left.filter((one) => one !== "" && !MORE_REQUESTS.test(one)).join(", ") || null;
}
