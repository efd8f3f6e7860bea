import type { GenericSchema } from "valibot";

import type { Recent } from "../observe/recent.ts";
import type { AdminDeps, Caller, Shown } from "./deps.ts";
import type { Door, Visitor } from "./door.ts";
import type { Events } from "./events.ts";
import type { Form } from "./form.ts";

/** One thing the API can do. The table of them makes the routes and the OpenAPI document. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** As OpenAPI writes it: `/api/v1/services/{service}/stats`. */
  readonly path: string;
  readonly summary: string;
  readonly needs: Needs;
  /** JSON body. */
  readonly input?: GenericSchema<unknown, unknown>;
  /** Bytes of the body, when it may be more than usual. */
  readonly maxBody?: number;
  /** What may stand behind the `?`, and what it means. */
  readonly query?: Readonly<Record<string, string>>;
  /** What it answers when all is well, and what may go wrong beside 401, 403, 421 and 429. */
  readonly answers: Readonly<Record<number, Content>>;
  handle(call: Call): Response | Promise<Response>;
}

/**
 * `nothing`: open to all, and nobody is asked who they are. `scrape`: as `known`, but `nothing` on a listener that only this machine can reach.
 * `known`: any user; anyone where there are no users. `change`: users with full access.
 */
export type Needs = "nothing" | "scrape" | "known" | "change";

export interface Content {
  readonly about: string;
  readonly type?: string;
  readonly schema?: Form;
}

/** A request that has come through the door. */
export interface Call {
  readonly deps: AdminDeps;
  readonly door: Door;
  readonly caller: Caller;
  readonly headers: Headers;
  /** Aborts when whoever asks is gone. */
  readonly signal: AbortSignal;
  /** Undefined where `needs` lets strangers in. */
  readonly visitor: Visitor | undefined;
  /** A value for every `{name}` in the path. */
  readonly param: (name: string) => string;
  /** A value from behind the `?`; undefined when it is not there. */
  readonly query: (name: string) => string | undefined;
  /** Who asks, for the log and the history of changes. */
  readonly who: string;
  /** What the schema made of the body; undefined without a schema. */
  readonly input: unknown;
  /**
   * Write down who did what: in the log, and among the recent activity; "quietly" when whoever does
   * it logs it already.
   */
  readonly note: (what: string, more?: Shown, how?: "quietly") => void;
  readonly activity: Recent<Shown>;
  readonly events: Events;
}

/** The body of every answer that is not 2xx. */
export interface Failure {
  /** For programs. */
  readonly error: string;
  /** For people: what is wrong and what to do about it. */
  readonly message: string;
  readonly problems?: readonly unknown[];
}

export function json(value: unknown, status = 200): Response {
  return Response.json(value ?? null, { status });
}

export function fail(
  status: number,
  error: string,
  message: string,
  more: { problems?: readonly unknown[]; headers?: Record<string, string> } = {},
): Response {
  const { problems, headers = {} } = more;
  const body: Failure = { error, message, ...(problems && { problems }) };
  return Response.json(body, { status, headers });
}
