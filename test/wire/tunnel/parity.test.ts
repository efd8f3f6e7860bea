import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ParityReader, type ParityRules, ParityWriter } from "../../../src/wire/tunnel/parity.ts";
import { KIND, TRAILER } from "../../../src/wire/tunnel/plaintext.ts";
import * as properties from "./parity.properties.ts";
import { LONGEST, memory, plaintext } from "./parity.properties.ts";

interface Said {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly isParity: boolean;
}

interface Row {
  readonly rules: ParityRules;
  readonly lost: readonly number[];
  readonly made: readonly number[];
}

/** What leaves when data with these numbers does. */
function say(
  rules: ParityRules,
  seqs: readonly number[],
  lengthOf: (seq: number) => number = () => 200,
): Said[] {
  const writer = new ParityWriter(rules, LONGEST);
  const out = memory();
  return seqs.flatMap((seq) => {
    const bytes = plaintext(seq, lengthOf(seq));
    out.bytes.set(bytes, 40);
    writer.add(out, 40, bytes.length);
    const said: Said[] = [{ seq, bytes, isParity: false }];
    for (let n = writer.take(out, 40); n > 0; n = writer.take(out, 40))
      said.push({ seq, bytes: out.bytes.slice(40, 40 + n), isParity: true });
    return said;
  });
}

/** Plaintexts that are made when these come; the numbers of those. */
function hear(said: readonly Said[]) {
  const reader = new ParityReader(LONGEST);
  const into = memory();
  const made: Uint8Array[] = [];
  for (const { bytes, isParity } of said) {
    into.bytes.set(bytes, 40);
    if (!isParity) reader.saw(into, 40, bytes.length);
    else {
      const n = reader.take(into, 40, bytes.length);
      expect(n).toBeGreaterThanOrEqual(0);
      if (n > 0) made.push(into.bytes.slice(40, 40 + n));
    }
  }
  return { made, mended: reader.mended };
}

const upTo = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => i + from);
const varied = (seq: number): number => 40 + ((seq * 389) % 1300);

describe("parity", () => {
  test("of four datagrams, byte by byte", () => {
    const said = say({ data: 4, parity: 2 }, upTo(4, 7));
    expect(said.map(({ isParity }) => isParity)).toEqual([false, false, false, false, true, true]);
    const [a, , c, , even, odd] = said.map(({ bytes }) => bytes);
    expect(Buffer.from(even?.subarray(-TRAILER) ?? []).toString("hex")).toBe(
      "060400000000000700020000000004b0",
    );
    expect(Buffer.from(odd?.subarray(-TRAILER) ?? []).toString("hex")).toBe(
      "060400000000000700020001000004b0",
    );
    expect(even?.slice(0, 200)).toEqual(
      (a ?? new Uint8Array()).map((byte, i) => (i < 196 ? byte ^ (c?.[i] ?? 0) : 0)),
    );
  });

  // The first group teaches the reader that there is parity.
  test.each([
    { story: "one", rules: { data: 10, parity: 1 }, lost: [13], made: [13] },
    { story: "the last, which is longer", rules: { data: 10, parity: 1 }, lost: [19], made: [19] },
    {
      story: "two in a row, with one parity",
      rules: { data: 10, parity: 1 },
      lost: [13, 14],
      made: [],
    },
    {
      story: "two in a row, with two",
      rules: { data: 10, parity: 2 },
      lost: [13, 14],
      made: [14, 13],
    },
    {
      story: "three of three",
      rules: { data: 3, parity: 3 },
      lost: [12, 13, 14],
      made: [12, 13, 14],
    },
    { story: "nothing", rules: { data: 10, parity: 1 }, lost: [], made: [] },
  ])("what is lost is made again: $story", ({ rules, lost, made }: Row) => {
    const said = say(rules, upTo(30), varied);
    const heard = hear(said.filter(({ seq, isParity }) => isParity || !lost.includes(seq)));
    const newest = (Math.floor(13 / rules.data) + 1) * rules.data - 1; // of the group
    expect(heard.made).toEqual(made.map((seq) => plaintext(seq, varied(seq), newest * 120)));
    expect(heard.mended).toBe(made.length);
  });

  test("what is made was sent when its parity was, though others of the group came repeated", () => {
    const lengthOf = (seq: number): number => 100 + 2 * seq; // the time of one stands where others have their bytes
    const said = say({ data: 4, parity: 1 }, upTo(8), lengthOf);
    const again = { seq: 4, bytes: plaintext(4, lengthOf(4), 123_456), isParity: false };
    const came = said.filter(({ seq, isParity }) => isParity || seq !== 5);
    const heard = hear([...came.slice(0, -1), again, ...came.slice(-1)]);
    expect(heard.made).toEqual([plaintext(5, lengthOf(5), 7 * 120)]);
  });

  test("what is repeated belongs to no group; a new conversation begins one", () => {
    const kinds = (seqs: readonly number[]) =>
      say({ data: 3, parity: 1 }, seqs).map(({ seq, isParity }) => (isParity ? "parity" : seq));
    expect(kinds([0, 1, 0, 1, 1, 2, 2, 3])).toEqual([0, 1, 0, 1, 1, 2, "parity", 2, 3]);
    expect(kinds([900_000, 900_001, 5, 6, 7])).toEqual([900_000, 900_001, 5, 6, 7, "parity"]);
    const last = 0x7fff_ffff;
    expect(kinds([last - 1, last, 0])).toEqual([last - 1, last, 0, "parity"]);
  });

  test("what UDT has to say itself is not for it", () => {
    const writer = new ParityWriter({ data: 2, parity: 1 }, LONGEST);
    const out = memory();
    out.bytes[40 + 50 - TRAILER] = KIND.repaired;
    out.view.setUint16(40 + 50 - TRAILER + 1, 0xffff);
    for (let i = 0; i < 4; i++) writer.add(out, 40, 50);
    expect(writer.take(out, 40)).toBe(0);
  });

  test("whatever is lost, and however it comes, what is made is what was lost", () => {
    fc.assert(properties.makesWhatWasLost);
  });
  test("nothing that says it is parity does harm", () => {
    fc.assert(properties.mendsSoberly);
  });
});
