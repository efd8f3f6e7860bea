/** The handshake and the data of another's WireGuard: wireguard-go of Debian, in a namespace of its own. */
import { afterAll, expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Opener, Sealer } from "../../../src/net/aead/aead.ts";
import { aead } from "../../../src/net/aead/choice.ts";
import { noisePrimitives as primitives } from "../../../src/net/aead/noise-primitives.ts";
import { block } from "../../../src/sys/memory.ts";
import { Doorman } from "../../../src/wire/noise/doorman.ts";
import { IndexTable } from "../../../src/wire/noise/index-table.ts";
import { counterAt, DATA_HEADER, kindOf, receiverOf } from "../../../src/wire/noise/message.ts";
import { keysOf } from "../../../src/wire/noise/primitives.ts";
import { WIREGUARD } from "../../../src/wire/noise/protocol.ts";
import { readInitiation, Session } from "../../../src/wire/noise/session.ts";
import { needs } from "../../sys/needs.ts";
import { ip, ownNamespace } from "../../sys/own-namespace.ts";
import { writeDataHeader } from "./data-header.ts";

const have =
  process.getuid?.() === 0 && Bun.which("wireguard-go") !== null && Bun.which("wg") !== null;
const withWireGuard = needs(have, "root, wireguard-go and wg");
const dice = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

interface Ciphers {
  readonly sealer: Sealer;
  readonly opener: Opener;
}

/** Our end, over a socket on loopback in the namespace, as small as it can be. */
class Peer {
  readonly keys = keysOf(primitives, dice(32));
  readonly identity = { primitives, protocol: WIREGUARD, keys: this.keys };
  readonly indices = new IndexTable<Ciphers, Session<Ciphers>>(dice);
  readonly session: Session<Ciphers>;
  readonly #doorman = new Doorman(primitives, WIREGUARD, this.keys.publicKey, dice);
  readonly #theirs: Uint8Array;
  readonly #send: (bytes: Uint8Array) => void;
  /** Packets that came. */
  readonly got: Uint8Array[] = [];
  readonly kinds: string[] = [];

  constructor(theirs: Uint8Array, psk: Uint8Array, send: (bytes: Uint8Array) => void) {
    this.#theirs = theirs;
    this.#send = send;
    this.session = new Session<Ciphers>(
      {
        identity: this.identity,
        peer: theirs,
        psk,
        offer: new Uint8Array(),
        keepalive: 0,
        indices: this.indices,
        dice,
        wall: Date.now,
        open: ({ send: sealing, receive }) => {
          const chacha = aead("chacha20-poly1305");
          return { sealer: chacha.sealer(sealing), opener: chacha.opener(receive) };
        },
        close: ({ sealer, opener }) => {
          sealer.free();
          opener.free();
        },
      },
      performance.now(),
    );
  }

  /** Begin, or send what is given if there is a key. False: not yet. */
  packet(packet: Uint8Array): boolean {
    const now = performance.now();
    const keypair = this.session.sending(now);
    this.#act(now);
    if (keypair === undefined) return false;
    const size = Math.ceil(packet.length / 16) * 16;
    const out = block(DATA_HEADER + size + 16);
    const counter = keypair.counter++;
    writeDataHeader(out.view, 0, keypair.remoteIndex, counter);
    out.bytes.set(packet, DATA_HEADER);
    keypair.keys.sealer.seal(counter, out, DATA_HEADER, size);
    this.#send(out.bytes);
    this.session.sent(keypair, packet.length > 0, now);
    this.#act(now);
    return true;
  }

  datagram(bytes: Uint8Array): void {
    const now = performance.now();
    const kind = kindOf(bytes, WIREGUARD);
    this.kinds.push(kind ?? "?");
    if (kind === "data") this.#data(bytes, now);
    else if (kind !== undefined && kind !== "cookie" && this.#doorman.knowsUs(bytes)) {
      if (kind === "response") this.session.takeResponse(bytes, now);
      else {
        const first = readInitiation(this.identity, bytes, (key) =>
          base64(key) === base64(this.#theirs) ? this.session : undefined,
        );
        if (first !== undefined) this.session.answer(bytes, first, now);
      }
    }
    this.#act(now);
  }

  #data(bytes: Uint8Array, now: number): void {
    const keypair = this.indices.find(receiverOf(bytes))?.keypair;
    if (keypair === undefined) return;
    const into = block(bytes.length);
    into.bytes.set(bytes);
    const counter = counterAt(into.view, 8);
    const size = bytes.length - DATA_HEADER - 16;
    if (!keypair.keys.opener.open(counter, into, DATA_HEADER, size, into, DATA_HEADER)) return;
    if (!keypair.window.accept(counter)) return;
    if (size > 0) this.got.push(into.bytes.slice(DATA_HEADER, DATA_HEADER + size));
    this.session.received(keypair, size > 0, now);
  }

  #act(now: number): void {
    for (;;) {
      const wish = this.session.next(now);
      if (wish === undefined) return;
      if (wish.kind === "handshake") this.#send(wish.bytes);
      else if (wish.kind === "keepalive") this.packet(new Uint8Array());
    }
  }
}

/** An echo request from 10.8.0.2 to 10.8.0.1. */
function echoRequest(): Uint8Array {
  const packet = new Uint8Array(28);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1]);
  packet.set([8, 0, 0, 0, 0x12, 0x34, 0, 1], 20);
  const sum = (from: number, to: number): number => {
    let all = 0;
    for (let at = from; at < to; at += 2) all += view.getUint16(at);
    return ~((all & 0xffff) + (all >>> 16)) & 0xffff;
  };
  view.setUint16(10, sum(0, 20));
  view.setUint16(22, sum(20, 28));
  return packet;
}

async function eventually(what: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !what(); i++) await Bun.sleep(20);
  expect(what()).toBe(true);
}

withWireGuard(
  "wireguard-go answers us, we answer it, and packets go both ways",
  async () => {
    const { name, namespace } = ownNamespace();
    const dir = mkdtempSync(join(tmpdir(), "tn-wg-"));
    afterAll(() => rmSync(dir, { recursive: true }));
    const run = (...command: string[]): string => {
      const done = Bun.spawnSync(["ip", "netns", "exec", name, ...command]);
      if (!done.success) throw new Error(`${command.join(" ")}: ${done.stderr.toString()}`);
      return done.stdout.toString();
    };
    ip("-n", name, "link", "set", "lo", "up");
    const device = `tnwg${process.pid % 100_000}`;
    const theirs = Bun.spawn(["ip", "netns", "exec", name, "wireguard-go", "-f", device], {
      env: { ...process.env, WG_PROCESS_FOREGROUND: "1" },
      stdio: ["ignore", "ignore", "ignore"],
    });
    try {
      await eventually(
        () => Bun.spawnSync(["ip", "netns", "exec", name, "wg", "show", device]).success,
      );
      const [privateKey, psk] = [dice(32), dice(32)];
      const theirPort = 40_000 + (process.pid % 10_000);
      let socket: Promise<Bun.udp.Socket<"buffer">> | undefined;
      const peer: Peer = new Peer(primitives.publicKey(privateKey), psk, (bytes) => {
        void socket?.then((it) => it.send(bytes, theirPort, "127.0.0.1"));
      });
      namespace.run(() => {
        socket = Bun.udpSocket({
          hostname: "127.0.0.1",
          socket: { data: (_, data) => peer.datagram(new Uint8Array(data)) },
        });
        return undefined;
      });
      const ours = await socket;
      if (ours === undefined) throw new Error("no socket");
      await Bun.write(join(dir, "key"), base64(privateKey));
      await Bun.write(join(dir, "psk"), base64(psk));
      const key = base64(peer.keys.publicKey);
      const files = { own: join(dir, "key"), psk: join(dir, "psk") };
      const asPeer = `peer ${key} preshared-key ${files.psk} allowed-ips 10.8.0.2/32`;
      const wg = (words: string): string => run("wg", ...words.split(" "));
      wg(`set ${device} private-key ${files.own} listen-port ${theirPort} ${asPeer}`);
      ip("-n", name, "addr", "add", "10.8.0.1/24", "dev", device);
      ip("-n", name, "link", "set", device, "up");

      // We begin.
      expect(peer.packet(echoRequest())).toBe(false);
      await eventually(() => peer.session.handshakeAt !== undefined);
      expect(peer.packet(echoRequest())).toBe(true);
      await eventually(() => peer.got.length > 0);
      expect([...(peer.got[0] ?? [])].slice(12, 21)).toEqual([10, 8, 0, 1, 10, 8, 0, 2, 0]);
      expect(wg(`show ${device} latest-handshakes`)).not.toMatch(/\t0$/m);

      // It begins: for it, we are somebody new.
      const before = peer.session.handshakeAt;
      peer.kinds.length = 0;
      wg(`set ${device} peer ${key} remove`);
      wg(`set ${device} ${asPeer} endpoint 127.0.0.1:${ours.port} persistent-keepalive 1`);
      await eventually(() => peer.kinds.includes("initiation") && peer.kinds.at(-1) === "data");
      expect(peer.session.handshakeAt).toBeGreaterThan(before ?? Infinity);
      ours.close();
    } finally {
      theirs.kill();
      await theirs.exited;
    }
  },
  30_000,
);
