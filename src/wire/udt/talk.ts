import { noAcknowledgement, readAcknowledgement } from "./acknowledgement.ts";
import { Ask, emitHandshake, type Handshake, parseHandshake } from "./handshake.ts";
import { slots } from "./own-handshake.ts";
import { Control, HEADER, IP_UDP, putControl, word } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import type { Rtt } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";
import { Sender } from "./sender.ts";
import type { UdtEnd, UdtOptions } from "./settings.ts";
import { Silence } from "./silence.ts";

/** libudt sends four bytes where there is nothing to say. */
const NOTHING = 4;

/** What two ends that have shaken hands say to each other, until one is gone. Times µs. */
export class Talk {
  /** The socket of the peer. */
  readonly peerId: number;
  /** Most bytes a datagram has. */
  readonly datagramSize: number;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly silence: Silence;
  readonly #rtt: Rtt;
  readonly #ack = noAcknowledgement();
  /** Our last word of the greeting: who asks again has not heard it. */
  readonly #hello: Handshake;
  readonly #longestReport: number;
  /** What is to be said besides data and its acknowledgements. ACK2: the number, or -1. */
  #ack2 = -1;
  #sayHello = false;
  #sayAlive = false;
  /** Control packets that made no sense. */
  nonsense = 0;

  /**
   * `mine` and `peer`: what both said of themselves. `theirs`: the first number of what the peer sends. `openedAt`:
   * when our clock began.
   */
  constructor(
    options: UdtOptions,
    mine: Handshake,
    peer: Handshake,
    theirs: number,
    rtt: Rtt,
    openedAt: number,
    now: number,
  ) {
    const { kind, initial, sendPackets, receivePackets, congestion, twice = false } = options;
    const mss = Math.min(mine.mss, peer.mss);
    const ask = options.role === "rendezvous" ? Ask.met : Ask.connect;
    this.peerId = peer.id;
    this.datagramSize = mss - IP_UDP;
    this.silence = new Silence(now);
    this.#rtt = rtt;
    this.#hello = { ...mine, mss, ask };
    this.#longestReport = this.datagramSize - (options.reportReserve ?? 0);
    const payload = this.datagramSize - HEADER;
    const buffer = new SendBuffer(initial, payload, slots(sendPackets));
    this.sender = new Sender(buffer, congestion, rtt, peer.window, mss, twice, openedAt);
    this.receiver = new Receiver(kind, theirs, payload, slots(receivePackets), rtt, twice);
  }

  /** A datagram of the peer: `bytes[from..to)`. Why that is the end of it; "": it is not. */
  hear(bytes: Uint8Array, from: number, to: number, now: number): UdtEnd {
    this.silence.broken(now);
    const head = word(bytes, from);
    if (head >>> 31 === 1) return this.#control((head >>> 16) & 0x7fff, bytes, from, to, now);
    this.receiver.data(bytes, from, to, now);
    return "";
  }

  /** Writes the next datagram that is due at `out[at..]`, stamped with `time`, and says its length; 0: none is due. */
  poll(now: number, time: number, out: Uint8Array, at: number): number {
    if (this.#sayHello) {
      this.#sayHello = false;
      return this.greet(time, out, at);
    }
    if (this.#ack2 >= 0) {
      const number = this.#ack2;
      this.#ack2 = -1;
      return this.say(Control.ack2, number, time, out, at);
    }
    const told = this.receiver.poll(now, time, this.#longestReport, this.peerId, out, at);
    if (told > 0) return told;
    const sent = this.sender.poll(now, time, this.peerId, out, at);
    if (sent === 0 && this.#sayAlive) {
      this.#sayAlive = false;
      return this.say(Control.keepalive, 0, time, out, at);
    }
    if (sent > 0) this.#sayAlive = false;
    return sent;
  }

  /** When to poll next, even if nothing else happens. It may be in the past. */
  get wakeAt(): number {
    if (this.#sayHello || this.#sayAlive || this.#ack2 >= 0) return -Infinity;
    const halves = Math.min(this.receiver.wakeAt, this.sender.wakeAt);
    return Math.min(halves, this.silence.lookAt(this.#rtt.patience));
  }

  /** What has to be done because of silence. True: it has gone on for too long. */
  isDeserted(now: number): boolean {
    const { silence } = this;
    const due = silence.lookAt(this.#rtt.patience);
    if (now < due) return false;
    const { isEnd, count } = silence;
    const isReal = silence.goesOn(due, now);
    if (isReal && isEnd) return true;
    if (this.sender.buffer.size === 0) this.#sayAlive = true;
    else if (isReal) this.sender.timeout(now, count);
    return false;
  }

  /** Our handshake (once more) at `out[at..]`: its length. */
  greet(time: number, out: Uint8Array, at: number): number {
    return emitHandshake(this.#hello, time, this.peerId, out, at);
  }

  /** A control packet without content at `out[at..]`: its length. */
  say(control: Control, info: number, time: number, out: Uint8Array, at: number): number {
    putControl(out, at, control, info, time, this.peerId);
    out.fill(0, at + HEADER, at + HEADER + NOTHING);
    return HEADER + NOTHING;
  }

  #control(control: number, bytes: Uint8Array, from: number, to: number, now: number): UdtEnd {
    switch (control) {
      case Control.handshake: {
        const ask = parseHandshake(bytes, from, to)?.ask ?? 0;
        this.#sayHello = this.#hello.ask === Ask.met ? ask !== Ask.met : ask > 0;
        return "";
      }
      case Control.ack: {
        const sane = readAcknowledgement(this.#ack, bytes, from, to);
        if (!sane || !this.sender.acknowledge(this.#ack, now)) this.nonsense += 1;
        else if (this.#ack.kind !== "light") this.#ack2 = this.#ack.number & 0x7fff_ffff;
        return "";
      }
      case Control.nak:
        if (!this.sender.report(bytes, from + HEADER, to, now)) this.nonsense += 1;
        return "";
      case Control.congestion:
        this.sender.warned(now);
        return "";
      case Control.ack2:
        this.receiver.acknowledged(word(bytes, from + 4), now);
        return "";
      case Control.drop:
        if (to - from < HEADER + 8) this.nonsense += 1;
        else this.receiver.drop(word(bytes, from + HEADER), word(bytes, from + HEADER + 4), now);
        return "";
      case Control.shutdown:
        return "closed by the peer";
      case Control.error:
        return "peer had an error";
      case Control.keepalive:
        return "";
      default:
        this.nonsense += 1;
        return "";
    }
  }
}
