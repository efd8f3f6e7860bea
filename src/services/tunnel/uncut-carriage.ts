import { block } from "../../sys/memory.ts";
import type { Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { Cutter } from "../../wire/tunnel/cut.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../wire/tunnel/join.ts";
import { TRAILER } from "../../wire/tunnel/plaintext.ts";
import type { Departures } from "./departures.ts";
import { DeviceSide } from "./device-side.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Rules } from "./port.ts";

/**
 * Between two terns: the kernel's packets of up to 64 KB are cut here into datagrams, and joined again
 * over there into one that the kernel takes in one go (see wire/tunnel/plaintext.ts).
 */
export class UncutCarriage implements Carriage {
  readonly block = block(JOIN_ROOM);
  readonly #device: DeviceSide;
  readonly #joiner: Joiner;
  #cutter: Cutter | undefined;
  #departures: Departures | undefined;

  constructor(tun: Tun, rules: { readonly current: Rules | undefined }) {
    this.#device = new DeviceSide(tun, rules);
    this.#joiner = new Joiner(this.block, 0, {
      udp: tun.segments.udp,
      write: (at, length) => this.#device.write(this.block, at, length),
    });
  }

  get next(): number {
    return this.#joiner.next;
  }

  fit(mtu: number): void {
    this.#device.mtu = mtu;
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
    const length = this.#device.read(memory, spare);
    if (length < 0) return false;
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
    return this.#device.drop(this.block);
  }

  #cutterFor(departures: Departures): Cutter {
    if (this.#cutter === undefined || this.#departures !== departures) {
      this.#departures = departures;
      this.#cutter = new Cutter(departures.block, this.#device.mtu + TRAILER);
    }
    return this.#cutter;
  }
}
