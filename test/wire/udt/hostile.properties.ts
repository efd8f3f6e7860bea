import fc from "fast-check";

import { UdtAccept } from "../../../src/wire/udt/accept.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { UdtConnection } from "../../../src/wire/udt/connection.ts";
import { Ask, emitHandshake, HANDSHAKE } from "../../../src/wire/udt/handshake.ts";
import { HEADER, putWord } from "../../../src/wire/udt/packet.ts";
import { ADDRESS, World } from "./two-ends.ts";

const MINUTE = 60_000_000;
const edge = fc.constantFrom(0, 1, 2, 0x3fff_ffff, 0x4000_0000, 0x7fff_fffe, 0x7fff_ffff);
const near = fc.integer({ min: 12_300, max: 12_600 });
const anyWord = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), edge, near);
const kind = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x7fff);

/** A packet for a socket: a header that makes sense or nearly, and words near to what the connection knows. */
const packet = fc.oneof(
  fc.uint8Array({ maxLength: 90 }),
  fc
    .tuple(fc.boolean(), kind, anyWord, anyWord, fc.array(anyWord, { maxLength: 40 }), fc.nat(3))
    .map(([data, control, first, info, words, cut]) => {
      const bytes = new Uint8Array(HEADER + 4 * words.length);
      putWord(bytes, 0, data ? first & 0x7fff_ffff : (0x8000_0000 | (control << 16)) >>> 0);
      putWord(bytes, 4, info);
      words.forEach((word, i) => putWord(bytes, HEADER + 4 * i, word));
      return bytes.subarray(0, Math.max(0, bytes.length - cut));
    }),
);

/**
 * Whatever comes to an open connection: it does not throw, says only so much, does not spin, and its time to wake is a
 * time.
 */
export const staysSane = fc.property(
  fc.constantFrom("stream", "message"),
  fc.array(fc.tuple(packet, fc.integer({ min: 0, max: 400_000 })), { maxLength: 60 }),
  (what, packets) => {
    const world = new World({ delay: 1_000 });
    const { client, server } = world.pair({
      client: { kind: what, receivePackets: 64 },
      server: { kind: what, receivePackets: 64 },
    });
    world.run(50_000);
    const here = server();
    if (here === undefined) throw new Error("not connected");
    if (what === "stream") client.send(new Uint8Array(9_000), 0, 9_000);
    const out = new Uint8Array(70_000);
    let { now } = world;
    for (const [bytes, wait] of packets) {
      for (const end of [client, here]) {
        if (bytes.length >= HEADER) putWord(bytes, 12, end.id);
        end.receive(bytes, 0, bytes.length, now);
        let said = 0;
        for (let n = end.poll(now, out, 0); n > 0; n = end.poll(now, out, 0)) {
          if (n > end.datagramSize) throw new Error("larger than a datagram");
          if (++said > 2_000) throw new Error("it never ends");
        }
        if (end.readable > 64 * 1_456) throw new Error("more to read than it holds");
        if (what === "stream") end.read(out, 0, 1_000);
        else end.readMessage(out, 0, 1_000);
        if (Number.isNaN(end.wakeAt())) throw new Error("no time to wake");
        const { rtt, rate, inFlight, window } = end.stats;
        if (![rtt, rate, inFlight].every(Number.isFinite) || !(window > 0))
          throw new Error("no number");
      }
      now += wait;
    }
  },
);

/** Strangers are given no more bytes than they sent, and nothing is kept of them. */
export const keepsNothingOfStrangers = fc.property(
  fc.array(fc.tuple(packet, fc.boolean(), fc.nat(3)), { maxLength: 30 }),
  (packets) => {
    const accept = new UdtAccept({
      kind: "stream",
      cookie: () => 0x1234_5678,
      id: () => {
        throw new Error("a connection for a stranger");
      },
      congestion: () => new Bbr(),
      most: 100,
    });
    const out = new Uint8Array(70_000);
    for (const [bytes, toListener, minutes] of packets) {
      if (toListener && bytes.length >= HEADER) putWord(bytes, 12, 0);
      const n = accept.receive(bytes, 0, bytes.length, "x", ADDRESS, minutes * MINUTE, out, 0);
      if (n > bytes.length) throw new Error("an answer longer than the question");
      if (accept.take() !== undefined) throw new Error("a connection for a stranger");
    }
  },
);

/** A handshake that is open does not fall for what it was not told by its peer. */
export const greetsSoberly = fc.property(
  fc.constantFrom("client", "rendezvous"),
  fc.array(
    fc.tuple(
      packet,
      anyWord,
      fc.constantFrom(...Object.values(Ask)),
      fc.integer({ min: 0, max: 300_000 }),
    ),
    { maxLength: 30 },
  ),
  (role, packets) => {
    const end = new UdtConnection({
      kind: "stream",
      role,
      id: 5,
      initial: 12_345,
      peerAddress: ADDRESS,
      congestion: new Bbr(),
      now: 0,
    });
    const out = new Uint8Array(70_000);
    const hello = new Uint8Array(HANDSHAKE);
    let now = 0;
    for (const [bytes, word, ask, wait] of packets) {
      const given = {
        version: 4,
        type: 1,
        initial: word & 0x7fff_ffff,
        mss: word % 3_000,
        window: word % 100,
      };
      const length = emitHandshake(
        { ...given, ask, id: word, cookie: word, address: new Uint8Array(16) },
        0,
        5,
        hello,
        0,
      );
      end.receive(hello, 0, length, now);
      end.receive(bytes, 0, bytes.length, now);
      let said = 0;
      while (end.poll(now, out, 0) > 0) if (++said > 100) throw new Error("it never ends");
      if (end.datagramSize < HANDSHAKE) throw new Error("too small for anything");
      if (Number.isNaN(end.wakeAt())) throw new Error("no time to wake");
      now += wait;
    }
  },
);
