import { block } from "../../sys/memory.ts";
import { MAX_PACKET, type Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { Cutter } from "../../wire/tunnel/cut.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../wire/tunnel/join.ts";
import { clampMss } from "../../wire/tunnel/mss.ts";
import { TRAILER } from "../../wire/tunnel/plaintext.ts";
import { GSO, NEEDS_CHECKSUM, VNET_HEADER } from "../../wire/tunnel/vnet.ts";
import type { Departures } from "./departures.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Rules } from "./port.ts";

/**
 * Between two terns: the kernel's packets of up to 64 KB are cut here into datagrams, and joined again
 * over there into one that the kernel takes in one go (see wire/tunnel/plaintext.ts).
 */
export class UncutCarriage implements Carriage {
  readonly block = block(JOIN_ROOM);
  readonly #tun: Tun;
  readonly #rules: { readonly current: Rules | undefined };
  readonly #joiner: Joiner;
  #cutter: Cutter | undefined;
  #departures: Departures | undefined;
  #mtu = 0;

  constructor(tun: Tun, rules: { readonly current: Rules | undefined }) {
    this.#tun = tun;
    this.#rules = rules;
    this.#joiner = new Joiner(this.block, 0, { udp: tun.segments.udp, write: this.#write });
  }

  get next(): number {
    return this.#joiner.next;
  }

  fit(mtu: number): void {
    this.#mtu = mtu;
    if (this.#cutter !== undefined) this.#cutter.room = mtu + TRAILER;
  }

  take(length: number): "packet" | "control" | "malformed" {
    const kind = this.#joiner.take(length);
    if (kind === TAKEN.packet) return "packet";
    return kind === TAKEN.control ? "control" : "malformed";
  }

  flush(): void {
    this.#joiner.flush();
  }

  ship(link: Link, keypair: Keypair<Lane>): boolean {
    const { departures } = link.hub;
    const cutter = this.#cutterFor(departures);
    const { block: memory, spare } = departures;
    const length = this.#tun.read(memory.at + spare, MAX_PACKET);
    if (length < 0) return false;
    this.#clamp(departures, spare, length);
    const pieces = cutter.begin(spare, length);
    if (pieces === 0) link.traffic.unsent++;
    for (let i = 0; i < pieces; i++) {
      if (departures.full && !link.hub.send()) {
        // The socket is full in the midst of a packet: the rest is lost, as if on the way.
        link.traffic.unsent += pieces - i;
        break;
      }
      link.ship(keypair, cutter.piece(i, departures.next + HEADER));
    }
    return true;
  }

  drop(): boolean {
    return this.#tun.read(this.block.at, MAX_PACKET) >= 0;
  }

  #cutterFor(departures: Departures): Cutter {
    if (this.#cutter === undefined || this.#departures !== departures) {
      this.#departures = departures;
      this.#cutter = new Cutter(departures.block, this.#mtu + TRAILER);
    }
    return this.#cutter;
  }

  #clamp({ block: memory }: Departures, at: number, length: number): void {
    if (this.#rules.current?.clamp !== true || memory.bytes[at + 1] !== GSO.none) return;
    const partial = ((memory.bytes[at] as number) & NEEDS_CHECKSUM) !== 0;
    clampMss(memory, at + VNET_HEADER, length - VNET_HEADER, this.#mtu, partial);
  }

  readonly #write = (at: number, length: number): void => {
    const rules = this.#rules.current;
    if (rules === undefined) return;
    const { traffic } = rules;
    const { bytes, view } = this.block;
    const packet = at + VNET_HEADER;
    if (!rules.allowed.source(view, packet, length - VNET_HEADER)) {
      traffic.foreign++;
      return;
    }
    if (rules.clamp && bytes[at + 1] === GSO.none) {
      const partial = ((bytes[at] as number) & NEEDS_CHECKSUM) !== 0;
      clampMss(this.block, packet, length - VNET_HEADER, this.#mtu, partial);
    }
    if (this.#tun.write(this.block.at + at, length) < 0) traffic.refused++;
    else traffic.delivered++;
  };
}
