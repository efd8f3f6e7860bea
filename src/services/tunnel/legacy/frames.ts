import { randomBytes } from "node:crypto";

import { type Reactor, READABLE } from "../../../net/reactor.ts";
import type { UdtStream } from "../../../net/udt/stream.ts";
import { block } from "../../../sys/memory.ts";
import { MAX_PACKET, type Tun } from "../../../sys/tun.ts";
import { type Bodies, bodies, type Squeeze } from "../../../wire/3wdd/bodies.ts";
import { bodyCipher, type CipherName } from "../../../wire/3wdd/ciphers.ts";
import { emitFrame } from "../../../wire/3wdd/inbox.ts";
import { Allowed } from "../../../wire/tunnel/allowed.ts";
import { clampMss } from "../../../wire/tunnel/mss.ts";
import type { TunnelConfig } from "../config.ts";
import { Traffic } from "../traffic.ts";
import { blocksOf } from "./blocks.ts";
import { squeezers } from "./squeezers.ts";

/** Packets of the device before the neighbours in the event loop get their turn. */
const MAX_PACKETS = 32;
/** A longest frame, with all that a cipher puts around it. */
const FRAME_ROOM = 66_000;
const SMALLEST = 20;

/** Packets of a device as frames of a stream, and back. */
export class Frames {
  readonly traffic = new Traffic();
  /** Where frames go; while there is none, or it is not open, packets are dropped. */
  stream: UdtStream | undefined;
  readonly #config: TunnelConfig;
  readonly #reactor: Reactor;
  readonly #bodies: Bodies;
  readonly #allowed: Allowed;
  readonly #out = block(MAX_PACKET);
  readonly #in = block(MAX_PACKET);
  #tun: Tun | undefined;

  /** `key`: the session's (wire/3wdd/login.ts). */
  constructor(config: TunnelConfig, key: string, reactor: Reactor) {
    this.#config = config;
    this.#reactor = reactor;
    const cipher = bodyCipher(
      config.cipher as CipherName, // config.ts lets no other pass
      (kind) => blocksOf(kind, key),
      (count) => new Uint8Array(randomBytes(count)),
    );
    const { allow, compress, mtu, remote, routes } = config;
    this.#bodies = bodies({ cipher, squeeze: compress as Squeeze, mtu }, squeezers); // the same
    const own = remote.map((base) => ({ base, bits: base.words.length * 32 }));
    this.#allowed = new Allowed(allow ?? [...own, ...routes]);
  }

  /** From now on packets of this device are read, and what comes is given to it. */
  open(tun: Tun): void {
    this.#tun = tun;
    this.#reactor.add(tun.fd, READABLE, this.#ready);
  }

  /** No more; the device is its owner's to be closed. */
  close(): void {
    if (this.#tun !== undefined) this.#reactor.remove(this.#tun.fd);
    this.#tun = undefined;
  }

  /** A frame's body came. */
  deliver(body: Uint8Array): void {
    const { traffic } = this;
    traffic.received++;
    traffic.receivedBytes += body.length;
    const packet = this.#bodies.parse(body);
    if (packet === undefined || packet.length < SMALLEST || packet.length > MAX_PACKET) {
      traffic.malformed++;
      return;
    }
    const memory = this.#in;
    memory.bytes.set(packet);
    if (!this.#allowed.source(memory.view, 0, packet.length)) {
      traffic.foreign++;
      return;
    }
    const { mss_clamp: clamp, mtu } = this.#config;
    if (clamp) clampMss(memory, 0, packet.length, mtu, false);
    const written = this.#tun?.write(memory.at, packet.length) ?? -1;
    if (written < 0) traffic.refused++;
    else traffic.delivered++;
  }

  /** Packets become frames, while the stream has room. */
  readonly #ready = (): void => {
    const memory = this.#out;
    const { stream, traffic } = this;
    const tun = this.#tun;
    for (let i = 0; tun !== undefined && i < MAX_PACKETS; i++) {
      const room = stream?.state === "open" ? stream.room(FRAME_ROOM) : undefined;
      if (room !== undefined) return this.#pause(tun, room);
      const n = tun.read(memory.at, MAX_PACKET);
      if (n < 0) return;
      if (stream?.state !== "open") {
        traffic.unsent++;
        continue;
      }
      if (this.#config.mss_clamp) clampMss(memory, 0, n, this.#config.mtu, false);
      const frame = emitFrame(this.#bodies.emit(memory.bytes.subarray(0, n)));
      if (frame === undefined) {
        traffic.unsent++;
        continue;
      }
      void stream.write(frame); // there is room
      traffic.sent++;
      traffic.sentBytes += frame.length;
    }
  };

  #pause(tun: Tun, room: Promise<void>): void {
    this.#reactor.modify(tun.fd, 0);
    void room.then(() => {
      if (this.#tun === tun) this.#reactor.modify(tun.fd, READABLE);
    });
  }
}
