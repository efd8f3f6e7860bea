import { CookieJar } from "./cookie-jar.ts";
import { Deadlines, REKEY_TIMEOUT_MS } from "./deadlines.ts";
import { type Begun, type First, readFirst, readSecond, writeFirst, writeSecond } from "./ik.ts";
import type { Agreed, Keypair } from "./keypair.ts";
import { Keyring } from "./keyring.ts";
import { isLastMinute, isOld, mayReceive, maySend } from "./lifetime.ts";
import {
  emitInitiation,
  emitResponse,
  firstOf,
  receiverOf,
  secondOf,
  senderOf,
} from "./message.ts";
import { keysOf } from "./primitives.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { Identity, SessionOptions, Wish } from "./session-options.ts";
import { TheirInitiations } from "./their-initiations.ts";
import { RisingTimestamps, TIMESTAMP } from "./timestamp.ts";

// WireGuard, 6.1.
const REKEY_ATTEMPT_MS = 90_000;
const ATTEMPTS = REKEY_ATTEMPT_MS / REKEY_TIMEOUT_MS;

/**
 * Read an initiation. `find` gives the session with the peer of that key. Undefined: drop it. Ask a
 * Doorman first: this takes a quarter of a millisecond.
 */
export function readInitiation<K>(
  { primitives, protocol, keys }: Identity,
  bytes: Uint8Array,
  find: (publicKey: Uint8Array) => Session<K> | undefined,
): First<Session<K>> | undefined {
  return readFirst(primitives, protocol.identifier, keys, firstOf(bytes), find);
}

/**
 * Handshakes with one peer, the keys they give, and when there are to be new ones (WireGuard, 6).
 * Times are ms of any clock that does not go back. After each call, and at `wake`, ask `next` until it
 * wants nothing more.
 */
export class Session<K> {
  readonly staticStatic: Uint8Array;
  readonly #options: SessionOptions<K>;
  readonly #jar: CookieJar;
  readonly #deadlines: Deadlines;
  readonly #ring: Keyring<K>;
  #begun: (Begun & { readonly index: number; readonly at: number }) | undefined;
  readonly #initiations: TheirInitiations;
  readonly #outgoing: Uint8Array[] = [];
  #attempts = 0;
  /** Initiations since both had keys. */
  #unanswered = 0;
  /** When an initiation or a response went out. */
  #lastSent = -Infinity;
  readonly #times = new RisingTimestamps();
  /** The peer cannot use the new key before it has seen that we do. */
  #confirm = false;
  /** A new handshake was begun because the current key is about to end, and data still came. */
  #lastMinute = false;
  #handshakeAt: number | undefined;

  /** Throws a RangeError for a public key with which nothing would be secret. */
  constructor(options: SessionOptions<K>, now: number) {
    const { identity, peer, keepalive, dice } = options;
    const { primitives, protocol, keys } = identity;
    const staticStatic = primitives.agree(keys.privateKey, peer);
    if (staticStatic === undefined) throw new RangeError("a public key that keeps no secret");
    if (options.offer.length !== protocol.offer)
      throw new RangeError(`an offer has ${protocol.offer} bytes`);
    this.staticStatic = staticStatic;
    this.#options = options;
    this.#jar = new CookieJar(primitives, protocol, peer);
    this.#deadlines = new Deadlines(keepalive, dice);
    this.#initiations = new TheirInitiations(keys.publicKey, peer);
    this.#ring = new Keyring((keypair) => {
      options.indices.drop(keypair.localIndex);
      options.close(keypair.keys);
    });
    // With signs of life there is a handshake at once.
    if (keepalive > 0) this.begin(now);
  }

  /** When both had new keys for the last time, in ms. */
  get handshakeAt(): number | undefined {
    return this.#handshakeAt;
  }

  /** When `next` is to be asked even if nothing happens; Infinity for never. */
  get wake(): number {
    return this.#outgoing.length > 0 || this.#confirm ? -Infinity : this.#deadlines.earliest;
  }

  /** What is to be sent now. */
  next(now: number): Wish<K> | undefined {
    const due = this.#deadlines;
    if (now >= due.wipe) this.#wipe();
    if (now >= due.retransmit) {
      if (++this.#attempts > ATTEMPTS) {
        due.retransmit = due.passive = Infinity;
        if (due.wipe === Infinity) due.derived(now);
        return { kind: "unreachable" };
      }
      this.#initiate(now);
    }
    if (now >= due.silence) {
      due.silence = Infinity;
      this.begin(now);
    }
    const bytes = this.#outgoing.shift();
    if (bytes !== undefined) return { kind: "handshake", bytes };

    const wanted = this.#confirm || now >= due.passive || now >= due.persistent;
    if (!wanted) return undefined;
    this.#confirm = false;
    due.overdue(now);
    const keypair = this.sending(now);
    if (keypair !== undefined) return { kind: "keepalive", keypair };
    const begun = this.#outgoing.shift(); // there was no key for it
    return begun && { kind: "handshake", bytes: begun };
  }

  /** The key to send with. Undefined while there is none: then a handshake is on its way. */
  sending(now: number): Keypair<K> | undefined {
    const key = this.#ring.current;
    if (key !== undefined && maySend(key, now)) return key;
    this.begin(now);
    return undefined;
  }

  /** A datagram (or many) went out, sealed with `keypair`. Data is what is not empty. */
  sent(keypair: Keypair<K>, isData: boolean, now: number): void {
    this.#confirm = false;
    this.#deadlines.sent(isData, now);
    if (isOld(keypair, now)) this.begin(now);
  }

  /** May what was sealed with it still be taken? */
  isReceiving(keypair: Keypair<K>, now: number): boolean {
    return mayReceive(keypair, now);
  }

  /**
   * A datagram (or many) came, authentic and never seen before. True: from now on there is a key to
   * send with that was not there before.
   */
  received(keypair: Keypair<K>, isData: boolean, now: number): boolean {
    this.#deadlines.received(isData, now);
    if (this.#ring.prove(keypair)) {
      this.#complete(now);
      return true;
    }
    if (!this.#lastMinute && isLastMinute(keypair, now)) {
      this.#lastMinute = true;
      this.begin(now);
    }
    return false;
  }

  /** Begin a handshake, unless one went out just now: then in a while. */
  begin(now: number): void {
    this.#attempts = 0;
    const due = this.#deadlines;
    const pause = this.#pause();
    if (now - this.#lastSent >= pause) this.#initiate(now);
    else if (due.retransmit === Infinity) due.retransmit = this.#lastSent + pause;
  }

  /** Answer an initiation that was read. False: it is an old one, they come too often, or ours comes first. */
  answer(bytes: Uint8Array, first: First<Session<K>>, now: number): boolean {
    const timestamp = first.payload.slice(0, TIMESTAMP);
    if (!this.#initiations.isWelcome(timestamp, this.#begun?.at, now)) return false;
    const { identity, psk, offer, indices, dice } = this.#options;
    const { primitives } = identity;
    const ephemeral = keysOf(primitives, dice(32));
    const second = writeSecond(primitives, first, ephemeral, psk, offer);
    if (second === undefined) return false;
    this.#initiations.answered(timestamp, now);
    const localIndex = indices.take(this);
    const remoteIndex = senderOf(bytes);
    this.#send(emitResponse(localIndex, remoteIndex, second), now);

    const [receive, send] = first.transcript.split();
    const theirs = first.payload.slice(TIMESTAMP);
    const agreed = { send, receive, isInitiator: false, offer: theirs };
    this.#ring.offer(this.#keypair(agreed, localIndex, remoteIndex, now));
    this.#deadlines.received(false, now);
    this.#deadlines.sent(false, now);
    return true;
  }

  /** A response to us. True: there is a new key to send with. False: drop it. */
  takeResponse(bytes: Uint8Array, now: number): boolean {
    const begun = this.#begun;
    if (begun === undefined || receiverOf(bytes) !== begun.index) return false;
    const { identity, psk } = this.#options;
    const { primitives, keys } = identity;
    const done = readSecond(primitives, keys, begun, psk, secondOf(bytes));
    if (done === undefined) return false;
    this.#begun = undefined;

    const [send, receive] = done.transcript.split();
    const agreed = { send, receive, isInitiator: true, offer: done.payload };
    this.#ring.use(this.#keypair(agreed, begun.index, senderOf(bytes), now));
    this.#deadlines.received(false, now);
    this.#complete(now);
    this.#confirm = true;
    return true;
  }

  /** A cookie for us: the next handshake will have it. False: drop it. */
  takeCookie(bytes: Uint8Array, now: number): boolean {
    return this.#jar.take(bytes, now);
  }

  /** Forget all keys, and want nothing any more. */
  close(): void {
    this.#wipe();
    this.#deadlines.clear();
    this.#outgoing.length = 0;
  }

  #initiate(now: number): void {
    const { identity, peer, offer, indices, dice } = this.#options;
    const { primitives, protocol, keys } = identity;
    const begun = writeFirst(
      primitives,
      protocol.identifier,
      keys,
      { publicKey: peer, staticStatic: this.staticStatic },
      keysOf(primitives, dice(32)),
      this.#payload(offer),
    );
    if (begun === undefined) return; // a key of small order: the constructor saw that it is not
    if (this.#begun !== undefined) indices.drop(this.#begun.index);
    const index = indices.take(this);
    this.#begun = { transcript: begun.transcript, ephemeral: begun.ephemeral, index, at: now };
    this.#send(emitInitiation(index, begun.message), now);
    this.#unanswered++;
    this.#deadlines.initiated(now, this.#pause());
  }

  /** Time between the latest initiation and the next, ms. */
  #pause(): number {
    const { retry } = this.#options.identity.protocol;
    return Math.min(REKEY_TIMEOUT_MS, retry * 2 ** Math.max(0, this.#unanswered - 1));
  }

  /** What an initiation says: the time, and our offer. */
  #payload(offer: Uint8Array): Uint8Array {
    const payload = new Uint8Array(TIMESTAMP + offer.length);
    payload.set(this.#times.take(this.#options.wall()));
    payload.set(offer, TIMESTAMP);
    return payload;
  }

  #send(message: Uint8Array, now: number): void {
    this.#jar.sign(message, now);
    this.#outgoing.push(message);
    this.#lastSent = now;
  }

  #keypair(agreed: Agreed, localIndex: number, remoteIndex: number, now: number): Keypair<K> {
    const { open, indices } = this.#options;
    const keypair: Keypair<K> = {
      localIndex,
      remoteIndex,
      isInitiator: agreed.isInitiator,
      born: now,
      keys: open(agreed),
      counter: 0,
      window: new ReplayWindow(),
    };
    agreed.send.fill(0);
    agreed.receive.fill(0);
    indices.assign(this, keypair);
    this.#deadlines.derived(now);
    return keypair;
  }

  #complete(now: number): void {
    this.#deadlines.completed();
    this.#attempts = 0;
    this.#unanswered = 0;
    this.#lastMinute = false;
    this.#initiations.completed();
    this.#handshakeAt = now;
  }

  #wipe(): void {
    this.#ring.wipe();
    if (this.#begun !== undefined) this.#options.indices.drop(this.#begun.index);
    this.#begun = undefined;
    this.#confirm = false;
    this.#deadlines.wipe = Infinity;
  }
}
