import type { Closable } from "../../core/lease.ts";
import { BROKEN, type Reactor, READABLE } from "../../net/reactor.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import type { Allowed } from "../../wire/tunnel/allowed.ts";
import type { Device } from "./device.ts";
import type { Lane } from "./lane.ts";
import type { Link } from "./link.ts";
import type { Sink } from "./sink.ts";
import type { Squeezer } from "./squeezer.ts";
import type { Traffic } from "./traffic.ts";

/** What one device may send before the neighbours in the event loop get their turn: packets, and bytes. */
const MAX_PACKETS = 128;
const MAX_BYTES = 2 ** 21;
/** So long packets wait in the device for a handshake; then they are dropped, as an old one is of no use. */
const PATIENCE_MS = 1000;

/** What is asked of every packet. */
export interface Rules {
  readonly allowed: Allowed;
  /** TCP through the tunnel is told what fits. */
  readonly clamp: boolean;
  /** Where it is counted. */
  readonly traffic: Traffic;
  /** What goes to a tern is compressed by it. */
  readonly squeezer: Squeezer | undefined;
}

/** What a repaired path looks like. */
export interface Repairs {
  readonly rttMs: number;
  /** Bits per second that it is paced at. */
  readonly pace: number;
  /** Packets, since this conversation began. */
  readonly lost: number;
  readonly repeated: number;
  /** Packets that were made of others instead of being waited for. */
  readonly mended: number;
  /** Packets that would have waited for too long. */
  readonly dropped: number;
}

/** How packets of a device become datagrams of a link, and the other way. */
export interface Carriage extends Sink {
  /** Longest packet that the path takes; longer ones are told so by the kernel. */
  fit(mtu: number): void;
  /** Read one packet and ship it. False: there is none. */
  ship(link: Link, keypair: Keypair<Lane>): boolean;
  /** Read one packet and forget it. False: there is none. */
  drop(): boolean;
  /** Whom to speak to, for one that speaks by itself, too. */
  attach?(link: Link | undefined): void;
  /** There is a key again, or room in the socket. */
  resume?(): void;
  close?(): void;
  /** How its repairs go, when it does any. */
  repairs?(): Repairs;
}

/** A device whose packets are being read. Outlives a reload: `serve` says for whom. */
export class Port implements Closable {
  readonly device: Device;
  readonly carriage: Carriage;
  readonly rules: { current: Rules | undefined };
  readonly #reactor: Reactor;
  #link: Link | undefined;
  #tellGone: (() => void) | undefined;
  #gone = false;
  /** Not read, since there is no key or the socket is full. */
  #paused = false;
  #waitingSince = -1;
  #forgetTurn: (() => void) | undefined;

  constructor(
    device: Device,
    reactor: Reactor,
    make: (rules: { readonly current: Rules | undefined }) => Carriage,
  ) {
    this.device = device;
    this.#reactor = reactor;
    this.rules = { current: undefined };
    this.carriage = make(this.rules);
  }

  /** Has somebody deleted the device? Then this is of no use any more. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** From now on `link` carries its packets, by these rules. `gone`: somebody has deleted the device. */
  serve(link: Link, rules: Rules, gone: () => void): void {
    this.rules.current = rules;
    this.#tellGone = gone;
    if (this.#link === undefined) {
      this.#reactor.add(this.device.tun.fd, READABLE, this.#ready);
      this.#forgetTurn = this.#reactor.onTurn(this.#turn);
    } else if (this.#link !== link) this.#link.sink = undefined;
    this.#link = link;
    link.sink = this.carriage;
    this.carriage.attach?.(link);
    this.resume();
  }

  /** `link` is no longer to have them, unless another has taken over. */
  leave(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    link.sink = undefined;
    this.carriage.attach?.(undefined);
    this.#forgetTurn?.();
    this.#reactor.remove(this.device.tun.fd);
    this.#paused = false;
  }

  /** There is a key, or room in the socket. */
  readonly resume = (): void => {
    this.#waitingSince = -1;
    this.carriage.resume?.();
    if (!this.#paused || this.#link === undefined) return;
    this.#paused = false;
    this.#reactor.modify(this.device.tun.fd, READABLE);
  };

  async close(): Promise<void> {
    if (this.#link !== undefined) this.leave(this.#link);
    this.carriage.close?.();
    await this.device.close();
  }

  readonly #ready = (events: number): void => {
    const link = this.#link;
    if (link === undefined) return;
    // That is all one hears of a device that was deleted.
    if ((events & BROKEN) !== 0) return this.#lose();
    const { hub } = link;
    const { now } = this.#reactor;
    if (hub.blocked) return this.#pause(link);
    const keypair = link.sending(now);
    if (keypair === undefined) return this.#withoutKey(link, now);
    let shipped = 0;
    const enough = link.traffic.sentBytes + MAX_BYTES;
    while (shipped < MAX_PACKETS && link.traffic.sentBytes < enough) {
      if (hub.departures.full && !hub.send()) {
        this.#pause(link);
        break;
      }
      if (!this.carriage.ship(link, keypair)) break;
      shipped++;
    }
    // What a tern says besides keeps the path warm, so that nobody waits for an answer to data.
    if (shipped > 0) link.session.sent(keypair, link.wireguard, now);
    hub.send();
  };

  #lose(): void {
    this.#gone = true;
    this.#tellGone?.();
  }

  #pause({ hub }: Link): void {
    this.#stop();
    hub.whenFree(this.resume);
  }

  #stop(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#reactor.modify(this.device.tun.fd, 0);
  }

  /** A handshake is on its way, perhaps: packets wait for it where they are, but not for ever. */
  #withoutKey(link: Link, now: number): void {
    link.drive(now);
    if (this.#waitingSince < 0) this.#waitingSince = now;
    if (now - this.#waitingSince < PATIENCE_MS) return this.#stop();
    for (let i = 0; i < MAX_PACKETS && this.carriage.drop(); i++) link.traffic.unsent++;
  }

  readonly #turn = (now: number): void => {
    if (!this.#paused || this.#waitingSince < 0 || now - this.#waitingSince < PATIENCE_MS) return;
    // Nobody answered: from now on what comes is dropped at once, until there is a key.
    this.#paused = false;
    this.#reactor.modify(this.device.tun.fd, READABLE);
  };
}
