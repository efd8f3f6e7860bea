import { expect, test } from "bun:test";

import { type Change, NOTHING, type Read, wrongReads } from "./register-history.ts";

const change = (value: string, began: number, ended?: number): Change => ({ value, began, ended });
const read = (value: string, began: number, ended: number): Read => ({ value, began, ended });

test.each([
  {
    story: "what was written last",
    changes: [change("a", 0, 1)],
    reads: [read("a", 2, 3)],
    wrong: 0,
  },
  {
    story: "nothing, when nothing was written",
    changes: [],
    reads: [read(NOTHING, 2, 3)],
    wrong: 0,
  },
  {
    story: "nothing, when something was kept",
    changes: [change("a", 0, 1)],
    reads: [read(NOTHING, 2, 3)],
    wrong: 1,
  },
  { story: "what nobody wrote", changes: [change("a", 0, 1)], reads: [read("b", 2, 3)], wrong: 1 },
  {
    story: "what is written later",
    changes: [change("a", 4, 5)],
    reads: [read("a", 2, 3)],
    wrong: 1,
  },
  {
    story: "what was replaced before",
    changes: [change("a", 0, 1), change("b", 2, 3)],
    reads: [read("a", 4, 5)],
    wrong: 1,
  },
  {
    story: "what is being replaced",
    changes: [change("a", 0, 1), change("b", 2, 6)],
    reads: [read("a", 4, 5), read("b", 4, 5)],
    wrong: 0,
  },
  {
    story: "one of two that were written at once",
    changes: [change("a", 0, 3), change("b", 1, 2)],
    reads: [read("a", 4, 5), read("b", 4, 5)],
    wrong: 0,
  },
  {
    story: "what may have been done at any time",
    changes: [change("a", 0), change("b", 2, 3)],
    reads: [read("a", 4, 5)],
    wrong: 0,
  },
])("$story: $wrong wrong", ({ changes, reads, wrong }) => {
  expect(wrongReads(changes, reads).length).toBe(wrong);
});
