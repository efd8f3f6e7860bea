import type { Closable } from "../../core/lease.ts";
import type { AeadName } from "../../net/aead/aead.ts";
import type { Log } from "../../observe/log.ts";
import type { Route } from "../../sys/datagram-route.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { Session } from "../../wire/noise/session.ts";
import { Path, type PathRules } from "../../wire/tunnel/path.ts";
import { AT, KIND, TRAILER } from "../../wire/tunnel/plaintext.ts";
import { PROBE } from "../../wire/tunnel/probe.ts";
import type { Hub } from "./hub.ts";
import type { Keys } from "./identity.ts";
import type { Keeper } from "./keeper.ts";
import { closeLane, emitOffer, type Lane, makeLane } from "./lane.ts";
import { Questions } from "./questions.ts";
import type { Resident } from "./reception.ts";
import type { Sink } from "./sink.ts";
import { Traffic } from "./traffic.ts";
import { Trial } from "./trial.ts";

/** In front of what is sealed: type, receiver's index, counter; as WireGuard has it, but for ours its highest byte is first. */
export const HEADER = 16;
const TAG = 16;
/** Bytes around a plaintext. */
export const AROUND: number = HEADER + TAG;
/** First word of a datagram of data: WireGuard's; and ours, a "T" and the version. */
export const WIREGUARD_DATA = 4;
export const TERN_DATA = 0x54 | (2 << 8);
/** While nobody answers, handshakes are begun anew so often. */
const AGAIN_MS = 5000;
/** Whoever came to us and has been silent for so long is not called any more: somebody else may be there. */
const FORGET_MS = 90_000;

export interface LinkParts {
  readonly name: string;
  readonly hub: Hub;
  readonly keys: Keys;
  readonly wireguard: boolean;
  readonly keepalive: number;
  readonly probe: PathRules;
  /** Is it known where the peer is, whether it speaks or not? */
  readonly reaches: boolean;
  readonly log: Log;
}

/** The conversation with one peer: handshakes, seals, where it is, how it is. Outlives a reload. */
export class Link implements Closable {
  readonly name: string;
  readonly wireguard: boolean;
  readonly hub: Hub;
  readonly traffic = new Traffic();
  readonly session: Session<Lane>;
  /** Its public key. */
  readonly peerKey: Uint8Array;
  readonly path: Path;
  /** Where the peer is; undefined until it is known. */
  route: Route | undefined;
  /** Where what it says goes; nowhere while undefined. */
  sink: Sink | undefined;
  keeper: Keeper | undefined;
  /** Whose peer gets what comes from ours and is for nobody here: sealed between the two of them. */
  relay: Link | undefined;
  /** What the latest handshake chose. */
  cipher: AeadName | undefined;
  readonly #log: Log;
  readonly #reaches: boolean;
  readonly #type: number;
  readonly #resident: Resident;
  /** How much goes through, when somebody wants to know. */
  readonly trial: Trial;
  readonly #questions: Questions;
  #alive = false;
  #held = false;
  #againAt = 0;

  constructor(parts: LinkParts) {
    const { name, hub, keys, wireguard, keepalive, probe, reaches, log } = parts;
    this.#reaches = reaches;
    this.name = name;
    this.hub = hub;
    this.wireguard = wireguard;
    this.#log = log;
    this.#type = wireguard ? WIREGUARD_DATA : TERN_DATA;
    this.path = new Path(probe);
    this.#questions = new Questions(this);
    this.trial = new Trial(this);
    this.peerKey = keys.peerKey;
    this.#resident = hub.reception.resident(keys.privateKey, wireguard);
    const { identity } = this.#resident;
    const offer = wireguard
      ? new Uint8Array()
      : emitOffer(identity.protocol.offer, hub.preferredCipher);
    this.session = new Session<Lane>(
      {
        identity,
        peer: keys.peerKey,
        psk: keys.presharedKey,
        offer,
        keepalive,
        indices: hub.indices,
        dice: hub.dice,
        wall: hub.wall,
        open: (agreed) => {
          const lane = makeLane(this, agreed, wireguard ? undefined : offer, identity.primitives);
          this.cipher = lane.cipher;
          return lane;
        },
        close: closeLane,
      },
      hub.now,
    );
    hub.reception.add(this, this.#resident);
  }

  get alive(): boolean {
    return this.#alive;
  }
  /** Does an operator not want it to be heard? */
  get held(): boolean {
    return this.#held;
  }

  /** Say nothing, answer nobody, forget all keys; until `resume`. */
  hold(): void {
    this.#held = true;
    this.trial.abort();
    this.session.close();
    if (this.#alive) this.#turn(false);
  }
  resume(): void {
    this.#held = false;
    this.#againAt = 0;
  }

  /** The key to send with now. Undefined: there is none, and a handshake is on its way. */
  sending(now: number): Keypair<Lane> | undefined {
    return this.route === undefined ? undefined : this.session.sending(now);
  }

  /**
   * `length` bytes of plaintext are in the hub's memory, HEADER behind the place of its next datagram:
   * seal them and send them with all others.
   */
  ship(keypair: Keypair<Lane>, length: number): void {
    const { departures } = this.hub;
    const { route, traffic } = this;
    if (route === undefined) return;
    const { block, next } = departures;
    const { view } = block;
    const { counter } = keypair;
    view.setUint32(next, this.#type, true);
    view.setUint32(next + 4, keypair.remoteIndex, true);
    const high = Math.floor(counter / 2 ** 32);
    view.setUint32(next + 8, this.wireguard ? counter >>> 0 : high, this.wireguard);
    view.setUint32(next + 12, this.wireguard ? high : counter >>> 0, this.wireguard);
    keypair.counter = counter + 1;
    keypair.keys.sealer.seal(counter, block, next + HEADER, length);
    departures.add(route, length + AROUND);
    traffic.sent++;
    traffic.sentBytes += length + AROUND;
  }

  /** As `ship`, for a message of the tunnel itself: its `length` bytes are there. The hub is not full. */
  shipControl(keypair: Keypair<Lane>, length: number, now: number): void {
    const { block, next } = this.hub.departures;
    const trailer = next + HEADER + length;
    block.bytes.fill(0, trailer, trailer + TRAILER);
    block.bytes[trailer + AT.kind] = KIND.control;
    this.ship(keypair, length + TRAILER);
    this.session.sent(keypair, false, now);
  }

  /** Say something without content. */
  shipNothing(keypair: Keypair<Lane>, now: number): void {
    if (this.hub.departures.full) return;
    this.ship(keypair, 0);
    this.session.sent(keypair, false, now);
  }

  /** An opened datagram of the train that the hub is at; `length` bytes of plaintext at the sink's `next`. */
  opened(length: number): void {
    const { sink, traffic } = this;
    if (length === 0 || sink === undefined) return;
    switch (sink.take(length)) {
      case "packet":
        return;
      case "malformed":
        traffic.malformed++;
        return;
      case "control":
        if (
          !this.#questions.take(sink, length - TRAILER) &&
          !this.trial.take(sink, length - TRAILER)
        )
          traffic.malformed++;
    }
  }

  /** Pass on a datagram from where the peer is. As long as it was, and nobody here can open it. */
  passOn(bytes: Uint8Array): void {
    const { relay, traffic } = this;
    if (relay?.route === undefined || !relay.alive) traffic.unsent++;
    else if (relay.hub.post(relay.route, bytes)) traffic.relayed++;
    else traffic.unsent++;
  }

  /** Something authentic was heard. */
  heard(now: number): void {
    this.path.heard(now);
    if (!this.#alive) this.#turn(true);
  }

  /** Handshakes, probes and whatever else time brings. */
  tick(now: number): void {
    if (this.#held) return;
    this.drive(now);
    if (this.wireguard) return;
    this.trial.tick(now);
    const { path } = this;
    if (this.#alive && !path.alive(now)) {
      this.#turn(false);
      this.#againAt = now;
    }
    if (this.route === undefined) return;
    if (!this.#reaches && now - path.lastHeard > FORGET_MS) {
      this.route = undefined;
      return;
    }
    if (!this.#alive && now >= this.#againAt) {
      this.#againAt = now + AGAIN_MS;
      this.session.begin(now);
      this.drive(now);
    }
    if (this.session.handshakeAt === undefined || !path.due(now)) return;
    this.#questions.ask(now, PROBE);
    const longer = this.keeper?.wonders() ?? 0;
    if (longer > PROBE) this.#questions.ask(now, longer);
  }

  /** Send what the session wants sent. */
  drive(now: number): void {
    for (let wish = this.session.next(now); wish !== undefined; wish = this.session.next(now))
      switch (wish.kind) {
        case "handshake":
          if (this.route !== undefined) this.hub.post(this.route, wish.bytes);
          break;
        case "keepalive":
          if (this.route !== undefined) this.shipNothing(wish.keypair, now);
          break;
        case "unreachable":
          this.#log.debug("no answer to any handshake", { tunnel: this.name });
          if (this.#alive) this.#turn(false);
          break;
      }
  }

  /** A handshake is done, with the peer at `route`. */
  agreed(route: Route, now: number): void {
    this.moved(route);
    this.drive(now);
    this.heard(now);
    this.keeper?.ready();
    this.#log.debug("handshake", { tunnel: this.name });
  }

  /** The peer was heard at `route`, by something authentic. */
  moved(route: Route): void {
    const { route: before } = this;
    if (before !== undefined && same(before.name, route.name)) {
      // A way that leaves it to the kernel where it begins is the better one: it may begin elsewhere.
      if (before.control.length === 0 || same(before.control, route.control)) return;
    } else if (before !== undefined) this.traffic.roamed++;
    this.route = route;
  }

  async close(): Promise<void> {
    this.session.close();
    this.hub.reception.remove(this, this.#resident);
  }

  #turn(alive: boolean): void {
    this.#alive = alive;
    this.keeper?.turned(alive);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
