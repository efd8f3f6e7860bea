import { expect, test } from "bun:test";

import { Recent } from "../../src/observe/recent.ts";

const known = (events: readonly string[], after: number): string => {
  const ring = new Recent<string>(3);
  for (const e of events) ring.push(e);
  return ring
    .after(after)
    .map(({ number, event }) => `${number}${event}`)
    .join(" ");
};

test("numbers may go on elsewhere, and then there is a gap", () => {
  const ring = new Recent<string>(3);
  for (const e of "ab") ring.push(e);
  ring.continueAfter(1); // further already
  ring.push("c");
  ring.continueAfter(10);
  expect(ring.after(0)).toEqual([]); // all that is known is too old by now
  expect(ring.push("d")).toBe(11);
  expect(ring.after(0)).toEqual([{ number: 11, event: "d" }]);
});

test.each([
  { story: "nothing yet", events: "", after: 0, got: "" },
  { story: "not full", events: "ab", after: 0, got: "1a 2b" },
  { story: "full", events: "abc", after: 0, got: "1a 2b 3c" },
  { story: "the oldest are forgotten", events: "abcde", after: 0, got: "3c 4d 5e" },
  { story: "only the new ones", events: "abcde", after: 4, got: "5e" },
  { story: "nothing new", events: "abcde", after: 5, got: "" },
  { story: "a reader from before a restart", events: "ab", after: 9, got: "" },
])("$story: $events after $after", ({ events, after, got }) => {
  expect(known([...events], after)).toBe(got);
});
