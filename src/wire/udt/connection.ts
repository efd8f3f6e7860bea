import { copy } from "./copy.ts";
import { Farewell } from "./farewell.ts";
import { type Greeted, Greeting } from "./greeting.ts";
import type { Handshake } from "./handshake.ts";
import { ownHandshake, slots } from "./own-handshake.ts";
import { Control, HEADER, IP_UDP, socketId, word } from "./packet.ts";
import { Rtt } from "./rtt.ts";
import type { MessageOptions, UdtEnd, UdtOptions, UdtState, UdtStats } from "./settings.ts";
import { statistics } from "./statistics.ts";
import { Talk } from "./talk.ts";

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
  readonly #openedAt: number;
  #state: UdtState = "connecting";
  #end: UdtEnd = "";
  #greeting: Greeting | undefined;
  #talk: Talk | undefined;
  #lingerUntil = Infinity;
  readonly #farewell = new Farewell();
  #nonsense = 0;

  constructor(options: UdtOptions) {
    const { role, hello, now } = options;
    this.#options = options;
    this.id = options.id;
    this.peerAddress = options.peerAddress;
    this.#openedAt = now;
    this.#mine = ownHandshake(options);
    if (hello === undefined) this.#greeting = new Greeting(role === "rendezvous", this.#mine, now);
    else this.#open(hello, options.initial, now).sender.hold(now + FIRST_DATA);
  }

  get state(): UdtState {
    return this.#state;
  }
  get end(): UdtEnd {
    return this.#end;
  }
  /** Hands were shaken, whatever came of it. */
  get met(): boolean {
    return this.#talk !== undefined;
  }
  /** It has ended, and has nothing more to say: it can be forgotten. */
  get done(): boolean {
    return this.#over && this.#farewell.wakeAt === Infinity;
  }
  /** The socket of the peer; 0: unknown. */
  get peerId(): number {
    return this.#talk?.peerId ?? 0;
  }
  /** Most bytes a datagram has: what `out` of `poll` must have room for. */
  get datagramSize(): number {
    return this.#talk?.datagramSize ?? this.#mine.mss - IP_UDP;
  }

  /** A datagram of the peer: `bytes[from..to)`. Nothing is kept of `bytes`. Never throws. */
  receive(bytes: Uint8Array, from: number, to: number, now: number): void {
    const socket = socketId(bytes, from, to);
    if (socket !== this.id && (socket !== 0 || this.#options.role !== "rendezvous")) {
      this.#nonsense += 1;
      return;
    }
    if (this.#over) {
      if (word(bytes, from) >>> 16 === SHUTDOWN) this.#farewell.end();
      return;
    }
    if (this.#greeting !== undefined) {
      this.#greeted(this.#greeting.listen(bytes, from, to, now), now);
      if (this.#greeting !== undefined) return;
    }
    const end = this.#talk?.hear(bytes, from, to, now) ?? "";
    if (end !== "") this.#left(end);
  }

  /** Writes the next datagram that is due at `out[at..]`, and says its length; 0: none is due. */
  poll(now: number, out: Uint8Array, at: number): number {
    const time = (now - this.#openedAt) >>> 0;
    if (this.#greeting !== undefined) {
      this.#greeted(this.#greeting.check(now), now);
      return this.#greeting?.poll(now, time, out, at) ?? 0;
    }
    const talk = this.#talk;
    if (talk === undefined) return 0;
    if (!this.#over) this.#watch(talk, now);
    if (!this.#over) return talk.poll(now, time, out, at);
    const due = this.#farewell.take(now, this.#rtt.patience);
    return due ? talk.say(Control.shutdown, 0, time, out, at) : 0;
  }

  /** When to poll next, even if nothing else happens; Infinity: never. It may be in the past. */
  wakeAt(): number {
    if (this.#over) return this.#farewell.wakeAt;
    if (this.#greeting !== undefined) return this.#greeting.wakeAt;
    return Math.min(this.#talk?.wakeAt ?? Infinity, this.#settlesAt, this.#lingerUntil);
  }

  /** Bytes `send` would take; of messages, the largest that there is room for. */
  get writable(): number {
    if (this.#state !== "open") return 0;
    return this.#talk?.sender.buffer.writable(this.#joined) ?? 0;
  }
  /** Stream: takes what there is room for of `bytes[from..to)`, and says how many bytes that is. */
  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.#state !== "open" || this.#options.kind !== "stream") return 0;
    return this.#talk?.sender.buffer.fill(bytes, from, to, this.#joined) ?? 0;
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
    this.#talk?.sender.buffer.message(bytes, options.inOrder === true, expires);
    return true;
  }
  get largestMessage(): number {
    return slots(this.#options.sendPackets) * (this.datagramSize - HEADER);
  }
  /** Packets sent or to be sent, and not acknowledged yet: 0 when the peer has it all. */
  get unacknowledged(): number {
    return this.#talk?.sender.buffer.size ?? 0;
  }

  /** How long what was never sent yet takes to leave at the pace of now, µs. */
  get backlog(): number {
    return (this.#talk?.sender.buffer.unsent ?? 0) * this.#options.congestion.period;
  }
  /** The least round trip of late, µs. */
  get leastRtt(): number {
    return this.#rtt.least;
  }

  /** Bytes that can be read in one go (there may be more behind them); messages: the size of the next, or -1. */
  get readable(): number {
    return this.#talk?.receiver.readable ?? (this.#options.kind === "stream" ? 0 : -1);
  }
  /** Stream: copies up to `max` bytes to `out[at..]`. 0: nothing is there; see `state` whether more will come. */
  read(out: Uint8Array, at: number, max: number): number {
    const buffer = this.#talk?.receiver.buffer;
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
    return this.#options.kind === "stream" ? (this.#talk?.receiver.peek(enough) ?? 0) : 0;
  }
  get peeked(): Uint8Array {
    return this.#talk?.receiver.buffer.slab ?? EMPTY;
  }
  get peekedFrom(): number {
    return this.#talk?.receiver.buffer.from ?? 0;
  }
  /** Done with the first `count` bytes of what `peek` showed. */
  skip(count: number): void {
    if (this.#options.kind === "stream") this.#talk?.receiver.skip(count);
  }
  /** The next message to `out[at..]`: its length; -1: none is there. What is beyond `max` is lost, as in libudt. */
  readMessage(out: Uint8Array, at: number, max: number): number {
    return this.#talk?.receiver.readMessage(out, at, max) ?? -1;
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
    if (this.#talk !== undefined) this.#farewell.begin(true);
    this.#finish("closed", "closed here");
  }

  /** For `UdtAccept`: the answer to a client that asks (again), at `out[at..]`. */
  answer(now: number, out: Uint8Array, at: number): number {
    return this.#talk?.greet((now - this.#openedAt) >>> 0, out, at) ?? 0;
  }

  get stats(): UdtStats {
    return statistics(
      this.#state,
      this.#options.congestion,
      this.#rtt,
      this.#talk?.silence.heardAt ?? this.#openedAt,
      this.#nonsense + (this.#talk?.nonsense ?? 0),
      this.#talk?.sender,
      this.#talk?.receiver,
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
    return this.#talk?.sender.settledAt ?? -Infinity;
  }

  #greeted(greeted: Greeted, now: number): void {
    switch (greeted.kind) {
      case "waiting":
        return;
      case "met":
        this.#rtt.take(greeted.rtt);
        this.#open(greeted.peer, greeted.peer.initial, now);
        return;
      case "refused":
        return this.#finish("broken", "refused");
      case "silent":
        return this.#finish("broken", "no answer");
      case "nonsense":
        this.#nonsense += 1;
        return;
    }
  }

  /** Hands are shaken. `theirs`: the first number of what the peer sends. */
  #open(peer: Handshake, theirs: number, now: number): Talk {
    this.#greeting = undefined;
    this.#state = "open";
    const opened = this.#openedAt;
    return (this.#talk = new Talk(this.#options, this.#mine, peer, theirs, this.#rtt, opened, now));
  }

  /** What has to be done because of time: silence, and the end of lingering. */
  #watch(talk: Talk, now: number): void {
    if (now >= this.#settlesAt || now >= this.#lingerUntil) this.abort();
    else if (talk.isDeserted(now)) this.#finish("broken", "peer is silent");
  }

  /** The peer said that it is the end. */
  #left(end: UdtEnd): void {
    if (end === "closed by the peer") {
      this.#farewell.begin(false);
      this.#finish("closed", end);
    } else this.#finish("broken", end);
  }

  #finish(state: "closed" | "broken", end: UdtEnd): void {
    this.#state = state;
    this.#end = end;
    this.#greeting = undefined;
  }
}
