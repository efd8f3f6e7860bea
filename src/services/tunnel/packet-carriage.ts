import { block } from "../../sys/memory.ts";
import { MAX_PACKET, type Tun } from "../../sys/tun.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { clampMss } from "../../wire/tunnel/mss.ts";
import type { Lane } from "./lane.ts";
import { HEADER, type Link } from "./link.ts";
import type { Carriage, Rules } from "./port.ts";

/** Plaintexts are padded to a multiple of this (WireGuard, 5.4.6), as far as the device's MTU allows. */
const PADDING = 16;
const MIN_PACKET = 20;
const IP6_HEADER = 40;

/** As WireGuard has it: each datagram is one packet of the device, summed and as long as it says. */
export class PacketCarriage implements Carriage {
  readonly block = block(MAX_PACKET);
  readonly next = 0;
  readonly #tun: Tun;
  readonly #rules: { readonly current: Rules | undefined };
  #mtu = 0;

  constructor(tun: Tun, rules: { readonly current: Rules | undefined }) {
    this.#tun = tun;
    this.#rules = rules;
  }

  fit(mtu: number): void {
    this.#mtu = mtu;
  }

  take(length: number): "packet" | "malformed" {
    const rules = this.#rules.current;
    const { view } = this.block;
    const packet = lengthOf(view, length);
    if (packet === 0) return "malformed";
    if (rules === undefined) return "packet";
    const { traffic } = rules;
    if (!rules.allowed.source(view, 0, packet)) traffic.foreign++;
    else {
      if (rules.clamp) clampMss(this.block, 0, packet, this.#mtu, false);
      if (this.#tun.write(this.block.at, packet) < 0) traffic.refused++;
      else traffic.delivered++;
    }
    return "packet";
  }

  flush(): void {}

  ship(link: Link, keypair: Keypair<Lane>): boolean {
    const { block: memory, next } = link.hub.departures;
    const at = next + HEADER;
    const length = this.#tun.read(memory.at + at, MAX_PACKET);
    if (length < 0) return false;
    if (this.#rules.current?.clamp === true && length >= MIN_PACKET)
      clampMss(memory, at, length, this.#mtu, false);
    const padded = Math.max(length, Math.min(Math.ceil(length / PADDING) * PADDING, this.#mtu));
    memory.bytes.fill(0, at + length, at + padded);
    link.ship(keypair, padded);
    return true;
  }

  drop(): boolean {
    return this.#tun.read(this.block.at, MAX_PACKET) >= 0;
  }
}

/** How long the packet in `length` bytes says it is; 0: it is none. */
function lengthOf(view: DataView, length: number): number {
  if (length < MIN_PACKET) return 0;
  const six = view.getUint8(0) >>> 4 === 6;
  if (six && length < IP6_HEADER) return 0;
  const says = six ? IP6_HEADER + view.getUint16(4) : view.getUint16(2);
  return says < MIN_PACKET || says > length ? 0 : says;
}
