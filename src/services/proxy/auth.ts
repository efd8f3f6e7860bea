/** Who may come in: users of the config, or whom another server lets in. */
import { BasicAuth } from "../../net/basic-auth.ts";
import type { Pools } from "../../net/pools/pool.ts";
import { requestHead } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import {
  type Flow,
  type HttpRequest,
  type HttpResponse,
  respond,
  settled,
} from "../../wire/http/message.ts";
import type { NoAnswer } from "./errand.ts";
import { requestFields, responseFields } from "./fields.ts";
import { Forwarder } from "./forwarder.ts";
import type { AuthConfig, FieldChanges } from "./route-config.ts";
import { authorityOf } from "./target.ts";

/** Longest answer of an authority that is read to its end so that its connection can be kept. */
const SMALL = 64 * 1024;

/** Let in. */
export interface Admitted {
  readonly user: string | undefined;
  /** Fields of the request that servers are to see, or not: null. */
  readonly fields: FieldChanges;
}

export interface AuthParts {
  readonly pools: Pools;
  readonly upstream: Upstream;
  readonly trusted: (address: string) => boolean;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** The authority did not answer. */
  readonly failed: (failure: NoAnswer) => HttpResponse;
}

export interface Auth {
  /** Let the request in, or answer it. Never rejects for what strangers do. */
  admit(request: HttpRequest): Promise<Admitted | HttpResponse>;
}

/** Throws Error when a user's password is no hash. */
export function makeAuth(config: AuthConfig, parts: AuthParts): Auth {
  return "forward" in config ? new ForwardAuth(config, parts) : new UserAuth(config, parts);
}

class UserAuth implements Auth {
  readonly #basic: BasicAuth;
  readonly #now: () => number;

  constructor(config: Extract<AuthConfig, { users: unknown }>, { now }: AuthParts) {
    const users = Object.entries(config.users).map(([name, hash]) => [name, hash.reveal()]);
    this.#basic = new BasicAuth(config.realm, Object.fromEntries(users));
    this.#now = now;
  }

  async admit({ headers }: HttpRequest): Promise<Admitted | HttpResponse> {
    const verdict = await this.#basic.check(headers.get("authorization"), this.#now());
    // The password was for us, not for servers.
    if (typeof verdict === "object") return { user: verdict.user, fields: { Authorization: null } };
    return respond(401, [["WWW-Authenticate", this.#basic.challenge]], "401\n");
  }
}

class ForwardAuth implements Auth {
  readonly #config: Extract<AuthConfig, { forward: unknown }>["forward"];
  readonly #parts: AuthParts;

  constructor({ forward }: Extract<AuthConfig, { forward: unknown }>, parts: AuthParts) {
    this.#config = forward;
    this.#parts = parts;
  }

  async admit(request: HttpRequest): Promise<Admitted | HttpResponse> {
    const answer = await settled(this.#ask(request));
    const { status, headers, body } = answer;
    if (status < 200 || status >= 300 || answer.named !== true) return answer;
    if (body.kind === "flow") swallow(body.flow);
    // A field that the authority leaves out is taken away: a client must not say it instead.
    const fields: Record<string, string | null> = {};
    for (const name of this.#config.headers) {
      const lower = name.toLowerCase();
      fields[name] = headers.find(([have]) => have.toLowerCase() === lower)?.[1] ?? null;
    }
    return { user: undefined, fields };
  }

  #ask(request: HttpRequest): Forwarder {
    const { pools, upstream, trusted, failed } = this.#parts;
    const { pool, path, timeout } = this.#config;
    const changes = {
      ...OF_THE_ANSWER,
      "X-Forwarded-Method": request.method,
      "X-Forwarded-Uri": request.target,
      "X-Forwarded-Host": authorityOf(request),
    };
    const bodyless: HttpRequest = new Bodyless(request);
    const forwarder = new Forwarder({
      request: bodyless,
      pool: pools.pool(pool),
      upstream,
      outgoing: () => {
        const head = requestHead({
          method: "GET",
          target: path,
          headers: requestFields(bodyless, {
            changes,
            host: authorityOf(request),
            trusted: trusted(request.client.address),
            change: null,
          }),
          body: undefined,
          length: undefined,
        });
        return {
          head,
          headEnd: head.length,
          method: "GET",
          body: undefined,
          length: undefined,
          readTimeout: timeout,
        };
      },
      answered: (answer, _server, exchange) => {
        if (answer.status === 101) {
          exchange.cancel();
          return failed({ status: 502, why: "an authority changes to another protocol" });
        }
        const headers = responseFields("GET", answer, {});
        return { status: answer.status, headers, body: answer.body(), named: true };
      },
      failed,
    });
    forwarder.begin();
    return forwarder;
  }
}

/** These ask for another answer than whether somebody may come in. */
const OF_THE_ANSWER: FieldChanges = {
  Range: null,
  "If-Range": null,
  "If-Match": null,
  "If-None-Match": null,
  "If-Modified-Since": null,
  "If-Unmodified-Since": null,
};

/** Read a body to its end, if that is near: so its connection can be kept. */
function swallow(flow: Flow): void {
  let left = SMALL;
  flow.start({
    write: (_bytes, from, to) => {
      left -= to - from;
      if (left < 0) flow.cancel();
      return left >= 0;
    },
    end() {},
    fail() {},
  });
}

/** The same request as a GET without a body, for one answer of several. */
class Bodyless implements HttpRequest {
  readonly method = "GET";
  readonly body = undefined;
  readonly contentLength = undefined;
  readonly #of: HttpRequest;

  constructor(of: HttpRequest) {
    this.#of = of;
  }
  get target(): string {
    return this.#of.target;
  }
  get path(): string {
    return this.#of.path;
  }
  get query(): string {
    return this.#of.query;
  }
  get host(): string {
    return this.#of.host;
  }
  get authority(): string | undefined {
    return this.#of.authority;
  }
  get headers(): HttpRequest["headers"] {
    return this.#of.headers;
  }
  get client(): HttpRequest["client"] {
    return this.#of.client;
  }
  get secure(): boolean {
    return this.#of.secure;
  }
  get protocol(): HttpRequest["protocol"] {
    return this.#of.protocol;
  }
  get signal(): AbortSignal {
    return this.#of.signal;
  }
  whenGone(run: () => void): void {
    this.#of.whenGone(run);
  }
}
