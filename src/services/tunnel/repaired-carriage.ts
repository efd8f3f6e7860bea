import { type Reactor, READABLE } from "../../net/reactor.ts";
import { random31 } from "../../net/udt/chance.ts";
import { microseconds } from "../../net/udt/endpoint.ts";
import { block } from "../../sys/memory.ts";
import { TimerFd } from "../../sys/timer-fd.ts";
import { MAX_PACKET, type Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { Cutter } from "../../wire/tunnel/cut.ts";
import { flowOf } from "../../wire/tunnel/flow.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../wire/tunnel/join.ts";
import { AT, KIND, TRAILER } from "../../wire/tunnel/plaintext.ts";
import { Repair, REPAIR_AROUND } from "../../wire/tunnel/repair.ts";
import { VNET_HEADER } from "../../wire/tunnel/vnet.ts";
import { Bbr } from "../../wire/udt/congestion/bbr.ts";
import type { Congestion } from "../../wire/udt/congestion/congestion.ts";
import { FixedRate } from "../../wire/udt/congestion/fixed.ts";
import { DeviceSide } from "./device-side.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Repairs, Rules } from "./port.ts";
import { unpack } from "./squeezer.ts";

/** What is between a packet and the path: our datagrams' headers and seal, for a pace in bits per second. */
const OUTSIDE = 60;
/** Datagrams before the neighbours in the event loop get their turn. */
const MAX_IN_A_ROW = 256;

export interface RepairRules {
  /** The longest packet. */
  readonly mtu: number;
  /** Bits per second; null: what the path turns out to carry. */
  readonly rate: number | null;
  /** ms. */
  readonly patience: number;
}

/**
 * Between two terns over a path that loses: as UncutCarriage cuts and joins, and what gets lost on
 * the way is repeated (see wire/tunnel/repair.ts).
 */
export class RepairedCarriage implements Carriage {
  readonly block = block(JOIN_ROOM);
  readonly #device: DeviceSide;
  readonly #rules: { readonly current: Rules | undefined };
  readonly #reactor: Reactor;
  readonly #joiner: Joiner;
  readonly #repair: Repair;
  /** A packet as it came from the device, and a piece of it. */
  readonly #packet = block(2 * MAX_PACKET);
  readonly #cutter: Cutter;
  readonly #timer = new TimerFd();
  #link: Link | undefined;
  /** Bytes of a full packet with what repairing puts around it. */
  readonly #size: number;
  #rings = Infinity;

  constructor(
    tun: Tun,
    rules: { readonly current: Rules | undefined },
    reactor: Reactor,
    { mtu, rate, patience }: RepairRules,
  ) {
    this.#device = new DeviceSide(tun, rules);
    this.#rules = rules;
    this.#device.mtu = mtu;
    this.#reactor = reactor;
    this.#size = mtu + TRAILER + REPAIR_AROUND;
    this.#joiner = new Joiner(this.block, 0, {
      udp: tun.segments.udp,
      write: (at, length) => this.#device.write(this.block, at, length),
    });
    this.#cutter = new Cutter(this.#packet, mtu + TRAILER);
    const congestion = (): Congestion =>
      rate === null ? new Bbr(random31()) : new FixedRate(rate, this.#size + OUTSIDE);
    this.#repair = new Repair(
      {
        longest: mtu + TRAILER,
        congestion,
        patience,
        random: random31,
        deliver: (plain) => this.#deliver(plain),
      },
      microseconds(),
    );
    reactor.add(this.#timer.fd, READABLE, this.#rang);
  }

  get next(): number {
    return this.#joiner.next;
  }
  repairs(): Repairs {
    const { rtt, rate, lost, retransmitted } = this.#repair.stats;
    const bits = (this.#size + OUTSIDE) * 8;
    return {
      rttMs: Math.round(rtt / 100) / 10,
      pace: Math.round(rate * bits),
      lost,
      repeated: retransmitted,
      dropped: this.#repair.dropped,
    };
  }

  fit(mtu: number): void {
    this.#device.mtu = mtu;
    this.#cutter.room = mtu + TRAILER;
  }

  attach(link: Link | undefined): void {
    this.#link = link;
    this.#speak();
  }

  take(length: number): "packet" | "control" | "malformed" {
    if (length < TRAILER) return "malformed";
    const { bytes } = this.block;
    const { next } = this.#joiner;
    if (bytes[next + length - TRAILER + AT.kind] === KIND.control) return "control";
    if (bytes[next + length - TRAILER + AT.kind] !== KIND.repaired) return "malformed";
    return this.#repair.receive(this.block, next, length, microseconds()) ? "packet" : "malformed";
  }

  flush(): void {
    this.#joiner.flush();
    this.#speak();
  }

  ship(link: Link, _keypair: Keypair<Lane>): boolean {
    const memory = this.#packet;
    const length = this.#device.read(memory, 0);
    if (length < 0) return false;
    const pieces = this.#cutter.begin(0, length);
    if (pieces === 0) link.traffic.unsent++;
    const flow = flowOf(memory, VNET_HEADER, length - VNET_HEADER);
    const now = microseconds();
    const squeezer = this.#rules.current?.squeezer;
    for (let i = 0; i < pieces; i++) {
      const whole = this.#cutter.piece(i, MAX_PACKET);
      const plain = squeezer === undefined ? whole : squeezer.pack(memory, MAX_PACKET, whole);
      if (!this.#repair.offer(memory, MAX_PACKET, plain, flow, now)) link.traffic.unsent++;
    }
    this.#speak();
    return true;
  }

  drop(): boolean {
    return this.#device.drop(this.#packet);
  }

  close(): void {
    this.#reactor.forget(this.#timer.fd);
    this.#timer.close();
  }

  /** There is a key, or room in the socket. */
  readonly resume = (): void => this.#speak();

  /** All that is due, and when to look again. */
  #speak(): void {
    const link = this.#link;
    const now = microseconds();
    const keypair = link?.sending(link.hub.now);
    if (link === undefined || keypair === undefined) return this.#ring(Infinity);
    const { hub } = link;
    const { departures } = hub;
    let wakeAt = -Infinity;
    let said = false;
    for (let left = MAX_IN_A_ROW; left > 0; left--) {
      if (hub.blocked || (departures.full && !hub.send())) {
        hub.whenFree(this.resume);
        return this.#ring(Infinity);
      }
      const length = this.#repair.poll(now, departures.block, departures.next + HEADER);
      if (length === 0) {
        wakeAt = this.#repair.wakeAt;
        break;
      }
      link.ship(keypair, length);
      said = true;
    }
    if (!hub.blocked) hub.send();
    if (said) link.session.sent(keypair, false, hub.now);
    this.#ring(wakeAt);
  }

  #ring(at: number): void {
    // One that rings too early is no harm, and is set again then.
    if (this.#rings >= 0 && this.#rings <= at) return;
    this.#rings = at;
    this.#timer.set(at === Infinity ? Infinity : at - microseconds());
  }

  readonly #rang = (): void => {
    this.#rings = -1;
    this.#speak();
    this.#joiner.flush();
  };

  /** A plaintext as the peer cut it, in its turn. */
  #deliver(plain: Uint8Array): void {
    this.block.bytes.set(plain, this.#joiner.next);
    const { next } = this.#joiner;
    if (this.#joiner.take(plain.length) === TAKEN.packet) return;
    const unpacked = unpack(this.block, next, plain.length);
    if (unpacked > 0 && this.#joiner.take(unpacked) === TAKEN.packet) return;
    if (this.#link !== undefined) this.#link.traffic.malformed++;
  }
}
