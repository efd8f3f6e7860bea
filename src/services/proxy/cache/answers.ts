import { type CacheOutcome, cacheStatus } from "../../../wire/http/caching/cache-status.ts";
import type { Field } from "../../../wire/http/caching/field-list.ts";
import { ageAt } from "../../../wire/http/caching/reuse.ts";
import {
  type Flow,
  type HttpRequest,
  type HttpResponse,
  respond,
} from "../../../wire/http/message.ts";
import type { Entry } from "./entry.ts";
import type { Coming } from "./flight.ts";
import { bodyOf, piecesOf } from "./kept.ts";
import { CACHE_NAME, present } from "./present.ts";
import { withoutSliced } from "./slices/sliced.ts";

const SECOND = 1000;
const STATUS = "Cache-Status";

/** Why a request went on to a server, and what came of it. */
export type Why = Pick<CacheOutcome, "forward" | "detail" | "collapsed" | "forwardStatus">;

/** What clients get, each with a line on how it came about. */
export class Answers {
  readonly #wall: () => number;
  readonly #boundary: () => string;

  /** `wall`: milliseconds since 1970. `boundary`: see `present`. */
  constructor(wall: () => number, boundary: () => string) {
    this.#wall = wall;
    this.#boundary = boundary;
  }

  /** The server's answer to our question, for the client's. */
  raw(response: HttpResponse, request: HttpRequest, why: Why, detail: string): HttpResponse {
    const outcome: CacheOutcome = { hit: false, ...why, detail };
    if (response.named !== true || response.status !== 200) return this.tell(response, outcome);
    const { status, headers, body } = response;
    return present(
      {
        status,
        fields: headers,
        length: undefined, // no part of it: who asks again gets another
        body: () => body,
        pieces: () => undefined,
        discard: () => discard(response),
      },
      request,
      this.#status(outcome),
      this.#boundary,
    );
  }

  /** One that is stored. */
  stored(entry: Entry, request: HttpRequest, outcome: CacheOutcome): HttpResponse {
    const { body } = entry;
    return present(
      {
        status: entry.status,
        fields: entry.fields,
        length: body.length,
        body: (from, to) => bodyOf(body, from, to),
        pieces: (from, to) => piecesOf(body, from, to),
        discard: () => {},
      },
      request,
      this.#told(entry, outcome),
      this.#boundary,
    );
  }

  /** One that is stored in slices: `read` is called at most once, for bytes [from, to) of it. */
  sliced(
    entry: Entry,
    request: HttpRequest,
    outcome: CacheOutcome,
    read: (from: number, to: number) => Flow,
  ): HttpResponse {
    const { sliced } = entry;
    if (sliced === undefined) return this.stored(entry, request, outcome);
    const { total } = sliced;
    return present(
      {
        status: entry.status,
        fields: withoutSliced(entry.fields),
        length: total,
        body(from, to) {
          const end = Math.min(to, total);
          return { kind: "flow", flow: read(from, end), length: end - from };
        },
        pieces: () => undefined,
        discard: () => {},
      },
      request,
      this.#told(entry, outcome),
      this.#boundary,
    );
  }

  /** The same answer, which came about otherwise than was thought. */
  retold(response: HttpResponse, entry: Entry, outcome: CacheOutcome): HttpResponse {
    const told = new Map(this.#told(entry, outcome));
    const { headers } = response;
    const ours = headers.findLastIndex(([name]) => name === STATUS);
    return {
      ...response,
      headers: headers.map((field, i) => (i === ours ? [STATUS, told.get(STATUS) ?? ""] : field)),
    };
  }

  /** One that is on its way, from its beginning. */
  coming(coming: Coming, request: HttpRequest, outcome: CacheOutcome): HttpResponse {
    const { status, fields, filling } = coming;
    const { length } = filling;
    return present(
      {
        status,
        fields,
        length,
        body: (from, to) => ({
          kind: "flow",
          flow: filling.read(from, to),
          ...(length !== undefined && { length: Math.min(to, length) - from }),
        }),
        pieces: () => undefined,
        discard: () => filling.leaveUnread(),
      },
      request,
      this.#status(outcome),
      this.#boundary,
    );
  }

  /** A response as it came. */
  tell(response: HttpResponse, outcome: CacheOutcome): HttpResponse {
    const { headers } = response;
    return { ...response, headers: [...headers, ...this.#status(outcome)] };
  }

  #told({ freshness }: Entry, outcome: CacheOutcome): Field[] {
    const age = ageAt(freshness, this.#wall());
    const ttl = (freshness.lifetime - age) / SECOND;
    return [["Age", String(Math.floor(age / SECOND))], ...this.#status({ ...outcome, ttl })];
  }

  #status(outcome: CacheOutcome): Field[] {
    return [[STATUS, cacheStatus(CACHE_NAME, outcome)]];
  }

  /** The client wants nothing that is not stored. */
  gatewayTimeout(): HttpResponse {
    return this.tell(respond(504, [], "504\n"), { hit: false, detail: "only-if-cached" });
  }
}

/** A response that is not sent: give back what it holds. */
export function discard({ body }: HttpResponse): void {
  if (body.kind === "pieces") body.release?.();
  if (body.kind === "flow") body.flow.cancel();
  if (body.kind === "stream") void body.stream.cancel().catch(() => {}); // it may have broken by itself
}
