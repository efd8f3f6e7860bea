/** Host and target of a request, in whichever form it came (RFC 9112, 3.2), and what servers see of them. */
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

/** How a route changes the beginning of a path. */
export interface Rewrite {
  readonly path: string;
  readonly strip: boolean;
  readonly prefix?: string | undefined;
}

/** What leads elsewhere behind another beginning: dots between slashes, however they are written. */
const DOUBTFUL = /\/\/|(\/|\\|%2f|%5c)(\.|%2e){1,2}(\/|\\|%2f|%5c|$)/i;

/** Path and query as the server is to see them: as sent, unless the route changes the beginning. */
export function targetFor(request: HttpRequest, { path, prefix, strip }: Rewrite): string {
  const { target, method } = request;
  if (target === "*" && method === "OPTIONS") return target;
  const origin = originForm(target);
  if (prefix === undefined && !strip) return origin;
  // Behind another beginning ".." leads elsewhere: then the path goes on as it was understood.
  const clear = origin.startsWith(path) && !DOUBTFUL.test(origin.split("?", 1)[0] ?? "");
  const whole = clear ? origin : asSent(request.path) + origin.slice(behindPath(origin));
  const rest = strip ? whole.slice(path.replace(/\/$/, "").length) : whole;
  return (prefix?.replace(/\/$/, "") ?? "") + (rest.startsWith("/") ? rest : `/${rest}`);
}

/** A decoded path in the form of a target. */
function asSent(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

function behindPath(origin: string): number {
  const at = origin.indexOf("?");
  return at < 0 ? origin.length : at;
}
