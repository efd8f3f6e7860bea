import fc from "fast-check";

import { LONGEST } from "../../../src/wire/tunnel/assembly.ts";
import { TRAILER } from "../../../src/wire/tunnel/plaintext.ts";
import { Repair } from "../../../src/wire/tunnel/repair.ts";
import { IN_FRONT } from "../../../src/wire/tunnel/repaired.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";

const MOST = 1396;
const ROOM = 20_000;
/** What is said honestly: packets of one part and of several. */
const LENGTHS = [200, 1000, 5000, 16_000] as const;
const MS = 1000;
/** Far more than an end says in one breath. */
const TOO_MANY = 5000;

function memory() {
  const bytes = new Uint8Array(new ArrayBuffer(ROOM));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** What a peer says: something it should have said, changed here and there, or anything at all behind its name. */
const words = fc.record({
  /** Which of the peer's latest plaintexts. */
  which: fc.nat(7),
  bends: fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { maxLength: 5 }),
  body: fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 2 }),
  times: fc.integer({ min: 1, max: 3 }),
  wait: fc.integer({ min: 0, max: 300 * MS }),
});

/**
 * A peer of a repaired path that has gone mad: nothing throws, nothing longer than a datagram is
 * said, nor without end, and nothing longer than a packet is delivered.
 */
export const repairStaysSane = fc.property(
  fc.array(words, { maxLength: 40 }),
  fc.nat(),
  (said, seed) => {
    let now = 0;
    let dice = seed;
    const random = (): number => (dice = (Math.imul(dice, 1_103_515_245) + 12_345) & 0x7fff_ffff);
    const deliver = (plain: Uint8Array): void => {
      if (plain.length > LONGEST) throw new Error("longer than any packet");
    };
    const congestion = (): Bbr => new Bbr(random());
    const make = (): Repair =>
      new Repair({ room: MOST, congestion, patience: 3000, random, deliver }, now);
    const [here, there] = [make(), make()];
    const out = memory();
    const heard: Uint8Array[] = [];
    /** All that `from` has to say, which `to` hears. */
    const pump = (from: Repair, to: Repair, keep: boolean): void => {
      let count = 0;
      for (let n = from.poll(now, out, IN_FRONT); n > 0; n = from.poll(now, out, IN_FRONT)) {
        if (n > MOST + TRAILER) throw new Error("longer than a datagram");
        if (++count > TOO_MANY) throw new Error("it never ends");
        if (keep && heard.push(out.bytes.slice(IN_FRONT, IN_FRONT + n)) > 8) heard.shift();
        to.receive(out, IN_FRONT, n, now);
      }
      if (Number.isNaN(from.wakeAt)) throw new Error("no time to wake");
    };
    const packet = memory();
    for (const { which, bends, body, times, wait } of said) {
      there.offer(packet, 0, LENGTHS[which & 3] ?? 0, which, now);
      here.offer(packet, 0, 1000 * (1 + (which % 4)), which, now);
      pump(there, here, true);
      pump(here, there, false);
      const known = heard[which % Math.max(1, heard.length)] ?? new Uint8Array(40);
      // Who it is from stands at the end.
      const words = body === null ? known.slice() : Buffer.concat([body, known.subarray(-16)]);
      for (const [at, value] of bends) words[at % words.length] = value;
      const into = memory();
      for (let i = 0; i < times; i++) {
        into.bytes.set(words, IN_FRONT); // it may be written over
        here.receive(into, IN_FRONT, words.length, now);
      }
      pump(here, there, false);
      now += wait;
    }
  },
);
