/** What a secondary asks its primaries: which serial they have (SOA), and the zone itself. */
import { randomInt } from "node:crypto";

import type { Clock } from "../../../core/clock.ts";
import { askDns, type DnsServer, NoAnswer, streamAnswers } from "../../../net/dns-client.ts";
import type { ClientTls } from "../../../net/tls/client-tls.ts";
import { SAFE_UDP_SIZE } from "../../../wire/dns/edns.ts";
import { decodeMessage, encodeMessage } from "../../../wire/dns/message.ts";
import { sameName } from "../../../wire/dns/name.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import { type TsigKey, TsigSigner, TsigVerifier } from "../../../wire/dns/tsig.ts";
import { CLASS, OPCODE, RCODE, showRcode, TYPE } from "../../../wire/dns/types.ts";
import { FLAG } from "../../../wire/dns/writer.ts";
import { appendTsig } from "../signatures.ts";
import type { TcpAddress } from "../zone-config.ts";
import { soaNumbers } from "./soa.ts";
import { type Outcome, TransferReader } from "./transfer-reader.ts";
import { checkSignature } from "./tsig-check.ts";

/** For an answer to the question for the SOA. Milliseconds. */
const SOA_MS = 5000;
/** Between two messages of a transfer, and for the first. Milliseconds. */
const STALL_MS = 30_000;
/** For a whole transfer. Milliseconds. */
const TRANSFER_MS = 15 * 60_000;
/** Records, names whole, that a zone of others may have: some five million. */
const MOST_BYTES = 512 * 1024 * 1024;
/** A question with the longest names, an SOA and a TSIG stays below. */
const QUESTION_BYTES = 4096;

export interface PrimaryParts {
  readonly address: TcpAddress;
  /** Lower case, wire form. */
  readonly origin: Uint8Array;
  readonly key: TsigKey | undefined;
  /** How it is spoken to over TLS (RFC 9103); undefined: in clear. */
  readonly tls: ClientTls | undefined;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** One server that has the zone. All of it rejects with NoAnswer, which says why for people. */
export class Primary {
  readonly address: TcpAddress;
  readonly #parts: PrimaryParts;

  constructor(parts: PrimaryParts) {
    this.address = parts.address;
    this.#parts = parts;
  }

  /** The serial it has. */
  async serial(): Promise<number> {
    const asked = this.#question(TYPE.SOA, undefined);
    const { host, port } = this.address;
    const stream = this.#stream();
    const clear = stream.tls === undefined;
    let answer = await askDns(
      asked.bytes,
      clear ? { host, port, transport: "udp" } : stream,
      SOA_MS,
    );
    if (clear && (answer[2] ?? 0) & (FLAG.TC >>> 8))
      answer = await askDns(asked.bytes, stream, SOA_MS);
    const message = decodeMessage(answer);
    if (message === undefined || message.id !== asked.id || !(message.flags & FLAG.QR))
      throw new NoAnswer("what came is no answer to the question");
    if (message.rcode !== RCODE.NOERROR) throw new NoAnswer(`it says ${showRcode(message.rcode)}`);
    const wrong = asked.verifier && checkSignature(answer, asked.verifier, this.#seconds());
    if (wrong !== undefined) throw new NoAnswer(wrong);
    const { origin } = this.#parts;
    const soa = message.answers.find((rr) => rr.type === TYPE.SOA && sameName(rr.name, origin));
    if (soa === undefined || !(message.flags & FLAG.AA))
      throw new NoAnswer("it does not serve the zone");
    return soaNumbers(soa.rdata).serial;
  }

  /**
   * The zone, or what is newer in it than in a version with the SOA `ours`. Ends early, rejecting,
   * when `signal` aborts.
   */
  async transfer(
    ours: Rr | undefined,
    signal: AbortSignal,
  ): Promise<Exclude<Outcome, { kind: "refused" }>> {
    const type = ours === undefined ? TYPE.AXFR : TYPE.IXFR;
    const { origin, clock } = this.#parts;
    const { bytes, id, verifier } = this.#question(type, ours);
    const reader = new TransferReader({
      origin,
      type,
      id,
      serial: ours && soaNumbers(ours.rdata).serial,
      verifier,
      seconds: () => this.#seconds(),
      mostBytes: MOST_BYTES,
    });
    const over = new AbortController();
    const end = AbortSignal.any([signal, over.signal, clock.deadline(TRANSFER_MS)]);
    let messages = 0;
    void this.#watch(() => messages, over);
    try {
      for await (const message of streamAnswers(bytes, this.#stream(), end)) {
        messages++;
        const outcome = reader.read(message);
        if (outcome?.kind === "refused") throw new NoAnswer(outcome.why);
        if (outcome !== undefined) return outcome;
        if (end.aborted) throw new NoAnswer("the transfer took too long");
      }
      throw new NoAnswer("the transfer broke off");
    } finally {
      over.abort();
    }
  }

  /** Abort `over` when no message has come for a while; ends when it is aborted. */
  async #watch(messages: () => number, over: AbortController): Promise<void> {
    for (let before = -1; messages() !== before;) {
      before = messages();
      await this.#parts.clock.sleep(STALL_MS, over.signal).catch(() => {}); // aborted: seen below
      if (over.signal.aborted) return;
    }
    over.abort();
  }

  /** A question for the zone's `type`, signed; `ours` goes along with an IXFR (RFC 1995, 3). */
  #question(type: number, ours: Rr | undefined) {
    const { origin, key } = this.#parts;
    const id = randomInt(0x10000);
    const bytes = encodeMessage({
      id,
      flags: 0,
      opcode: OPCODE.QUERY,
      rcode: RCODE.NOERROR,
      questions: [{ name: origin, type, class: CLASS.IN }],
      answers: [],
      authorities: ours === undefined ? [] : [ours],
      additionals: [],
      ...(type === TYPE.SOA && {
        edns: { udpSize: SAFE_UDP_SIZE, version: 0, do: false, compact: false, options: [] },
      }),
    }) as Uint8Array; // a question fits into any message
    if (key === undefined) return { id, bytes, verifier: undefined };
    const signer = new TsigSigner(key);
    const record = signer.sign(bytes, this.#seconds());
    const signed = new Uint8Array(QUESTION_BYTES);
    signed.set(bytes);
    const length = appendTsig(record, signed, 0, bytes.length);
    return {
      id,
      bytes: signed.slice(0, length),
      verifier: new TsigVerifier(key, signer.mac),
    };
  }

  #stream(): DnsServer {
    const { host, port } = this.address;
    const { tls } = this.#parts;
    return tls === undefined
      ? { host, port, transport: "tcp" }
      : { host, port, transport: "tls", tls };
  }

  #seconds(): number {
    return Math.floor(this.#parts.wall() / 1000);
  }
}
