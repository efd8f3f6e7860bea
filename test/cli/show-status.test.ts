import { expect, test } from "bun:test";

import type { Status } from "../../src/app/status.ts";
import { showStatus } from "../../src/cli/show-status.ts";

const now = 1_800_000_000_000;

const status: Status = {
  version: "1.2.3",
  pid: 42,
  state: "serving",
  config: "/etc/tern/tern.yaml",
  generation: 3,
  unsaved: 0,
  startedAt: now - 3_723_000,
  user: "tern",
  admin: ["unix:/var/lib/tern/tern.sock", "127.0.0.1:9900"],
  lastReload: undefined,
  certificates: [],
  listeners: [
    {
      address: ":0",
      port: 8080,
      sites: ["web.a", "web.b"],
      workers: [0, 1],
      connections: 3,
      requests: 1204,
    },
  ],
  workers: [
    {
      index: 0,
      pid: 43,
      state: "serving",
      uptimeMs: 93_000,
      restarts: 1,
      lastDeath: "signal SIGKILL",
      rssBytes: 61_440_000,
      lagMs: 2,
      connections: 3,
      requests: 1204,
      services: ["web"],
      listeners: [":0"],
    },
  ],
};
const plain = { before: undefined, now, paint: (_: string, text: string) => text };

test("everything an operator asks first", () => {
  expect(showStatus(status, plain).split("\n")).toEqual([
    "tern 1.2.3  serving for 1h2m, process 42, tern",
    "config /etc/tern/tern.yaml, generation 3",
    "admin  unix:/var/lib/tern/tern.sock  127.0.0.1:9900",
    "",
    "LISTENER  SITES        CONNECTIONS  REQUESTS",
    ":8080     web.a web.b            3     1,204",
    "",
    "WORKER  PID  STATE    UP     RESTARTS  MEMORY  LAG  CONNECTIONS  REQUESTS  SERVES  LAST DEATH",
    "     0   43  serving  1m33s         1  61.4MB  2ms            3     1,204  web :0  signal SIGKILL",
  ]);
});

test("what is not in the file is said beside it", () => {
  const [, config] = showStatus({ ...status, unsaved: 2 }, plain).split("\n");
  expect(config).toBe(
    "config /etc/tern/tern.yaml, generation 3, 2 changes not saved (tern diff, tern save)",
  );
});

test.each([
  {
    story: "a reload that worked",
    more: {
      lastReload: { ok: true, changed: ["web"], notes: ["needs a restart: user"], problems: [] },
    },
    lines: ["reload 2m0s ago: web", "       needs a restart: user"],
  },
  {
    story: "one that was refused",
    more: { lastReload: { ok: false, changed: [], notes: [], problems: ["tern.yaml:1:1: no"] } },
    lines: ["reload 2m0s ago: refused", "       tern.yaml:1:1: no"],
  },
  {
    story: "certificates",
    more: {
      certificates: [
        { names: ["a.net", "b.net"], from: "file", expires: now + 86_400_000 * 3 },
        { names: ["c.net"], from: "acme", expires: undefined },
        { names: ["d.net"], from: "file", expires: now - 1 },
      ],
    },
    lines: [
      "tls    a.net, b.net (file) expires in 3d0h",
      "tls    c.net (acme) not issued yet",
      "tls    d.net (file) has expired",
    ],
  },
] as const)("$story", ({ more, lines }) => {
  const lastReload =
    "lastReload" in more ? { at: now - 120_000, tookMs: 5, ...more.lastReload } : undefined;
  const shown = showStatus({ ...status, ...more, lastReload }, plain).split("\n");
  expect(shown.slice(3, 3 + lines.length)).toEqual([...lines]);
});

test("while it is watched, requests per second", () => {
  const [listener] = status.listeners;
  const before = { ...status, listeners: [{ ...listener!, requests: 1000 }] };
  expect(showStatus(status, { ...plain, before })).toContain("PER SECOND");
  expect(showStatus(status, { ...plain, before })).toContain(" 204\n");
});

test.each([
  [{ alone: undefined, nodes: ["b", "c"], overruled: 2 }, "node   a votes with b, c, 2 overruled"],
  [{ alone: undefined, nodes: [], overruled: 0 }, "node   a votes with nobody yet"],
  [
    { alone: "no answer in time", nodes: [], overruled: 0 },
    "node   a goes by its own view: no answer in time",
  ],
])("a node of a cluster: %j", (cluster, line) => {
  expect(showStatus({ ...status, cluster: { node: "a", ...cluster } }, plain)).toContain(
    `\n${line}\n`,
  );
});
