import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Answers } from "../../../src/services/dns/answers.ts";
import { Tail } from "../../../src/services/dns/tail.ts";
import { question } from "./zone/ask.ts";

/** A tail whose bytes all have one value. */
function tailOf(byte: number, length: number): Tail {
  const tail = new Tail();
  tail.bytes = new Uint8Array(length + 7).fill(byte);
  tail.from = 7;
  tail.length = tail.requiredLength = length;
  tail.rcode = 3;
  tail.authoritative = true;
  tail.answers = 1;
  tail.authorities = 2;
  tail.additionals = 300;
  tail.requiredAdditionals = 4;
  return tail;
}

function contents(tail: Tail | undefined): number[] | undefined {
  if (tail === undefined) return undefined;
  const bytes = new Uint8Array(tail.length);
  tail.copy(bytes, 0, tail.length);
  return [...bytes];
}

describe("answers kept ready", () => {
  test("as they were added", () => {
    const answers = new Answers(4096);
    const { query } = question("www.example A");
    expect(answers.find(query)).toBeUndefined();
    answers.add(query, tailOf(9, 5));
    const kept = answers.find(query) as Tail;
    expect(contents(kept)).toEqual([9, 9, 9, 9, 9]);
    expect(kept).toMatchObject({ rcode: 3, authoritative: true, answers: 1, authorities: 2 });
    expect(kept).toMatchObject({ additionals: 300, requiredLength: 5, requiredAdditionals: 4 });
  });

  test("long ones are copied whole, and in part", () => {
    const answers = new Answers(65536);
    const { query } = question("www.example A");
    answers.add(query, tailOf(7, 5000));
    const into = new Uint8Array(5010);
    expect((answers.find(query) as Tail).copy(into, 5, 5000)).toBe(5005);
    expect(into.subarray(0, 6)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 7));
    expect(into[5004]).toBe(7);
    expect(into[5005]).toBe(0);
  });

  test.each(["www.example AAAA", "www.example A +do", "ww.example A", "wwww.example A"])(
    "not for another question: %s",
    (other) => {
      const answers = new Answers(4096);
      answers.add(question("www.example A").query, tailOf(1, 10));
      expect(answers.find(question(other).query)).toBeUndefined();
    },
  );

  test("whatever the case", () => {
    const answers = new Answers(4096);
    answers.add(question("www.example A").query, tailOf(1, 10));
    expect(contents(answers.find(question("WWW.Example A").query))).toHaveLength(10);
  });

  test("the newer of two", () => {
    const answers = new Answers(4096);
    const { query } = question("www.example A");
    answers.add(query, tailOf(1, 10));
    answers.add(query, tailOf(2, 10));
    expect(contents(answers.find(query))?.[0]).toBe(2);
  });

  test("none after a change", () => {
    const answers = new Answers(4096);
    const { query } = question("www.example A");
    answers.add(query, tailOf(1, 10));
    answers.clear();
    expect(answers.find(query)).toBeUndefined();
    answers.add(query, tailOf(2, 10));
    expect(contents(answers.find(query))?.[0]).toBe(2);
  });

  test("not what is larger than all the room, or than any message", () => {
    const answers = new Answers(1024);
    const { query } = question("www.example A");
    answers.add(query, tailOf(1, 1020));
    expect(answers.find(query)).toBeUndefined();
    const cut = tailOf(1, 0);
    cut.requiredLength = 0x10000;
    answers.add(query, cut);
    expect(answers.find(query)).toBeUndefined();
  });
});

test("it says the last that was added for a question, or nothing", () => {
  const queries = Array.from({ length: 40 }, (_, i) => question(`name-${i}.example A`).query);
  const step = fc.record({
    which: fc.nat(queries.length - 1),
    length: fc.integer({ min: 0, max: 400 }),
    what: fc.constantFrom("add", "find", "find", "find", "clear"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const answers = new Answers(2048);
      const said = new Map<number, number[]>();
      for (const [i, { which, length, what }] of steps.entries()) {
        const query = queries[which];
        if (query === undefined) continue;
        if (what === "clear") {
          answers.clear();
          said.clear();
        } else if (what === "add") {
          answers.add(query, tailOf(i & 0xff, length));
          said.set(
            which,
            Array.from({ length }, () => i & 0xff),
          );
        } else {
          const found = contents(answers.find(query));
          if (found !== undefined) expect(found).toEqual(said.get(which) as number[]);
        }
      }
    }),
  );
});

test("what was added last is there", () => {
  const answers = new Answers(1 << 16);
  for (let i = 0; i < 5000; i++) {
    const { query } = question(`name-${i}.example A`);
    answers.add(query, tailOf(i & 0xff, 40));
    expect(contents(answers.find(query))?.[0]).toBe(i & 0xff);
  }
});
