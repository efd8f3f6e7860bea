import type { Block } from "../../sys/memory.ts";
import { MAX_PACKET, type Tun } from "../../sys/tun.ts";
import { clampMss } from "../../wire/tunnel/mss.ts";
import { GSO, NEEDS_CHECKSUM, VNET_HEADER } from "../../wire/tunnel/vnet.ts";
import type { Rules } from "./port.ts";

/** Packets of a device with a virtio_net_hdr in front of each, by the rules of its tunnel. */
export class DeviceSide {
  readonly #tun: Tun;
  readonly #rules: { readonly current: Rules | undefined };
  /** Bytes of the longest packet that fits the path. */
  mtu = 0;

  constructor(tun: Tun, rules: { readonly current: Rules | undefined }) {
    this.#tun = tun;
    this.#rules = rules;
  }

  /** The next packet, header included, to `at` of `memory`: its length; negative when there is none. */
  read(memory: Block, at: number): number {
    const length = this.#tun.read(memory.at + at, MAX_PACKET);
    if (length >= 0 && this.#rules.current?.clamp === true) this.#clamp(memory, at, length);
    return length;
  }

  /** Take a packet off the device and forget it; false when there is none. */
  drop(memory: Block): boolean {
    return this.#tun.read(memory.at, MAX_PACKET) >= 0;
  }

  /** What came through the tunnel, when its sender may say so. */
  write(memory: Block, at: number, length: number): void {
    const rules = this.#rules.current;
    if (rules === undefined) return;
    const { traffic } = rules;
    if (!rules.allowed.source(memory.view, at + VNET_HEADER, length - VNET_HEADER)) {
      traffic.foreign++;
      return;
    }
    if (rules.clamp) this.#clamp(memory, at, length);
    if (this.#tun.write(memory.at + at, length) < 0) traffic.refused++;
    else traffic.delivered++;
  }

  /** What is to be cut into segments is no SYN. */
  #clamp(memory: Block, at: number, length: number): void {
    if (memory.bytes[at + 1] !== GSO.none) return;
    const partial = ((memory.bytes[at] as number) & NEEDS_CHECKSUM) !== 0;
    clampMss(memory, at + VNET_HEADER, length - VNET_HEADER, this.mtu, partial);
  }
}
