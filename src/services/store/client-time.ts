import { parseDate } from "../../wire/http/date.ts";
import type { HttpRequest } from "../../wire/http/message.ts";

/** When the client says a file was changed, in milliseconds since 1970: X-OC-Mtime in seconds, as ownCloud's clients send it; else what a copying client may say. */
export function clientTime({ headers }: Pick<HttpRequest, "headers">): number | undefined {
  const seconds = Number.parseFloat(headers.get("x-oc-mtime") ?? "");
  if (Number.isFinite(seconds) && seconds > 0) return Math.floor(seconds * 1000);
  return parseDate(headers.get("last-modified") ?? "");
}
