import { createHash } from "node:crypto";

import { compileAccess } from "../../core/cidr.ts";
import { networkOf } from "../../core/client-network.ts";
import { TokenBuckets } from "../../core/token-bucket.ts";
import { SharedLimit, type SharedLimitParts } from "../../net/cluster/shared-limit.ts";
import type { Log } from "../../observe/log.ts";
import {
  type HttpAnswer,
  type HttpRequest,
  type HttpResponse,
  respond,
} from "../../wire/http/message.ts";
import { Compression } from "./compression.ts";
import type { OneProxy } from "./config.ts";
import { Esi } from "./esi/esi.ts";
import type { Passage } from "./passage.ts";
import { Routes } from "./routes.ts";

/** Clients whose rate is counted; beyond it those silent for longest are forgotten. */
const MAX_CLIENTS = 100_000;
/** Of the hash that a field's value is counted by. */
const DIGITS = 22;

/** One proxy: who may ask, how often, and which route a request takes. */
export class ProxySite {
  readonly config: OneProxy;
  readonly passages: readonly Passage[];
  readonly #routes: Routes<Passage>;
  readonly #esi: Esi;
  readonly #allowed: (address: string) => boolean;
  readonly #limit: SharedLimit | undefined;
  /** The field that tells clients apart; undefined: their address. */
  readonly #limitedBy: string | undefined;
  refused = 0;

  constructor(
    config: OneProxy,
    passages: readonly Passage[],
    shared: Omit<SharedLimitParts, "topic"> & { readonly name: string },
    log: Log,
  ) {
    this.config = config;
    this.passages = passages;
    this.#routes = new Routes(passages);
    const compression = config.compress ? new Compression(config.compress) : undefined;
    this.#esi = new Esi({ find: (asked) => this.#routes.find(asked), compression, log });
    const allow = config.allow.length > 0 ? compileAccess(config.allow) : () => true;
    const deny = compileAccess(config.deny);
    this.#allowed = (address) => allow(address) && !deny(address);
    const { limit } = config;
    if (limit) {
      const buckets = new TokenBuckets(limit.rate.perSecond, limit.burst, MAX_CLIENTS);
      this.#limit = new SharedLimit(buckets, { ...shared, topic: `proxy limit ${shared.name}` });
    }
    this.#limitedBy = limit?.by.startsWith("header:")
      ? limit.by.slice("header:".length)
      : undefined;
  }

  /** Answer a request, or say why not. Never rejects for what servers do. */
  handle(request: HttpRequest): HttpAnswer {
    const { address } = request.client;
    if (!this.#allowed(address)) return this.#refuse(403);
    if (this.#limit !== undefined) {
      const wait = this.#limit.take(this.#clientOf(request));
      if (wait > 0) return this.#refuse(429, [["Retry-After", `${Math.ceil(wait / 1000)}`]]);
    }
    const { host, method, headers } = request;
    const path = request.path === "*" ? "/" : request.path; // OPTIONS of the whole server
    const passage = this.#routes.find({ host, path, method, headers });
    if (passage === undefined) return this.#refuse(404);
    return passage.expands && Esi.isFor(request)
      ? this.#esi.answer(request, passage)
      : passage.answer(request);
  }

  #clientOf({ headers, client }: HttpRequest): string {
    const said = this.#limitedBy === undefined ? null : headers.get(this.#limitedBy);
    if (said === null) return networkOf(client.address);
    // It may be a secret (a key of an API), and other nodes are told.
    return `field ${createHash("sha256").update(said).digest("base64url").slice(0, DIGITS)}`;
  }

  close(): void {
    this.#limit?.close();
  }

  #refuse(status: number, headers: readonly (readonly [string, string])[] = []): HttpResponse {
    this.refused++;
    return respond(status, headers, `${status}\n`);
  }
}
