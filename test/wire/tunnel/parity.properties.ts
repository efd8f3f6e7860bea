import fc from "fast-check";

import { ParityReader, ParityWriter } from "../../../src/wire/tunnel/parity.ts";
import { KIND, TRAILER } from "../../../src/wire/tunnel/plaintext.ts";

export const LONGEST = 1400;
const AT = 40;
const GUARD = 0xa5;

export function memory() {
  const bytes = new Uint8Array(new ArrayBuffer(4096));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Data of a repaired path with this number, sent at `time`; no two are alike. */
export function plaintext(seq: number, length: number, time: number = seq * 120): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => Math.imul(seq + 1, 0x9e37_79b1 + i) >>> 13);
  const view = new DataView(bytes.buffer);
  const trailer = length - TRAILER;
  bytes[trailer] = KIND.repaired;
  view.setUint16(trailer + 1, seq & 0xfff);
  view.setUint32(trailer + 8, seq);
  view.setUint32(trailer + 12, time);
  return bytes;
}

/**
 * Some get lost, some come twice, the second one sent later: what is made was lost, and is what was sent, but for the
 * time, which is that of the newest in its group.
 */
export const makesWhatWasLost = fc.property(
  fc.integer({ min: 2, max: 20 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 0, max: 0x7fff_ffff }),
  fc.array(fc.tuple(fc.integer({ min: TRAILER, max: LONGEST }), fc.nat(99)), { maxLength: 200 }),
  (data, parity, first, sent) => {
    const writer = new ParityWriter({ data, parity: Math.min(parity, data) }, LONGEST);
    const reader = new ParityReader(LONGEST);
    const [out, into] = [memory(), memory()];
    const all = new Map<number, number>();
    let time = 0;
    const came = new Set<number>();
    const hear = (): void => {
      for (let n = writer.take(out, AT); n > 0; n = writer.take(out, AT)) {
        into.bytes.set(out.bytes.subarray(AT, AT + n), AT);
        const made = reader.take(into, AT, n);
        if (made < 0) throw new Error("parity that is none");
        if (made === 0) continue;
        const seq = into.view.getUint32(AT + made - TRAILER + 8);
        if (came.has(seq)) throw new Error("it was there");
        const sent = plaintext(seq, all.get(seq) ?? 0, time);
        if (Buffer.compare(into.bytes.subarray(AT, AT + made), sent) !== 0)
          throw new Error("something else");
        came.add(seq);
        reader.saw(into, AT, made);
      }
    };
    for (const [i, [length, dice]] of sent.entries()) {
      const seq = (first + i) & 0x7fff_ffff;
      time = i * 20_000;
      all.set(seq, length);
      out.bytes.set(plaintext(seq, length, time), AT);
      writer.add(out, AT, length);
      if (dice >= 10) {
        came.add(seq);
        for (let times = 0; times < (dice < 20 ? 2 : 1); times++) {
          into.bytes.set(plaintext(seq, length, time + times * 3_000), AT);
          reader.saw(into, AT, length);
        }
      }
      hear();
    }
  },
);

/** No parity, however wrong, throws, makes anything too long, or touches what is behind it. */
export const mendsSoberly = fc.property(
  fc.array(
    fc.tuple(
      fc.boolean(),
      fc.uint8Array({ minLength: TRAILER, maxLength: 200 }),
      fc.nat(80),
      fc.nat(9),
    ),
    { maxLength: 40 },
  ),
  (said) => {
    const reader = new ParityReader(LONGEST);
    const into = memory();
    for (const [isData, some, data, first] of said) {
      into.bytes.fill(GUARD);
      const bytes = isData ? plaintext(first, some.length) : some;
      into.bytes.set(bytes, AT);
      if (isData) reader.saw(into, AT, bytes.length);
      else {
        const trailer = AT + bytes.length - TRAILER;
        into.bytes[trailer + 1] = data;
        into.view.setUint32(trailer + 4, first >> 1);
        into.view.setUint16(trailer + 8, 1 + (first % 3));
        into.view.setUint16(trailer + 10, first % 3);
        const made = reader.take(into, AT, bytes.length);
        if (made > bytes.length - TRAILER) throw new Error("longer than its parity");
      }
      if (into.bytes[AT - 1] !== GUARD || into.bytes[AT + bytes.length] !== GUARD)
        throw new Error("touched what is not its own");
    }
  },
);
