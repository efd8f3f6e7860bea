import { noisePrimitives as primitives } from "../../../src/net/aead/noise-primitives.ts";
import { Doorman } from "../../../src/wire/noise/doorman.ts";
import { IndexTable } from "../../../src/wire/noise/index-table.ts";
import { kindOf, receiverOf } from "../../../src/wire/noise/message.ts";
import { keysOf } from "../../../src/wire/noise/primitives.ts";
import { type Protocol, WIREGUARD } from "../../../src/wire/noise/protocol.ts";
import { readInitiation, Session } from "../../../src/wire/noise/session.ts";

/** Keys as text, so that a test sees whether both ends have the same. */
export interface Shown {
  readonly send: string;
  readonly receive: string;
  readonly offer: string;
}

/** Handshakes as bytes; data as what it is, for its sealing is not what is tested here. */
type Datagram =
  | { readonly bytes: Uint8Array }
  | {
      readonly receiver: number;
      readonly counter: number;
      readonly key: string;
      readonly text: string;
    };

export interface Setting {
  readonly protocol?: Protocol;
  readonly keepalive?: number;
  readonly psk?: readonly [number, number];
}

/** Random bytes that are the same in each run. */
export function dice(seed: number): (bytes: number) => Uint8Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state & 255;
    });
}

/** One end of a tunnel, as its owner would drive it. */
export class End {
  readonly session: Session<Shown>;
  readonly indices: IndexTable<Shown, Session<Shown>>;
  readonly identity: {
    primitives: typeof primitives;
    protocol: Protocol;
    keys: ReturnType<typeof keysOf>;
  };
  readonly doorman: Doorman;
  /** What came out of the tunnel. */
  readonly got: string[] = [];
  readonly offers: string[] = [];
  /** Keys that are open. */
  open = 0;
  unreachable = 0;
  /** What the doorman and the reader threw away. */
  dropped = 0;
  readonly #waiting: string[] = [];

  constructor(name: number, peer: number, now: number, wall: () => number, setting: Setting) {
    const { protocol = WIREGUARD, keepalive = 0, psk = [0, 0] } = setting;
    const random = dice(name);
    this.identity = { primitives, protocol, keys: keysOf(primitives, privateKey(name)) };
    this.indices = new IndexTable(random);
    this.doorman = new Doorman(primitives, protocol, this.identity.keys.publicKey, random);
    this.session = new Session<Shown>(
      {
        identity: this.identity,
        peer: primitives.publicKey(privateKey(peer)),
        psk: new Uint8Array(32).fill(psk[name] ?? 0),
        offer: new Uint8Array(protocol.offer).fill(name),
        keepalive,
        indices: this.indices,
        dice: random,
        wall,
        open: ({ send, receive, offer }) => {
          this.open++;
          this.offers.push(hex(offer));
          return { send: hex(send), receive: hex(receive), offer: hex(offer) };
        },
        close: () => this.open--,
      },
      now,
    );
  }

  send(text: string, now: number): void {
    this.#waiting.push(text);
    this.#flush(now);
  }

  /** Everything that wants to go out now. */
  *outgoing(now: number): Generator<Datagram> {
    for (;;) {
      yield* this.#out.splice(0);
      const wish = this.session.next(now);
      if (wish === undefined) break;
      if (wish.kind === "handshake") yield { bytes: wish.bytes };
      else if (wish.kind === "unreachable") {
        this.unreachable++;
        this.#waiting.length = 0;
      } else this.#seal("", now);
    }
  }

  take(datagram: Datagram, now: number): void {
    if (!("bytes" in datagram)) {
      const receiver = this.indices.find(datagram.receiver);
      const keypair = receiver?.keypair;
      if (keypair === undefined || keypair.keys.receive !== datagram.key) return;
      if (!this.session.isReceiving(keypair, now) || !keypair.window.accept(datagram.counter))
        return;
      if (datagram.text !== "") this.got.push(datagram.text);
      if (this.session.received(keypair, datagram.text !== "", now)) this.#flush(now);
      return;
    }
    if (!this.takeHandshake(datagram.bytes, now)) this.dropped++;
  }

  takeHandshake(bytes: Uint8Array, now: number): boolean {
    const kind = kindOf(bytes, this.identity.protocol);
    if (kind === undefined || kind === "data") return false;
    if (kind !== "cookie" && !this.doorman.knowsUs(bytes)) return false;
    if (kind === "initiation") {
      const first = readInitiation(this.identity, bytes, (publicKey) =>
        hex(publicKey) === hex(this.peerKey) ? this.session : undefined,
      );
      return first !== undefined && this.session.answer(bytes, first, now);
    }
    const session = this.indices.find(receiverOf(bytes))?.session;
    if (kind === "cookie") return session?.takeCookie(bytes, now) ?? false;
    if (session?.takeResponse(bytes, now) !== true) return false;
    this.#flush(now);
    return true;
  }

  peerKey: Uint8Array = new Uint8Array();
  readonly #out: Datagram[] = [];

  #flush(now: number): void {
    while (this.#waiting.length > 0 && this.session.sending(now) !== undefined)
      this.#seal(this.#waiting.shift() ?? "", now);
  }

  #seal(text: string, now: number): void {
    const keypair = this.session.sending(now);
    if (keypair === undefined) return;
    const { remoteIndex: receiver, keys } = keypair;
    this.#out.push({ receiver, counter: keypair.counter++, key: keys.send, text });
    this.session.sent(keypair, text !== "", now);
  }
}

/** Two ends, `delay` ms apart, in a time of their own. */
export class TwoEnds {
  now = 1000;
  readonly a: End;
  readonly b: End;
  /** Does the i-th datagram get through? */
  passes: (i: number, datagram: Datagram) => boolean = () => true;
  /** Every datagram, with when it went: `a 6000 initiation`. */
  readonly log: string[] = [];
  readonly #way: { readonly at: number; readonly to: End; readonly datagram: Datagram }[] = [];
  #count = 0;

  constructor(
    a: Setting = {},
    b: Setting = a,
    readonly delay = 10,
  ) {
    const wall = (): number => 1_700_000_000_000 + this.now;
    this.a = new End(0, 1, this.now, wall, a);
    this.b = new End(1, 0, this.now, wall, b);
    this.a.peerKey = this.b.identity.keys.publicKey;
    this.b.peerKey = this.a.identity.keys.publicKey;
  }

  /** Let everything happen up to then. */
  until(end: number): void {
    for (;;) {
      this.#send();
      const wakes = [this.a.session.wake, this.b.session.wake, ...this.#way.map(({ at }) => at)];
      const next = Math.max(this.now, Math.min(...wakes));
      if (next > end) break;
      this.now = next;
      for (const [i, { at, to, datagram }] of [...this.#way.entries()].toReversed())
        if (at <= this.now) {
          this.#way.splice(i, 1);
          to.take(datagram, this.now);
        }
    }
    this.now = end;
  }

  #send(): void {
    for (const [from, to, name] of [
      [this.a, this.b, "a"],
      [this.b, this.a, "b"],
    ] as const)
      for (const datagram of from.outgoing(this.now)) {
        this.log.push(`${name} ${this.now} ${nameOf(datagram)}`);
        if (this.passes(this.#count++, datagram))
          this.#way.push({ at: this.now + this.delay, to, datagram });
      }
  }
}

/** Is there nothing that somebody's datagram could have left behind? */
export function isUntouched(end: End): boolean {
  return end.indices.size === 0 && end.open === 0 && end.session.wake === Infinity;
}

function nameOf(datagram: Datagram): string {
  if (!("bytes" in datagram)) return datagram.text === "" ? "keepalive" : datagram.text;
  return ["", "initiation", "response", "cookie"][datagram.bytes[0] ?? 0] ?? "?";
}

function privateKey(name: number): Uint8Array {
  return new Uint8Array(32).fill(name + 1);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
