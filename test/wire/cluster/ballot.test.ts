import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  type Ballot,
  emitBallot,
  headOf,
  MAX_BALLOT,
  MAX_BALLOT_HEAD,
  parseBallot,
  VOTE_ID_LENGTH,
} from "../../../src/wire/cluster/ballot.ts";

const ID = "AAAAbbbb0000-_zz";

test.each([
  { story: "nothing", text: "" },
  { story: "no line end", text: "tern-votes-1 a 1" },
  { story: "another version of the format", text: "tern-votes-2 a 1\n" },
  { story: "somebody else's JSON", text: '{"up":true}\n' },
  { story: "a version that is no number", text: "tern-votes-1 a x\n" },
  { story: "a version beyond what numbers can tell apart", text: `tern-votes-1 a ${10n ** 16n}\n` },
  { story: "an instance too long", text: `tern-votes-1 ${"a".repeat(23)} 1\n` },
  { story: "an empty line", text: "tern-votes-1 a 1\n\n" },
  { story: "neither up nor down", text: `tern-votes-1 a 1\n?${ID}\n` },
  { story: "a short id", text: "tern-votes-1 a 1\n+abc\n" },
  { story: "a reason with a control character", text: `tern-votes-1 a 1\n-${ID} \x1b[31m\n` },
  { story: "a reason without end", text: `tern-votes-1 a 1\n-${ID} ${"x".repeat(101)}\n` },
  { story: "Windows line ends", text: `tern-votes-1 a 1\r\n+${ID}\r\n` },
])("no ballot: $story", ({ text }) => {
  expect(parseBallot(text)).toBeUndefined();
});

test("a ballot as it is written", () => {
  const votes = new Map([
    [ID, { state: "up", why: "" }],
    ["BBBBbbbb0000-_zz", { state: "down", why: "line\nbreaks\tand ü go" }],
  ] as const);
  const text = emitBallot({ instance: "i", version: 7, votes });
  expect(text).toBe(`tern-votes-1 i 7\n-BBBBbbbb0000-_zz line breaks and   go\n+${ID}\n`);
  expect(headOf("i", 7).length).toBeLessThanOrEqual(MAX_BALLOT_HEAD);
});

test("one too long has what is down", () => {
  const votes = new Map(
    Array.from({ length: 70_000 }, (_, i) => [
      String(i).padStart(VOTE_ID_LENGTH, "0"),
      i % 7000 === 6999
        ? ({ state: "down", why: "x" } as const)
        : ({ state: "up", why: "" } as const),
    ]),
  );
  const text = emitBallot({ instance: "i", version: 1, votes });
  expect(text.length).toBeLessThanOrEqual(MAX_BALLOT);
  const read = parseBallot(text);
  expect([...(read?.votes.values() ?? [])].filter(({ state }) => state === "down")).toHaveLength(
    10,
  );
  expect(parseBallot(text + text.slice(text.indexOf("\n") + 1))).toBeUndefined();
});

const ids = fc.stringMatching(/^[A-Za-z0-9_-]{16}$/);
const vote = fc.oneof(
  fc.constant({ state: "up", why: "" } as const),
  fc.record({ state: fc.constant("down" as const), why: fc.stringMatching(/^[ -~]{0,100}$/) }),
);
const ballot: fc.Arbitrary<Ballot> = fc.record({
  instance: fc.stringMatching(/^[A-Za-z0-9_-]{1,22}$/),
  version: fc.nat(),
  votes: fc.array(fc.tuple(ids, vote)).map((entries) => new Map(entries)),
});

test("what it reads, it writes back", () => {
  fc.assert(
    fc.property(ballot, (one) => {
      expect(parseBallot(emitBallot(one))).toEqual(one);
    }),
  );
});

test("whatever stands there, it is read or it is none", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (head, rest) => {
      parseBallot(head);
      parseBallot(`tern-votes-1 i 1\n${rest}\n`);
    }),
  );
});
