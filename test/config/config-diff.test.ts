import { expect, test } from "bun:test";

import { configDiff } from "../../src/config/config-diff.ts";

const NAMES = ["tern.yaml", "running"] as const;

test("lines for people, paths for programs", () => {
  const before = "pools:\n  app:\n    hosts:\n      - a:1 # one\n      - b:1\n";
  const after = before.replace("b:1", "{ address: b:1, state: drain }");
  expect(configDiff(before, after, NAMES)).toEqual({
    changed: ["pools.app.hosts[1]"],
    diff: `--- tern.yaml
+++ running
@@ -2,4 +2,4 @@
   app:
     hosts:
       - a:1 # one
-      - b:1
+      - { address: b:1, state: drain }
`,
  });
});

test("another secret shows as a change, but not what it is", () => {
  const { changed, diff } = configDiff("token: hunter1\n", "token: hunter2\n", NAMES);
  expect(changed).toEqual(["token"]);
  expect(diff).toEndWith('@@ -1 +1 @@\n-token: "***"\n+token: "***"\n');
});

test("a comment is no value; the same is the same", () => {
  expect(configDiff("a: 1\n", "a: 1 # one\n", NAMES)).toMatchObject({ changed: [] });
  expect(configDiff("a: 1\n", "a: 1\n", NAMES)).toEqual({ changed: [], diff: "" });
});

test("a file that is broken by now is still compared", () => {
  expect(configDiff("a: [", "a: 1\n", NAMES)).toMatchObject({ changed: [] });
});
