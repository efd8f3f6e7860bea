import { block } from "../../sys/memory.ts";
import type { Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { Cutter } from "../../wire/tunnel/cut.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../wire/tunnel/join.ts";
import { TRAILER } from "../../wire/tunnel/plaintext.ts";
import { GSO, VNET_HEADER } from "../../wire/tunnel/vnet.ts";
import type { Departures } from "./departures.ts";
import { DeviceSide } from "./device-side.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Rules } from "./port.ts";
import { unpack } from "./squeezer.ts";

/**
 * Between two terns: the kernel's packets of up to 64 KB are cut here into datagrams, and joined again
 * over there into one that the kernel takes in one go (see wire/tunnel/plaintext.ts).
 */
export class UncutCarriage implements Carriage {
  readonly block = block(JOIN_ROOM);
  readonly #device: DeviceSide;
  readonly #rules: { readonly current: Rules | undefined };
  readonly #joiner: Joiner;
  /** Was the packet before one datagram? Then the next one may be, and is read to where it will be sealed. */
  #whole = true;
  #cutter: Cutter | undefined;
  #departures: Departures | undefined;

  constructor(tun: Tun, rules: { readonly current: Rules | undefined }) {
    this.#device = new DeviceSide(tun, rules);
    this.#rules = rules;
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
    let kind = this.#joiner.take(length);
    if (kind === TAKEN.packet) return "packet";
    if (kind === TAKEN.malformed) {
      const plain = unpack(this.block, this.#joiner.next, length);
      if (plain > 0 && (kind = this.#joiner.take(plain)) === TAKEN.packet) return "packet";
      if (plain > 0) return "malformed"; // no question comes compressed
    }
    return kind === TAKEN.control ? "control" : "malformed";
  }

  flush(): void {
    this.#joiner.flush();
  }

  ship(link: Link, keypair: Keypair<Lane>): boolean {
    const { departures } = link.hub;
    const cutter = this.#cutterFor(departures);
    const { block: memory, spare } = departures;
    let from = this.#whole ? departures.next + HEADER - VNET_HEADER : spare;
    const length = this.#device.read(memory, from);
    if (length < 0) return false;
    this.#whole = memory.bytes[from + 1] === GSO.none;
    if (from !== spare && !this.#whole) {
      memory.bytes.copyWithin(spare, from, from + length);
      from = spare;
    }
    const pieces = cutter.begin(from, length);
    if (pieces === 0) link.traffic.unsent++;
    const squeezer = this.#rules.current?.squeezer;
    for (let i = 0; i < pieces; i++) {
      if (departures.full && !link.hub.send()) {
        // The socket is full in the midst of a packet: the rest is lost, as if on the way.
        link.traffic.unsent += pieces - i;
        break;
      }
      const at = departures.next + HEADER;
      const plain = cutter.piece(i, at);
      link.ship(keypair, squeezer === undefined ? plain : squeezer.pack(memory, at, plain));
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
