import { noAcknowledgement, readAcknowledgement } from "./acknowledgement.ts";
import { copy } from "./copy.ts";
import { Farewell } from "./farewell.ts";
import { type Greeted, Greeting } from "./greeting.ts";
import { Ask, emitHandshake, type Handshake, parseHandshake } from "./handshake.ts";
import { ownHandshake, slots } from "./own-handshake.ts";
import { Control, HEADER, IP_UDP, putControl, socketId, word } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import { Rtt } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";
import { Sender } from "./sender.ts";
import type { MessageOptions, UdtEnd, UdtOptions, UdtState, UdtStats } from "./settings.ts";
import { Silence } from "./silence.ts";
import { statistics } from "./statistics.ts";

export type {
  MessageOptions,
  UdtEnd,
  UdtOptions,
  UdtSettings,
  UdtState,
  UdtStats,
} from "./settings.ts";

const DEFAULT_LINGER_MS = 180_000;
/** The client's socket is not ready in the first moments after our answer: libudt would lose what comes then. µs. */
const FIRST_DATA = 10_000;
const MS = 1_000;
const EMPTY = new Uint8Array();
/** The upper half of the first word of a SHUTDOWN. */
const SHUTDOWN = 0x8000 | Control.shutdown;

/**
 * One UDT connection, without socket and clock: datagrams and times in, datagrams and a wake-up time out. Times
 * are µs of any monotonic clock, as numbers.
 *
 * Whoever drives it, after whatever it told it (`receive`, `send`, `read`, `close`, time passing):
 *
 *     while ((n = connection.poll(now, out, at)) > 0) at += n;    // datagrams of equal size come in a row
 *     wake at connection.wakeAt()
 */
export class UdtConnection {
  readonly id: number;
  readonly peerAddress: Uint8Array;
  readonly #options: UdtOptions;
  readonly #mine: Handshake;
  readonly #rtt = new Rtt();
  readonly #ack = noAcknowledgement();
  readonly #openedAt: number;
  #state: UdtState = "connecting";
  #end: UdtEnd = "";
  #greeting: Greeting | undefined;
  #peerId = 0;
  #mss: number;
  #sender: Sender | undefined;
  #receiver: Receiver | undefined;
  readonly #silence: Silence;
  #lingerUntil = Infinity;
  readonly #farewell = new Farewell();
  /** What is to be said besides data and its acknowledgements. ACK2: the number, or -1. */
  #ack2 = -1;
  #sayHello = false;
  #sayAlive = false;
  #nonsense = 0;

  constructor(options: UdtOptions) {
    const { role, hello, now } = options;
    this.#options = options;
    this.id = options.id;
    this.peerAddress = options.peerAddress;
    this.#openedAt = now;
    this.#silence = new Silence(now);
    this.#mine = ownHandshake(options);
    this.#mss = this.#mine.mss;
    if (hello === undefined) this.#greeting = new Greeting(role === "rendezvous", this.#mine, now);
    else {
      this.#open(hello, options.initial, 0);
      this.#sender?.hold(now + FIRST_DATA);
    }
  }

  get state(): UdtState {
    return this.#state;
  }
  get end(): UdtEnd {
    return this.#end;
  }
  /** It has ended, and has nothing more to say: it can be forgotten. */
  get done(): boolean {
    return this.#over && this.#farewell.wakeAt === Infinity;
  }
  /** The socket of the peer; 0: unknown. */
  get peerId(): number {
    return this.#peerId;
  }
  /** Most bytes a datagram has: what `out` of `poll` must have room for. */
  get datagramSize(): number {
    return this.#mss - IP_UDP;
  }

  /** A datagram of the peer: `bytes[from..to)`. Nothing is kept of `bytes`. Never throws. */
  receive(bytes: Uint8Array, from: number, to: number, now: number): void {
    const socket = socketId(bytes, from, to);
    if (socket !== this.id && (socket !== 0 || this.#options.role !== "rendezvous")) {
      this.#nonsense += 1;
      return;
    }
    const head = word(bytes, from);
    if (this.#over) {
      if (head >>> 16 === SHUTDOWN) this.#farewell.end();
      return;
    }
    if (this.#greeting !== undefined) {
      this.#greeted(this.#greeting.listen(bytes, from, to, now), now);
      if (this.#greeting !== undefined) return;
    }
    this.#silence.broken(now);
    if (head >>> 31 === 0) this.#receiver?.data(bytes, from, to, now);
    else this.#control((head >>> 16) & 0x7fff, bytes, from, to, now);
  }

  /** Writes the next datagram that is due at `out[at..]`, and says its length; 0: none is due. */
  poll(now: number, out: Uint8Array, at: number): number {
    const time = (now - this.#openedAt) >>> 0;
    if (this.#over) return this.#leave(now, time, out, at);
    if (this.#greeting !== undefined) {
      this.#greeted(this.#greeting.check(now), now);
      return this.#greeting?.poll(now, time, out, at) ?? 0;
    }
    this.#watch(now);
    if (this.#over) return this.#leave(now, time, out, at);
    if (this.#sayHello) {
      this.#sayHello = false;
      return this.answer(now, out, at);
    }
    if (this.#ack2 >= 0) {
      const number = this.#ack2;
      this.#ack2 = -1;
      return this.#say(Control.ack2, number, time, out, at, 4);
    }
    const report = this.datagramSize - (this.#options.reportReserve ?? 0);
    const told = this.#receiver?.poll(now, time, report, this.#peerId, out, at) ?? 0;
    if (told > 0) return told;
    const sent = this.#sender?.poll(now, time, this.#peerId, out, at) ?? 0;
    if (sent > 0) {
      this.#sayAlive = false;
      return sent;
    }
    if (!this.#sayAlive) return 0;
    this.#sayAlive = false;
    return this.#say(Control.keepalive, 0, time, out, at, 4);
  }

  /** When to poll next, even if nothing else happens; Infinity: never. It may be in the past. */
  wakeAt(): number {
    if (this.#over) return this.#farewell.wakeAt;
    if (this.#greeting !== undefined) return this.#greeting.wakeAt;
    if (this.#sayHello || this.#sayAlive || this.#ack2 >= 0) return -Infinity;
    const halves = Math.min(this.#receiver?.wakeAt ?? Infinity, this.#sender?.wakeAt ?? Infinity);
    const silence = this.#silence.lookAt(this.#rtt.patience);
    return Math.min(halves, silence, this.#settlesAt, this.#lingerUntil);
  }

  /** Bytes `send` would take; of messages, the largest that there is room for. */
  get writable(): number {
    if (this.#state !== "open") return 0;
    return this.#sender?.buffer.writable(this.#joined) ?? 0;
  }
  /** Stream: takes what there is room for of `bytes[from..to)`, and says how many bytes that is. */
  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.#state !== "open" || this.#options.kind !== "stream") return 0;
    return this.#sender?.buffer.fill(bytes, from, to, this.#joined) ?? 0;
  }
  /** Messages: false when there is no room for it now. Throws RangeError when there never will be. */
  sendMessage(bytes: Uint8Array, options: MessageOptions, now: number): boolean {
    if (bytes.length === 0 || bytes.length > this.largestMessage) {
      throw new RangeError(
        `a message of ${bytes.length} bytes: 1 to ${this.largestMessage} are sent`,
      );
    }
    if (this.#options.kind !== "message" || bytes.length > this.writable) return false;
    const expires = options.ttlMs === undefined ? Infinity : now + options.ttlMs * MS;
    this.#sender?.buffer.message(bytes, options.inOrder === true, expires);
    return true;
  }
  get largestMessage(): number {
    return slots(this.#options.sendPackets) * (this.datagramSize - HEADER);
  }
  /** Packets sent or to be sent, and not acknowledged yet: 0 when the peer has it all. */
  get unacknowledged(): number {
    return this.#sender?.buffer.size ?? 0;
  }

  /** How long what was never sent yet takes to leave at the pace of now, µs. */
  get backlog(): number {
    return (this.#sender?.buffer.unsent ?? 0) * this.#options.congestion.period;
  }
  /** The least round trip of late, µs. */
  get leastRtt(): number {
    return this.#rtt.least;
  }

  /** Bytes that can be read in one go (there may be more behind them); messages: the size of the next, or -1. */
  get readable(): number {
    return this.#receiver?.readable ?? (this.#options.kind === "stream" ? 0 : -1);
  }
  /** Stream: copies up to `max` bytes to `out[at..]`. 0: nothing is there; see `state` whether more will come. */
  read(out: Uint8Array, at: number, max: number): number {
    const buffer = this.#receiver?.buffer;
    let done = 0;
    while (buffer !== undefined && done < max) {
      const n = Math.min(this.peek(max - done), max - done);
      if (n === 0) break;
      copy(buffer.slab, buffer.from, buffer.from + n, out, at + done);
      this.skip(n);
      done += n;
    }
    return done;
  }
  /**
   * Stream, without a copy: bytes in one piece are `peeked[peekedFrom .. peekedFrom + peek())`, until anything else is
   * asked of the connection. It stops looking after `enough`.
   */
  peek(enough = Infinity): number {
    return this.#options.kind === "stream" ? (this.#receiver?.peek(enough) ?? 0) : 0;
  }
  get peeked(): Uint8Array {
    return this.#receiver?.buffer.slab ?? EMPTY;
  }
  get peekedFrom(): number {
    return this.#receiver?.buffer.from ?? 0;
  }
  /** Done with the first `count` bytes of what `peek` showed. */
  skip(count: number): void {
    if (this.#options.kind === "stream") this.#receiver?.skip(count);
  }
  /** The next message to `out[at..]`: its length; -1: none is there. What is beyond `max` is lost, as in libudt. */
  readMessage(out: Uint8Array, at: number, max: number): number {
    return this.#receiver?.readMessage(out, at, max) ?? -1;
  }

  /** Delivers what was sent (for `lingerMs` at most), then tells the peer. */
  close(now: number): void {
    if (this.#state === "connecting") this.#finish("closed", "closed here");
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#lingerUntil = now + (this.#options.lingerMs ?? DEFAULT_LINGER_MS) * MS;
  }
  /** Tells the peer at once, with no care for what was not delivered: `poll` until it is `done`. */
  abort(): void {
    if (this.#over) return;
    if (this.#peerId !== 0) this.#farewell.begin(true);
    this.#finish("closed", "closed here");
  }

  /** For `UdtAccept`: the answer to a client that asks (again), at `out[at..]`. */
  answer(now: number, out: Uint8Array, at: number): number {
    const ask = this.#options.role === "rendezvous" ? Ask.met : Ask.connect;
    const time = (now - this.#openedAt) >>> 0;
    return emitHandshake({ ...this.#mine, mss: this.#mss, ask }, time, this.#peerId, out, at);
  }

  get stats(): UdtStats {
    return statistics(
      this.#state,
      this.#options.congestion,
      this.#rtt,
      this.#silence.heardAt,
      this.#nonsense,
      this.#sender,
      this.#receiver,
    );
  }

  get #over(): boolean {
    return this.#state === "closed" || this.#state === "broken";
  }
  get #joined(): boolean {
    return this.#options.coalesce ?? true;
  }
  /** When it may be closed, since the peer's program has it all, µs. */
  get #settlesAt(): number {
    if (this.#state !== "closing" || this.unacknowledged > 0) return Infinity;
    return this.#sender?.settledAt ?? -Infinity;
  }

  #greeted(greeted: Greeted, now: number): void {
    switch (greeted.kind) {
      case "waiting":
        return;
      case "met":
        this.#silence.broken(now);
        return this.#open(greeted.peer, greeted.peer.initial, greeted.rtt);
      case "refused":
        return this.#finish("broken", "refused");
      case "silent":
        return this.#finish("broken", "no answer");
      case "nonsense":
        this.#nonsense += 1;
        return;
    }
  }

  /** `theirs`: the first number of what the peer sends. */
  #open(peer: Handshake, theirs: number, rtt: number): void {
    const { kind, initial, sendPackets, receivePackets, congestion, twice = false } = this.#options;
    this.#greeting = undefined;
    this.#state = "open";
    this.#peerId = peer.id;
    this.#mss = Math.min(this.#mss, peer.mss);
    this.#rtt.take(rtt);
    const payload = this.datagramSize - HEADER;
    const buffer = new SendBuffer(initial, payload, slots(sendPackets));
    this.#sender = new Sender(
      buffer,
      congestion,
      this.#rtt,
      peer.window,
      this.#mss,
      twice,
      this.#openedAt,
    );
    this.#receiver = new Receiver(kind, theirs, payload, slots(receivePackets), this.#rtt, twice);
  }

  #control(control: number, bytes: Uint8Array, from: number, to: number, now: number): void {
    const info = word(bytes, from + 4);
    const sender = this.#sender;
    if (sender === undefined) return;
    switch (control) {
      case Control.handshake: {
        const ask = parseHandshake(bytes, from, to)?.ask ?? 0;
        const rendezvous = this.#options.role === "rendezvous";
        this.#sayHello = rendezvous ? ask !== Ask.met : ask > 0;
        return;
      }
      case Control.ack: {
        const sane = readAcknowledgement(this.#ack, bytes, from, to);
        if (!sane || !sender.acknowledge(this.#ack, now)) this.#nonsense += 1;
        else if (this.#ack.kind !== "light") this.#ack2 = this.#ack.number & 0x7fff_ffff;
        return;
      }
      case Control.nak:
        if (!sender.report(bytes, from + HEADER, to, now)) this.#nonsense += 1;
        return;
      case Control.congestion:
        return sender.warned(now);
      case Control.shutdown:
        this.#farewell.begin(false);
        return this.#finish("closed", "closed by the peer");
      case Control.ack2:
        return this.#receiver?.acknowledged(info, now);
      case Control.drop:
        if (to - from < HEADER + 8) this.#nonsense += 1;
        else this.#receiver?.drop(word(bytes, from + HEADER), word(bytes, from + HEADER + 4), now);
        return;
      case Control.error:
        return this.#finish("broken", "peer had an error");
      case Control.keepalive:
        return;
      default:
        this.#nonsense += 1;
    }
  }

  /** What has to be done because of time: silence, and the end of lingering. */
  #watch(now: number): void {
    if (now >= this.#settlesAt || now >= this.#lingerUntil) return this.abort();
    const silence = this.#silence;
    if (now < silence.lookAt(this.#rtt.patience)) return;
    if (silence.isEnd) return this.#finish("broken", "peer is silent");
    if (this.unacknowledged > 0) this.#sender?.timeout(now, silence.count);
    else this.#sayAlive = true;
    silence.goesOn(now);
  }

  #leave(now: number, time: number, out: Uint8Array, at: number): number {
    const due = this.#farewell.take(now, this.#rtt.patience);
    return due ? this.#say(Control.shutdown, 0, time, out, at, 4) : 0;
  }

  #finish(state: "closed" | "broken", end: UdtEnd): void {
    this.#state = state;
    this.#end = end;
    this.#greeting = undefined;
  }

  #say(
    control: Control,
    info: number,
    time: number,
    out: Uint8Array,
    at: number,
    payload: number,
  ): number {
    putControl(out, at, control, info, time, this.#peerId);
    out.fill(0, at + HEADER, at + HEADER + payload); // libudt sends four bytes where there is nothing to say
    return HEADER + payload;
  }
}
