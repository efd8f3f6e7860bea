/** Host and target of a request, in whichever form it came (RFC 9112, 3.2). */
import type { HttpRequest } from "../../wire/http/message.ts";

/** The host that is asked for, with its port, in lower case. A host in the target counts, not the field (3.2.2). */
export function authorityOf({ authority, headers, host }: HttpRequest): string {
  return (authority ?? headers.get("host") ?? host).toLowerCase();
}

/** Path and query of a target that may begin with a host. */
export function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const [, rest = ""] = /^https?:\/\/[^/?]*(.*)$/i.exec(target) ?? [];
  return rest.startsWith("/") ? rest : `/${rest}`;
}
