import { expect, test } from "bun:test";

import { isLevel } from "../../../src/admin/console/page/state/levels.ts";

test.each([
  { story: "by its own name", levels: ["open"], path: ["a", "open"], is: true },
  { story: "a name that only ends so", levels: ["open"], path: ["a", "reopen"], is: false },
  { story: "by two names", levels: ["cache.bytes"], path: ["a", "cache", "bytes"], is: true },
  { story: "of something else", levels: ["cache.bytes"], path: ["a", "bytes"], is: false },
  {
    story: "whatever is between",
    levels: ["usage.*.bytes"],
    path: ["a", "usage", "/x.y/", "bytes"],
    is: true,
  },
  { story: "too short", levels: ["a.b"], path: ["b"], is: false },
  { story: "no levels", levels: [], path: ["open"], is: false },
])("$story: $is", ({ levels, path, is }) => {
  expect(isLevel(levels, path)).toBe(is);
});
