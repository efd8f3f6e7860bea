import { checkCookie } from "../../wire/dns/cookie.ts";
import { MIN_UDP_SIZE } from "../../wire/dns/edns.ts";
import type { Query } from "../../wire/dns/query.ts";
import { DROP, PASS, type ResponseLimiter } from "./rrl.ts";
import { HELD, type Traffic } from "./traffic.ts";
import type { VerifiedClients } from "./verified.ts";
import type { Via } from "./via.ts";

/** IP and UDP headers, which a forger's packet has as well as ours. */
const V4_HEADERS = 28;
const V6_HEADERS = 48;

export interface AllowanceParts {
  /** Largest answer over UDP. */
  readonly udpSize: number;
  /** How many times a question an answer may be for clients who have not shown who they are; 0: any. */
  readonly amplification: number;
  readonly limiter: ResponseLimiter | undefined;
  /** Clients the limiter does not know. */
  readonly exempt: (client: Uint8Array) => boolean;
  readonly verified: VerifiedClients;
  /** Undefined: no cookies. */
  readonly cookieKey: Uint32Array | undefined;
  readonly traffic: Traffic;
}

/** How much a client gets for a question: measured anew for each. */
export class Allowance {
  readonly #parts: AllowanceParts;
  readonly #query: Query;
  #most = 0;
  /** Of these, for a client that may be anybody. */
  #modest = 0;

  /** `query` is read before `measure`. */
  constructor(query: Query, parts: AllowanceParts) {
    this.#query = query;
    this.#parts = parts;
  }

  /** Bytes the answer may have, whoever asks. */
  get most(): number {
    return this.#most;
  }

  /** A question of `size` bytes has come. */
  measure(size: number, via: Via): void {
    const { udpSize, amplification, verified } = this.#parts;
    const { edns } = this.#query;
    this.#most = this.#modest = via.room;
    if (via.transport !== "udp") return verified.add(via.client, via.now);
    const taken = edns.present ? Math.min(edns.udpSize, udpSize) : MIN_UDP_SIZE;
    if (taken < this.#most) this.#most = this.#modest = taken;
    if (amplification === 0) return;
    const headers = via.client.length === 4 ? V4_HEADERS : V6_HEADERS;
    const modest = Math.floor((size + headers) * amplification) - headers;
    if (modest < this.#modest) this.#modest = modest;
  }

  /** So many bytes are needed for something else. */
  reserve(bytes: number): void {
    this.#most -= bytes;
    this.#modest -= bytes;
  }

  /** Whether an answer of `length` bytes may go: asked last, since to know the client takes a while. */
  fits(length: number, bytes: Uint8Array, via: Via): boolean {
    if (length <= this.#modest) return true;
    return length <= this.#most && this.#isVerified(bytes, via);
  }

  /** What the limiter says to an answer of the kind `what`: PASS, DROP or SLIP. */
  limited(what: number, bytes: Uint8Array, via: Via): number {
    const { limiter, exempt, traffic } = this.#parts;
    if (limiter === undefined || via.transport !== "udp") return PASS;
    if (exempt(via.client) || this.#isVerified(bytes, via)) return PASS;
    const passed = limiter.check(via.client, what, via.now);
    if (passed !== PASS) traffic.held(passed === DROP ? HELD.dropped : HELD.slipped);
    return passed;
  }

  /** Has this client of UDP shown who it is: by our cookie, or lately by a handshake? */
  #isVerified(bytes: Uint8Array, { client, now, wall }: Via): boolean {
    const { cookieKey } = this.#parts;
    const { cookieAt, cookieLength } = this.#query.edns;
    if (cookieKey !== undefined && cookieAt >= 0) {
      const seconds = Math.floor(wall / 1000);
      const state = checkCookie(cookieKey, bytes, cookieAt, cookieLength, client, seconds);
      if (state !== "bad") return true;
    }
    return this.#parts.verified.has(client, now);
  }
}
