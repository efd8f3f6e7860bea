import { type Reactor, READABLE } from "../../net/reactor.ts";
import { random31 } from "../../net/udt/chance.ts";
import { microseconds } from "../../net/udt/endpoint.ts";
import { type Block, block } from "../../sys/memory.ts";
import { TimerFd } from "../../sys/timer-fd.ts";
import { MAX_PACKET, type Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { flowOf } from "../../wire/tunnel/flow.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../wire/tunnel/join.ts";
import { ParityReader, type ParityRules, ParityWriter } from "../../wire/tunnel/parity.ts";
import { AT, KIND, TRAILER } from "../../wire/tunnel/plaintext.ts";
import { Repair, REPAIR_AROUND } from "../../wire/tunnel/repair.ts";
import { IN_FRONT } from "../../wire/tunnel/repaired.ts";
import { whole } from "../../wire/tunnel/uncut.ts";
import { VNET_HEADER } from "../../wire/tunnel/vnet.ts";
import { Bbr } from "../../wire/udt/congestion/bbr.ts";
import type { Congestion } from "../../wire/udt/congestion/congestion.ts";
import { FixedRate } from "../../wire/udt/congestion/fixed.ts";
import { DeviceSide } from "./device-side.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Repairs, Rules } from "./port.ts";
import { unpack } from "./squeezer.ts";

/** Headers of IPv4 and UDP, and ours with the seal: for a pace in bits per second. */
const OUTSIDE = 60;
/** Where datagrams are opened, in front of where packets are made: the longest there can be, and its tag. */
const INBOX = 2 ** 16 + 64;
/** Longer plaintexts are not compressed: what one was is said in 16 bits. */
const MAX_SQUEEZED = 65_535;
/** Datagrams before the neighbours in the event loop get their turn. */
const MAX_IN_A_ROW = 256;

export interface RepairRules {
  /** The longest packet. */
  readonly mtu: number;
  /** Bits per second; null: what the path turns out to carry. */
  readonly rate: number | null;
  /** ms. */
  readonly patience: number;
  /** What is sent besides, so that less has to be repeated; null: nothing. */
  readonly fec: ParityRules | null;
}

/**
 * Between two terns over a path that loses: the kernel's packets of up to 64 KB go as they are, in as many
 * datagrams as they need, and what gets lost on the way is repeated (see wire/tunnel/repair.ts).
 */
export class RepairedCarriage implements Carriage {
  readonly block = block(IN_FRONT + INBOX + JOIN_ROOM);
  readonly next = IN_FRONT;
  readonly #device: DeviceSide;
  readonly #rules: { readonly current: Rules | undefined };
  readonly #reactor: Reactor;
  readonly #joiner: Joiner;
  readonly #repair: Repair;
  /** A packet as it came from the device, and its trailer. */
  readonly #packet = block(MAX_PACKET + TRAILER);
  readonly #timer = new TimerFd();
  #link: Link | undefined;
  /** Bytes of a full datagram's plaintext. */
  readonly #size: number;
  /** Bytes that a packet has around it when a datagram is full of it. */
  readonly #around: number;
  readonly #parity: ParityWriter | undefined;
  readonly #mender: ParityReader;
  #rings = Infinity;

  constructor(
    tun: Tun,
    rules: { readonly current: Rules | undefined },
    reactor: Reactor,
    { mtu, rate, patience, fec }: RepairRules,
  ) {
    this.#device = new DeviceSide(tun, rules);
    this.#rules = rules;
    this.#device.mtu = mtu;
    this.#reactor = reactor;
    this.#size = mtu + REPAIR_AROUND + TRAILER;
    // A parity is so much longer than what it stands for.
    this.#around = REPAIR_AROUND - (fec === null ? 0 : TRAILER);
    this.#parity = fec === null ? undefined : new ParityWriter(fec, this.#size);
    this.#mender = new ParityReader(this.#size);
    this.#joiner = new Joiner(this.block, IN_FRONT + INBOX, {
      udp: tun.segments.udp,
      write: (at, length) => this.#device.write(this.block, at, length),
    });
    const congestion = (): Congestion =>
      rate === null ? new Bbr(random31()) : new FixedRate(rate, this.#size + OUTSIDE);
    this.#repair = new Repair(
      {
        room: mtu + this.#around,
        congestion,
        patience,
        random: random31,
        deliver: (plain) => this.#deliver(plain),
      },
      microseconds(),
    );
    reactor.add(this.#timer.fd, READABLE, this.#rang);
  }

  repairs(): Repairs {
    const { rtt, rate, lost, retransmitted } = this.#repair.stats;
    const bits = (this.#size + OUTSIDE) * 8;
    return {
      rttMs: Math.round(rtt / 100) / 10,
      pace: Math.round(rate * bits),
      lost,
      repeated: retransmitted,
      mended: this.#mender.mended,
      dropped: this.#repair.dropped,
    };
  }

  fit(mtu: number): void {
    this.#device.mtu = mtu;
    this.#repair.room = mtu + this.#around;
  }

  attach(link: Link | undefined): void {
    this.#link = link;
    this.#speak();
  }

  take(length: number): "packet" | "control" | "malformed" {
    if (length < TRAILER) return "malformed";
    const kind = this.block.bytes[this.next + length - TRAILER + AT.kind];
    if (kind === KIND.control) return "control";
    if (kind === KIND.parity) return this.#mend(length);
    if (kind !== KIND.repaired) return "malformed";
    this.#mender.saw(this.block, this.next, length);
    const known = this.#repair.receive(this.block, this.next, length, microseconds());
    return known ? "packet" : "malformed";
  }

  flush(): void {
    this.#joiner.flush();
    this.#speak();
  }

  ship(link: Link, _keypair: Keypair<Lane>): boolean {
    const memory = this.#packet;
    const length = this.#device.read(memory, 0);
    if (length < 0) return false;
    const plain = whole(memory, 0, length);
    const flow = flowOf(memory, VNET_HEADER, length - VNET_HEADER);
    const { squeezer } = this.#rules.current ?? {};
    const packed =
      squeezer === undefined || plain > MAX_SQUEEZED
        ? plain
        : squeezer.pack(memory, VNET_HEADER, plain);
    const taken =
      plain > 0 && this.#repair.offer(memory, VNET_HEADER, packed, flow, microseconds());
    if (!taken) link.traffic.unsent++;
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
      const length = this.#poll(now, departures.block, departures.next + HEADER);
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

  /** The next plaintext to be sent, to `at`: its length, 0: none is due. */
  #poll(now: number, memory: Block, at: number): number {
    const parity = this.#parity?.take(memory, at) ?? 0;
    if (parity > 0) return parity;
    const length = this.#repair.poll(now, memory, at);
    if (length > 0) this.#parity?.add(memory, at, length);
    return length;
  }

  /** A parity came; perhaps something is made of it. */
  #mend(length: number): "packet" | "malformed" {
    const plain = this.#mender.take(this.block, this.next, length);
    if (plain > 0) this.#repair.receive(this.block, this.next, plain, microseconds());
    return plain < 0 ? "malformed" : "packet";
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

  /** A plaintext as the peer offered it, in its turn. */
  #deliver(plain: Uint8Array): void {
    this.block.bytes.set(plain, this.#joiner.next);
    const { next } = this.#joiner;
    if (this.#joiner.take(plain.length) === TAKEN.packet) return;
    const unpacked = unpack(this.block, next, plain.length);
    if (unpacked > 0 && this.#joiner.take(unpacked) === TAKEN.packet) return;
    if (this.#link !== undefined) this.#link.traffic.malformed++;
  }
}
