import { expect, test } from "bun:test";

import { changedInRoot, restartNotes } from "../../src/app/root-changes.ts";
import { load } from "../../src/config/load.ts";
import type { RootConfig } from "../../src/config/root.ts";

function root(text: string): RootConfig {
  const loaded = load(text, { file: "tern.yaml", sections: {}, later: [] });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  return loaded.root;
}

test.each([
  { story: "nothing", old: "", next: "", changed: [], notes: [] },
  { story: "the level", old: "", next: "log: { level: debug }", changed: ["log"], notes: [] },
  {
    story: "the format cannot change while it runs",
    old: "",
    next: "log: { format: json }",
    changed: ["log"],
    notes: ["needs a restart: log.format"],
  },
  {
    story: "nor the state and the user",
    old: "",
    next: "{ state: /tmp/x, user: www, admin: { socket: /run/x.sock } }",
    changed: ["admin"],
    notes: ["needs a restart: user", "needs a restart: state"],
  },
  {
    story: "an access log",
    old: "workers: 2",
    next: "{ workers: 4, access_log: { file: /tmp/a.log } }",
    changed: ["workers", "access_log"],
    notes: [],
  },
])("$story", ({ old, next, changed, notes }) => {
  const before = root(old);
  const after = root(next);
  // The socket's default is in the state directory; the case names it so that it stays.
  expect(changedInRoot(before, after)).toEqual([...changed]);
  expect(restartNotes(before, after)).toEqual([...notes]);
});
