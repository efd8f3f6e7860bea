import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  bodyAt,
  emitFork,
  emitResponse,
  parse,
} from "../../../../../src/services/proxy/cache/disk/record.ts";

const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]*$/);
const time = fc.nat({ max: 4e12 });
const response = fc.record({
  name: fc.record({ key: fc.string(), names: fc.array(fc.string()), variant: fc.string() }),
  sent: fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    fields: fc.array(fc.tuple(name, value)),
    asked: time,
    came: time,
  }),
  body: fc.record({ length: fc.nat({ max: 2 ** 50 }), crc: fc.nat({ max: 2 ** 32 - 1 }) }),
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(response, ({ name: of, sent, body }) => {
      const bytes = emitResponse(of, sent, body);
      const at = bodyAt(bytes)!;
      expect(at).toBe(bytes.length);
      const note = expect.any(Number);
      const whole = { kind: "response", name: of, sent, note, body: { at, ...body } };
      expect(parse(bytes) as unknown).toEqual(whole);
    }),
  );
  const fork = { key: "k", names: ["a", "b"], since: 7 };
  expect(parse(emitFork(fork))).toEqual({ kind: "fork", ...fork });
});

test("whatever is changed or missing is noticed", () => {
  fc.assert(
    fc.property(
      response,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (one, where, by, cut) => {
        const bytes = emitResponse(one.name, one.sent, one.body);
        const at = where % bytes.length;
        if (cut) return expect(parse(bytes.subarray(0, at))).toBeUndefined();
        bytes[at] = bytes[at]! ^ by;
        const read = parse(bytes);
        // Only the spaces behind the note mean nothing.
        if (read !== undefined) expect(at).toBeGreaterThan(36);
        if (read !== undefined)
          expect(bytes.subarray(36, at).toString().trimEnd().endsWith("}")).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test("any bytes are read without a throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      expect(parse(Buffer.from(bytes))).toBeUndefined();
    }),
  );
});
