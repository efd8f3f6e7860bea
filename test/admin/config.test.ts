import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import type { AdminDeps, Changed, ConfigDesk, How } from "../../src/admin/deps.ts";
import { basic, caller, fakeDeps, logIn, PASSWORD, postJson } from "./fake-deps.ts";

const PROBLEM = { file: "t.yaml", line: 3, column: 5, path: "web", message: "unknown key" };
const WITH_LINE = { ...PROBLEM, excerpt: "password: hunter2" };

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  desk: Partial<ConfigDesk> = {},
  more: Partial<AdminDeps> = {},
): Promise<Asked & { done: string[] }> {
  const { deps, done } = fakeDeps();
  const app = adminApp({ ...deps, config: { ...deps.config, ...desk }, ...more });
  const init = { ...postJson(body ?? {}, { "X-Operator": "ann" }), method };
  const { body: _, ...bare } = init;
  const response = await app.request(path, method === "GET" ? bare : init, caller("unix"));
  const text = await response.text();
  const json = (text.startsWith("{") ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: response.status, text, json, headers: response.headers, done };
}

test("the config comes with the generation that a change is based on", async () => {
  const { text, headers } = await ask("GET", "/api/v1/config");
  expect([text, headers.get("etag")]).toEqual(["workers: 1\n", '"7"']);
});

const OUTCOMES: { changed: Changed; status: number; says: object }[] = [
  {
    changed: { kind: "done", changed: ["web"], notes: ["n"], generation: 8, unsaved: 2 },
    status: 200,
    says: { changed: ["web"], notes: ["n"], generation: 8, unsaved: 2 },
  },
  {
    changed: { kind: "refused", problems: ["to: expected a word"] },
    status: 400,
    says: { error: "bad_input", problems: ["to: expected a word"] },
  },
  {
    changed: { kind: "cannot", why: "there is no pool x" },
    status: 409,
    says: { error: "cannot", message: "there is no pool x" },
  },
  { changed: { kind: "stale", generation: 9 }, status: 409, says: { error: "stale" } },
  { changed: { kind: "last user" }, status: 409, says: { error: "last_user" } },
  {
    changed: { kind: "bad config", problems: [WITH_LINE] },
    status: 422,
    says: { error: "bad_config", problems: [PROBLEM] },
  },
];

describe.each(OUTCOMES)("$changed.kind is $status", ({ changed, status, says }) => {
  test.each([
    { story: "of a text", method: "PUT", path: "/api/v1/config", body: { text: "a: 1" } },
    {
      story: "of a service",
      method: "POST",
      path: "/api/v1/services/pools/changes/state",
      body: {},
    },
    { story: "of a user", method: "PUT", path: "/api/v1/users/bob", body: { access: "full" } },
  ])("$story", async ({ method, path, body }) => {
    const answer = await ask(
      method,
      path,
      body,
      { put: async () => changed, edit: async () => changed },
      { change: async () => changed },
    );
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(says);
    expect(answer.text).not.toContain("hunter2");
  });
});

test("who did it is who says so on the unix socket, and nobody else", async () => {
  expect((await ask("PUT", "/api/v1/config", { text: "a: 1" })).done).toEqual(["ann puts a: 1"]);
  const { deps, done } = fakeDeps();
  const app = adminApp(deps);
  const { token } = await logIn(app, "ann");
  const headers = { Authorization: `Bearer ${token}`, "X-Operator": "eve" };
  await app.request(
    "/api/v1/config",
    { ...postJson({ text: "a: 1" }, headers), method: "PUT" },
    caller("loopback"),
  );
  expect(done).toEqual(["ann puts a: 1"]);
});

test.each([
  { story: "by the network", on: "loopback", query: "", force: false },
  { story: "by the network, who insists", on: "loopback", query: "?force=1", force: true },
  { story: "by the unix socket", on: "unix", query: "", force: true },
] as const)("may the last full user go? $story: $force", async ({ on, query, force }) => {
  const { deps } = fakeDeps();
  const seen: (How | undefined)[] = [];
  const put: AdminDeps["config"]["put"] = async (_text, _who, how) => {
    seen.push(how);
    return { kind: "stale", generation: 1 };
  };
  const app = adminApp({ ...deps, config: { ...deps.config, put } });
  const headers = on === "loopback" ? { Authorization: basic("ann", PASSWORD.ann) } : {};
  const init = { ...postJson({ text: "a: 1", base: 7 }, headers), method: "PUT" };
  await app.request(`/api/v1/config${query}`, init, caller(on));
  expect(seen).toEqual([{ base: 7, force }]);
});

describe("a text", () => {
  test.each([
    { story: "none", body: {}, status: 400 },
    { story: "of another kind", body: { text: 5 }, status: 400 },
    { story: "for a generation that is none", body: { text: "a", base: "x" }, status: 400 },
    { story: "of half a megabyte", body: { text: "# ".repeat(250_000) }, status: 200 },
    { story: "of a megabyte", body: { text: "# ".repeat(530_000) }, status: 413 },
  ])("$story: $status", async ({ body, status }) => {
    expect((await ask("PUT", "/api/v1/config", body)).status).toBe(status);
  });

  test("is checked without the line that is wrong, which may hold a secret", async () => {
    const check = () => ({ problems: [WITH_LINE], warnings: ["w"] });
    const answer = await ask("POST", "/api/v1/config/check", { text: "a" }, { check });
    expect(answer.json).toEqual({ ok: false, problems: [PROBLEM], warnings: ["w"] });
    expect(answer.text).not.toContain("hunter2");
  });
});

describe("a save", () => {
  test.each([
    { saved: { kind: "saved", file: "/t.yaml", notes: [] }, status: 200, says: { saved: true } },
    {
      saved: { kind: "same", file: "/t.yaml", notes: ["n"] },
      status: 200,
      says: { saved: false, notes: ["n"] },
    },
    {
      saved: { kind: "refused", error: "changed_on_disk", why: "theirs" },
      status: 409,
      says: { error: "changed_on_disk", message: "theirs" },
    },
    {
      saved: { kind: "refused", error: "no_file", why: "none" },
      status: 409,
      says: { error: "no_file" },
    },
    {
      saved: { kind: "refused", error: "cannot_write", why: "no" },
      status: 409,
      says: { error: "cannot_write" },
    },
  ] as const)("$saved.kind: $status", async ({ saved, status, says }) => {
    const answer = await ask("POST", "/api/v1/config/save", {}, { save: async () => saved });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(says);
  });

  test("by force, when asked to", async () => {
    const how: unknown[] = [];
    const save: ConfigDesk["save"] = async (_, it) => (
      how.push(it),
      { kind: "same", file: "", notes: [] }
    );
    await ask("POST", "/api/v1/config/save", {}, { save });
    await ask("POST", "/api/v1/config/save", { force: true }, { save });
    expect(how).toEqual([
      { force: false, render: false },
      { force: true, render: false },
    ]);
  });

  test("what would be written, secrets and all, is told on the unix socket only", async () => {
    const save: ConfigDesk["save"] = async () => ({
      kind: "rendered",
      file: "/t.yaml",
      text: "hunter2",
    });
    const body = { render: true };
    expect((await ask("POST", "/api/v1/config/save", body, { save })).json).toMatchObject({
      text: "hunter2",
    });
    const { deps } = fakeDeps();
    const app = adminApp({ ...deps, config: { ...deps.config, save } });
    const { token } = await logIn(app, "ann");
    const response = await app.request(
      "/api/v1/config/save",
      postJson(body, { Authorization: `Bearer ${token}` }),
      caller("loopback"),
    );
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("hunter2");
  });
});

test("a difference", async () => {
  expect((await ask("GET", "/api/v1/config/diff")).json).toEqual({
    same: false,
    file: "/etc/tern.yaml",
    changedOnDisk: false,
    changed: ["workers"],
    diff: "-workers: 1\n+workers: 2\n",
    unsaved: [{ at: 5, who: "ann", what: "workers" }],
  });
});

test("a reload tells what it cost", async () => {
  const dropped = [{ at: 5, who: "ann", what: "pools state", edits: [{ value: "hunter2" }] }];
  const answer = await ask(
    "POST",
    "/api/v1/reload",
    {},
    {},
    {
      reload: async () => ({ ok: true, changed: ["web"], notes: ["n"], dropped }),
    },
  );
  expect(answer.json).toEqual({
    changed: ["web"],
    notes: ["n"],
    dropped: [{ at: 5, who: "ann", what: "pools state" }],
  });
});

test.each([
  { path: "/api/v1/services/dns/changes/state", error: "no_service" },
  { path: "/api/v1/services/pools/changes/nothing", error: "no_change" },
  { path: "/api/v1/services/constructor/changes/name", error: "no_service" },
  { path: "/api/v1/services/pools/changes/constructor", error: "no_change" },
])("$path: $error", async ({ path, error }) => {
  expect(await ask("POST", path)).toMatchObject({ status: 404, json: { error } });
});

describe("the log", () => {
  const get = async (query: string) => {
    const { deps, journal } = fakeDeps();
    for (const [i, level] of (["info", "warn", "error", "info"] as const).entries())
      journal.add(level, `${i}`, {}, i * 1000);
    const response = await adminApp(deps).request(`/api/v1/log${query}`, {}, caller("unix"));
    const said = (await response.json()) as { message: string }[];
    return response.ok ? said.map((e) => e.message).join("") : response.status;
  };
  test.each([
    { query: "", says: "0123" },
    { query: "?limit=2", says: "23" },
    { query: "?level=warn", says: "12" },
    { query: "?since=2", says: "23" },
    { query: "?since=1970-01-01T00:00:01Z", says: "23" },
    { query: "?level=error&limit=1", says: "2" },
    { query: "?limit=0", says: 400 },
    { query: "?limit=many", says: 400 },
    { query: "?level=loud", says: 400 },
    { query: "?since=yesterday", says: 400 },
  ])("$query", async ({ query, says }) => {
    expect(await get(query)).toBe(says);
  });
});
