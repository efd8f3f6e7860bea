import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

import fc from "fast-check";

import {
  BLOCK,
  blocksOf,
  Checksums,
  compareVersions,
  type CopyRecord,
  emitRecord,
  parseRecord,
  type Version,
} from "../../../src/services/store/record.ts";

const stamp = fc.record({ time: fc.nat(), by: fc.string() });
const version = fc.oneof(
  fc.record(
    {
      kind: fc.constant("file" as const),
      stamp,
      size: fc.nat(),
      mtime: fc.nat(),
      type: fc.string(),
      sha256: fc.string(),
      blocks: fc.base64String(),
    },
    { requiredKeys: ["kind", "stamp", "size", "mtime", "sha256", "blocks"] },
  ),
  fc.record({ kind: fc.constant("deleted" as const), stamp }),
  fc.record({ kind: fc.constant("bare" as const), size: fc.nat(), mtime: fc.nat() }),
) as fc.Arbitrary<Version>;
const record: fc.Arbitrary<CopyRecord> = fc.record({
  key: fc.string({ unit: "grapheme" }),
  versions: fc.array(version, { minLength: 1, maxLength: 3 }),
});

test("what it reads, it writes back", () => {
  fc.assert(fc.property(record, (given) => expect(parseRecord(emitRecord(given))).toEqual(given)));
});

test("cut off anywhere, or with any bit flipped, it is none", () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.nat(7), (given, n, bit) => {
      const bytes = emitRecord(given);
      const at = n % bytes.length;
      expect(parseRecord(bytes.subarray(0, at))).toBeUndefined();
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      const read = parseRecord(flipped);
      // A hex digit in upper case is the same number, which none of ours is written with.
      if (read !== undefined) expect(read).toEqual(given);
    }),
  );
});

test("noise is none", () => {
  fc.assert(fc.property(fc.uint8Array(), (noise) => expect(parseRecord(noise)).toBeUndefined()));
});

test("versions have one order", () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      if (compareVersions(a, b) > 0 && compareVersions(b, c) > 0)
        expect(compareVersions(a, c)).toBeGreaterThan(0);
    }),
  );
});

test.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])("sums of %i bytes", (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
  const sums = new Checksums();
  for (let at = 0; at < length; at += 65_521) sums.add(bytes.subarray(at, at + 65_521));
  const made = sums.finish();
  expect(made.size).toBe(length);
  expect(made.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  const expected = Array.from({ length: Math.ceil(length / BLOCK) }, (_, i) =>
    crc32(bytes.subarray(i * BLOCK, (i + 1) * BLOCK)),
  );
  const file = {
    kind: "file",
    stamp: { time: 1, by: "" },
    mtime: 1,
    ...made,
  } as const;
  expect([...blocksOf(file)]).toEqual(expected);
});
