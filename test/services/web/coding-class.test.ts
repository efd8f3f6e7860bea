import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { SILENT, UNKNOWN, type ValueClasses } from "../../../src/core/value-classes.ts";
import { codingClasses } from "../../../src/services/web/coding-class.ts";
import { type Coding, negotiate } from "../../../src/wire/http/encoding.ts";

const CODINGS: Coding[] = ["zstd", "br", "gzip"];
const find = (classes: ValueClasses, value: string) => {
  const bytes = Buffer.from(`..${value}..`, "latin1");
  return classes.find(bytes, 2, bytes.length - 2);
};

const weight = fc.constantFrom("", ";q=0", ";q=0.3", ";q=0.7", ";q=1", ";q=x");
const coding = fc.constantFrom("gzip", "br", "zstd", "identity", "*", "deflate", "");
const value = fc
  .array(fc.tuple(coding, weight), { maxLength: 5 })
  .map((list) => list.map(([name, q]) => name + q).join(", "));

describe("classes of Accept-Encoding", () => {
  test("values of one class are answered alike, whatever is offered", () => {
    fc.assert(
      fc.property(value, value, fc.shuffledSubarray(CODINGS), (a, b, offered) => {
        const classes = codingClasses(CODINGS);
        const same = classes.learn(a) === classes.learn(b);
        if (same) expect(negotiate(a, offered)).toBe(negotiate(b, offered));
      }),
    );
  });

  test("a value is found once it was learnt, and only that value", () => {
    const classes = codingClasses(CODINGS);
    expect(find(classes, "gzip, br")).toBe(UNKNOWN);
    const learnt = classes.learn("gzip, br");
    expect(find(classes, "gzip, br")).toBe(learnt);
    expect(find(classes, "gzip, bz")).toBe(UNKNOWN);
    expect(classes.learn("br, gzip")).toBe(learnt);
    expect(classes.learn("gzip;q=0.5, br")).not.toBe(learnt);
    expect(classes.learn("br;q=0.5, gzip")).not.toBe(learnt);
    expect(classes.learn(null)).toBe(SILENT);
    expect(classes.learn("x".repeat(1000))).toBe(UNKNOWN);
  });

  test("whoever sends very many of them cannot make them many", () => {
    const classes = codingClasses(CODINGS);
    const known = new Set<number>();
    fc.assert(
      fc.property(value, (one) => void known.add(classes.learn(one))),
      { numRuns: 5000 },
    );
    for (let i = 0; i < 5000; i++) known.add(classes.learn(`gzip, x${i}`));
    expect(known.size).toBeLessThanOrEqual(65);
    expect(find(classes, "gzip, x4999")).toBeGreaterThan(0);
  });
});
