/** Requests to one server over connections of our own: what comes and goes passes no other thread. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

import type { UpstreamConnection } from "../../../net/upstream/connection.ts";
import type { Address, Upstream, UpstreamLimits } from "../../../net/upstream/upstream.ts";
import type { DirectAnswer } from "./direct-answer.ts";
import { type DirectRequest, Errand, type Ways } from "./errand.ts";
import { MemberError, STALL_MS } from "./member.ts";

/** Idle ones are left sooner than servers leave them (Apache: 5 s). */
export const DIRECT_LIMITS: UpstreamLimits = {
  connectTimeout: STALL_MS,
  maxIdle: 32,
  idleTimeout: 4000,
  maxHead: 64 * 1024,
};
const HTTP_PORT = 80;

export class Direct implements Ways {
  readonly upstream: Upstream;
  readonly authority: string;
  readonly #hostname: string;
  readonly #port: number;
  /** By IP address: connections are known by them. */
  readonly #addresses = new Map<string, Address>();
  readonly #live = new Set<Errand>();
  #closed = false;

  /** `origin`: a URL of http. */
  constructor(upstream: Upstream, origin: URL) {
    this.upstream = upstream;
    this.authority = origin.host;
    this.#hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1");
    this.#port = origin.port === "" ? HTTP_PORT : Number(origin.port);
  }

  /** The answer, its body still to come. Rejects with a `MemberError` when there is none, or `signal` aborts. */
  ask(request: DirectRequest, signal?: AbortSignal): Promise<DirectAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<DirectAnswer>();
    if (this.#closed || signal?.aborted === true)
      return Promise.reject(new MemberError("away", "nobody wants the answer any more"));
    const cancel = (): void => errand.cancel();
    const errand = new Errand(this, request, {
      resolve,
      reject,
      over: () => {
        this.#live.delete(errand);
        signal?.removeEventListener("abort", cancel);
      },
    });
    this.#live.add(errand);
    signal?.addEventListener("abort", cancel);
    errand.begin();
    return promise;
  }

  /** Nobody wants what is under way, or asks for more. */
  close(): void {
    this.#closed = true;
    for (const errand of this.#live) errand.cancel();
  }

  reuse(): UpstreamConnection | undefined {
    for (const address of this.#addresses.values()) {
      const idle = this.upstream.reuse(address);
      if (idle !== undefined) return idle;
    }
    return undefined;
  }

  async addresses(): Promise<readonly Address[]> {
    const found =
      isIP(this.#hostname) === 0
        ? await lookup(this.#hostname, { all: true })
        : [{ address: this.#hostname }];
    return found.map(({ address }) => {
      const known = this.#addresses.get(address);
      if (known !== undefined) return known;
      const fresh = { host: address, port: this.#port };
      this.#addresses.set(address, fresh);
      return fresh;
    });
  }
}
