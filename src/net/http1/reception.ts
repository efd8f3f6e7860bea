import type { AccessLog } from "../../observe/access-log.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import type { Head } from "../../wire/http1/head.ts";
import type { Guest } from "../fronts/guest.ts";
import type { Mount } from "../fronts/mount.ts";
import type { HttpLimits } from "../http-fronts.ts";
import type { Transport } from "./transport.ts";

/** What a session asks of the listener it came in by. */
export interface Reception {
  readonly limits: HttpLimits;
  /** The reactor's time. */
  readonly now: number;
  /** Close connections behind their next response. */
  readonly draining: boolean;
  readonly accessLog: AccessLog | undefined;
  requests: number;
  /** The site for a parsed head. */
  route(head: Head): Mount | undefined;
  left(guest: Guest): void;
  /** Promises are at work. */
  nudge(): void;
  refused(status: number): void;
  trouble(error: unknown, request: HttpRequest | undefined): void;
  log(request: HttpRequest, mount: Mount, response: HttpResponse, bytes: number, ms: number): void;
  logQuick(head: Head, mount: Mount, status: number, bytes: number, transport: Transport): void;
}
