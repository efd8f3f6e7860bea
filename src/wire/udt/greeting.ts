import { Absence } from "./absence.ts";
import { Ask, emitHandshake, type Handshake, parseHandshake } from "./handshake.ts";
import { Control, LEAST_MSS, word } from "./packet.ts";

/** As libudt: asked again after this, given up after that; two that wait for each other are more patient. µs. */
const AGAIN = 250_000;
const PATIENCE = 3_000_000;
const RENDEZVOUS_PATIENCE = 30_000_000;
/** libudt's cookies go bad at the turn of a minute: after so many tries with one a new one is asked for. */
const COOKIE_TRIES = 4;

/** What has become of a greeting: who we talk to, or why not. */
export type Greeted =
  | { readonly kind: "waiting" }
  | { readonly kind: "met"; readonly peer: Handshake; readonly rtt: number }
  | { readonly kind: "refused" | "silent" | "nonsense" };

const WAITING = { kind: "waiting" } as const;

/** The handshake of a client, or of one of two that meet halfway. Times µs. */
export class Greeting {
  readonly #rendezvous: boolean;
  readonly #mine: Handshake;
  #end: number;
  readonly #absence = new Absence();
  #ask: number;
  #cookie = 0;
  #tries = 0;
  #due: number;
  #sentAt = 0;
  #heard: Handshake | undefined;

  /** `mine`: what is said of us; `ask` and `cookie` of it do not matter. */
  constructor(rendezvous: boolean, mine: Handshake, now: number) {
    this.#rendezvous = rendezvous;
    this.#mine = mine;
    this.#ask = rendezvous ? Ask.rendezvous : Ask.cookie;
    this.#end = now + (rendezvous ? RENDEZVOUS_PATIENCE : PATIENCE);
    this.#due = now;
  }

  /** What a packet of the other, `bytes[from..to)`, means while hands are shaken. */
  listen(bytes: Uint8Array, from: number, to: number, now: number): Greeted {
    const head = word(bytes, from);
    const control = head >>> 31 === 1 ? (head >>> 16) & 0x7fff : -1;
    if (control === Control.handshake) {
      const hello = parseHandshake(bytes, from, to);
      return hello === undefined ? WAITING : this.#hear(hello, now);
    }
    return control < 0 || control === Control.keepalive ? this.#overheard() : WAITING;
  }

  /** A handshake came. */
  #hear(peer: Handshake, now: number): Greeted {
    if (peer.ask === Ask.refused) return this.#rendezvous ? WAITING : { kind: "refused" };
    if (this.#rendezvous && peer.ask === Ask.cookie) return WAITING; // a client: not whom we wait for
    if (peer.id === 0 || peer.mss < LEAST_MSS || peer.window < 2 || peer.initial >>> 31 === 1) {
      return { kind: "nonsense" };
    }
    return this.#rendezvous ? this.#meet(peer, now) : this.#answered(peer, now);
  }

  /** Data or a keepalive came: the other has heard enough of us. */
  #overheard(): Greeted {
    return this.#rendezvous && this.#heard !== undefined
      ? { kind: "met", peer: this.#heard, rtt: 0 }
      : WAITING;
  }

  poll(now: number, time: number, out: Uint8Array, at: number): number {
    if (now < this.#due) return 0;
    this.#due = now + AGAIN;
    this.#sentAt = now;
    this.#tries += 1;
    if (this.#ask === Ask.connect && this.#tries > COOKIE_TRIES && !this.#rendezvous)
      this.#restart();
    const hello = { ...this.#mine, ask: this.#ask, cookie: this.#cookie };
    return emitHandshake(hello, time, this.#heard?.id ?? 0, out, at);
  }

  /** Waiting, or silent for too long. */
  check(now: number): Greeted {
    if (now < this.#end) return WAITING;
    if (!this.#absence.excuses(this.#end, now)) return { kind: "silent" };
    this.#end = now + AGAIN;
    return WAITING;
  }

  get wakeAt(): number {
    return Math.min(this.#due, this.#end);
  }

  #answered(peer: Handshake, now: number): Greeted {
    if (peer.ask === Ask.cookie) {
      if (this.#ask === Ask.connect && peer.cookie === this.#cookie) return WAITING;
      this.#cookie = peer.cookie;
      this.#say(Ask.connect, now);
      return WAITING;
    }
    if (peer.ask !== Ask.connect || this.#ask !== Ask.connect) return WAITING;
    // Both directions begin at the number of the client, and the server shows that it knows.
    if (peer.initial !== this.#mine.initial) return { kind: "nonsense" };
    return { kind: "met", peer, rtt: this.#tries === 1 ? now - this.#sentAt : 0 };
  }

  #meet(peer: Handshake, now: number): Greeted {
    this.#heard = peer;
    if (this.#ask === Ask.rendezvous || peer.ask === Ask.rendezvous) {
      this.#say(Ask.connect, now);
      return WAITING;
    }
    return { kind: "met", peer, rtt: 0 };
  }

  #say(ask: number, now: number): void {
    this.#ask = ask;
    this.#tries = 0;
    this.#due = now;
    this.#absence.end();
  }

  #restart(): void {
    this.#ask = Ask.cookie;
    this.#cookie = 0;
    this.#tries = 0;
  }
}
