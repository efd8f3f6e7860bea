import { expect, test } from "bun:test";

import { tally } from "../../../src/net/cluster/tally.ts";

/** u: up, d: down, ?: not judged yet; the first is our own probes' word. */
test.each([
  { story: "alone, our own view stands", votes: "d", quorum: "majority", is: undefined },
  { story: "one of two is no majority", votes: "du", quorum: "majority", is: "up 1 of 2 nodes: x" },
  { story: "two of two are", votes: "dd", quorum: "majority", is: "down 2 of 2 nodes: x" },
  { story: "two of three", votes: "udd", quorum: "majority", is: "down 2 of 3 nodes: x" },
  { story: "two of four are not", votes: "uudd", quorum: "majority", is: "up 2 of 4 nodes: x" },
  {
    story: "who does not know has no vote",
    votes: "?d",
    quorum: "majority",
    is: "down 1 of 1 nodes: x",
  },
  { story: "nothing against it", votes: "?u", quorum: "majority", is: "up " },
  { story: "a quorum of one", votes: "uud", quorum: 1, is: "down 1 of 3 nodes: x" },
  {
    story: "a quorum of more than there are is all",
    votes: "ddd",
    quorum: 9,
    is: "down 3 of 3 nodes: x",
  },
  { story: "but no fewer", votes: "ddu", quorum: 9, is: "up 2 of 3 nodes: x" },
] as const)("$story: $votes", ({ votes, quorum, is }) => {
  const [own, ...others] = [...votes].map((letter) => ({
    state: ({ u: "up", d: "down", "?": "unknown" } as const)[letter as "u" | "d" | "?"],
    why: letter === "d" ? "x" : "",
  }));
  if (own === undefined) throw new Error("a row without votes");
  const said = others.flatMap(({ state, why }) => (state === "unknown" ? [] : [{ state, why }]));
  const made = tally(own, said, quorum);
  expect(made && `${made.state} ${made.why}`).toBe(is);
});
