import type { Keypair } from "../../wire/noise/keypair.ts";
import { ANSWER, ASK, emitProbe, parseProbe, PROBE, type Probe } from "../../wire/tunnel/probe.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Sink } from "./sink.ts";

/** Is the peer of a link there, how far, what is lost, what does the path carry: asked and answered. */
export class Questions {
  readonly #link: Link;
  readonly #probe: Probe = { kind: 0, length: 0, number: 0, time: 0, sent: 0, received: 0 };
  /** Datagrams that had been sent when the question of that number went out. */
  readonly #sentAt = new Float64Array(64);

  constructor(link: Link) {
    this.#link = link;
  }

  /** Ask by a plaintext whose body has `length` bytes. */
  ask(now: number, length: number): void {
    const { path, traffic } = this.#link;
    const number = path.ask(now);
    const keypair = this.#link.sending(now);
    if (keypair === undefined) return;
    this.#sentAt[number % this.#sentAt.length] = traffic.sent;
    const probe = this.#probe;
    probe.kind = ASK;
    probe.length = length;
    probe.number = number;
    probe.time = now;
    this.#say(keypair, length, now);
  }

  /** A message of `length` bytes is at the sink's `next`. False: it is neither question nor answer. */
  take({ block, next }: Sink, length: number): boolean {
    const probe = this.#probe;
    if (!parseProbe(block, next, length, probe)) return false;
    const { hub, path, traffic, keeper } = this.#link;
    const { now } = hub;
    if (probe.kind === ANSWER) {
      const sent = this.#sentAt[probe.number % this.#sentAt.length] ?? 0;
      path.answered(probe, { sent, received: traffic.received }, now);
      keeper?.passed(probe.length);
      return true;
    }
    // The question comes back as it was, but short.
    const keypair = this.#link.sending(now);
    if (keypair === undefined) return true;
    probe.kind = ANSWER;
    probe.length = length;
    this.#say(keypair, PROBE, now);
    return true;
  }

  #say(keypair: Keypair<Lane>, length: number, now: number): void {
    const { hub, traffic } = this.#link;
    const { departures } = hub;
    if (departures.full) return;
    const probe = this.#probe;
    probe.sent = traffic.sent >>> 0;
    probe.received = traffic.received >>> 0;
    emitProbe(departures.block, departures.next + HEADER, probe, length);
    this.#link.shipControl(keypair, length, now);
  }
}
