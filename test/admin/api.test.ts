import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { MAX_BODY } from "../../src/admin/body.ts";
import type { AdminDeps } from "../../src/admin/deps.ts";
import { ROUTES } from "../../src/admin/routes.ts";
import { ANN, caller, fakeDeps, PASSWORD, postJson } from "./fake-deps.ts";

const here = caller("unix");
const PURGE = "/api/v1/services/web/actions/purge";

/** One request by the unix socket: its status and what it says. */
async function ask(path: string, init: RequestInit = {}, more: Partial<AdminDeps> = {}) {
  const response = await adminApp(fakeDeps(more).deps).request(path, init, here);
  const text = await response.text();
  const says: unknown = text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text;
  return { status: response.status, type: response.headers.get("content-type"), says };
}
const post = { method: "POST" };

describe("answers", () => {
  test.each([
    { path: "/healthz", status: 200, says: "ok\n" },
    { path: "/readyz", status: 200, says: "ok\n" },
    { path: "/metrics", status: 200, says: "tern_up 1\n" },
    { path: "/api/v1/config", status: 200, says: "workers: 1\n" },
    { path: "/api/v1/services/web/stats", status: 200, says: { requests: 3 } },
    { path: "/api/v1/services/dns/stats", status: 404, says: { error: "no_service" } },
    { path: "/api/v1/nothing", status: 404, says: { error: "not_found" } },
  ])("GET $path: $status", async ({ path, status, says }) => {
    const got = await ask(path);
    expect(got.status).toBe(status);
    if (typeof says === "string") expect(got.says).toBe(says);
    else expect(got.says).toMatchObject(says);
  });

  test("services come with their actions and the forms of their input", async () => {
    const { says } = await ask("/api/v1/services");
    expect(says).toMatchObject([
      {
        name: "web",
        about: "files",
        actions: { purge: { about: "Forget what is cached.", input: { type: "object" } } },
      },
    ]);
    expect(JSON.stringify(says)).toContain('"default":"1h"');
  });

  test("metrics in the type that Prometheus asks for", async () => {
    expect((await ask("/metrics")).type).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("unhealthy, not ready", async () => {
    expect((await ask("/healthz", {}, { health: () => false })).status).toBe(503);
    expect((await ask("/readyz", {}, { ready: () => false })).status).toBe(503);
  });

  test("changes", async () => {
    expect(await ask("/api/v1/reload", post)).toMatchObject({
      status: 200,
      says: { changed: ["web"] },
    });
    expect(await ask("/api/v1/stop", post)).toMatchObject({
      status: 202,
      says: { stopping: true },
    });
    expect(await ask("/api/v1/upgrade", post)).toMatchObject({ status: 200, says: { pid: 8 } });
  });

  test("a bad config: where and why, without the line, which may hold a secret", async () => {
    const problem = { file: "t.yaml", line: 3, column: 5, path: "web", message: "unknown key" };
    const problems = [{ ...problem, excerpt: "password: hunter2" }];
    const got = await ask("/api/v1/reload", post, {
      reload: async () => ({ ok: false, problems }),
    });
    expect(got).toMatchObject({ status: 422, says: { error: "bad_config", problems: [problem] } });
    expect(JSON.stringify(got.says)).not.toContain("hunter2");
  });

  test("an upgrade that fails says why", async () => {
    const upgrade = () => Promise.reject(new Error("the new binary did not start"));
    const got = await ask("/api/v1/upgrade", post, { upgrade });
    expect(got).toMatchObject({ status: 409, says: { message: "the new binary did not start" } });
  });

  test("what breaks in us is logged and not told", async () => {
    const { deps, logged } = fakeDeps({ status: () => Promise.reject(new Error("hunter2")) });
    const response = await adminApp(deps).request("/api/v1/status", {}, here);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("hunter2");
    expect(logged).toHaveLength(1);
  });
});

describe("actions", () => {
  test.each([
    { story: "no body takes the defaults", init: post, status: 200, says: { purged: 3_600_000 } },
    {
      story: "units are read",
      init: postJson({ older: "5m" }),
      status: 200,
      says: { purged: 300_000 },
    },
    {
      story: "an input that does not fit",
      init: postJson({ older: "hunter2" }),
      status: 400,
      says: { error: "bad_input" },
    },
    {
      story: "a key nobody knows",
      init: postJson({ hunter2: 1 }),
      status: 400,
      says: { error: "bad_input" },
    },
    { story: "not an object", init: postJson([]), status: 400, says: { error: "bad_json" } },
    {
      story: "not JSON",
      init: { ...post, headers: { "Content-Type": "application/json" }, body: "{" },
      status: 400,
      says: { error: "bad_json" },
    },
    {
      story: "not called JSON",
      init: { ...post, headers: { "Content-Type": "text/plain" }, body: "{}" },
      status: 415,
      says: { error: "not_json" },
    },
    {
      story: "a form, where none is taken",
      init: { ...post, body: new URLSearchParams({ older: "5m" }) },
      status: 415,
      says: { error: "not_json" },
    },
    {
      story: "one that fails says why",
      init: postJson({ older: "0s" }),
      status: 500,
      says: { error: "action_failed", message: "purge: EIO" },
    },
  ])("$story: $status", async ({ init, status, says }) => {
    const got = await ask(PURGE, init);
    expect(got).toMatchObject({ status, says });
    expect(JSON.stringify(got.says)).not.toContain('hunter2"');
  });

  test.each([
    "/api/v1/services/dns/actions/purge",
    "/api/v1/services/web/actions/nothing",
    "/api/v1/services/web/actions/constructor",
    "/api/v1/services/web/actions/__proto__",
    "/api/v1/services/web/actions/%2e%2e",
  ])("%s is not there", async (path) => {
    expect((await ask(path, post)).status).toBe(404);
  });

  test("who asked for what is in the log", async () => {
    const { deps, logged } = fakeDeps();
    await adminApp(deps).request(PURGE, post, here);
    const fields = { user: "unix socket", client: "", service: "web", action: "purge" };
    expect(logged).toEqual([["action", fields]]);
  });
});

test("activity: who came, was refused, and changed what, in order", async () => {
  let now = Date.UTC(2026, 10, 22);
  const app = adminApp(fakeDeps().deps, { now: () => (now += 1000) });
  const tcp = caller("loopback");
  await app.request("/api/v1/login", postJson({ name: "ann", password: "hunter2" }), tcp);
  await app.request("/api/v1/login", postJson({ name: "ann", password: PASSWORD.ann }), tcp);
  for (const what of ["reload", "upgrade", "stop"])
    await app.request(`/api/v1/${what}`, post, here);
  await app.request(PURGE, post, here);
  const response = await app.request("/api/v1/activity", {}, here);
  const socket = { user: "unix socket", client: "" };
  expect(await response.json()).toEqual(
    [
      { what: "login refused", client: "127.0.0.1", waits: false },
      { what: "login", client: "127.0.0.1", user: "ann" },
      { what: "reload", ...socket, ok: true },
      { what: "upgrade", ...socket },
      { what: "stop", ...socket },
      { what: "action", ...socket, service: "web", action: "purge" },
    ].map((event, i) => ({ number: i + 1, time: `2026-11-22T00:00:0${i + 1}.000Z`, ...event })),
  );
});

describe("a body that is too large", () => {
  const big = "x".repeat(MAX_BODY + 1);
  const headers = { "Content-Type": "application/json" };
  test.each([
    { story: "and says so", init: { ...post, headers, body: big } },
    { story: "and comes in pieces", init: { ...post, headers, body: new Response(big).body } },
    {
      story: "and lies about it",
      init: { ...post, headers: { ...headers, "Content-Length": "2" }, body: big },
    },
    {
      story: "or only says so",
      init: { ...post, headers: { ...headers, "Content-Length": "99999" }, body: "{}" },
    },
  ])("$story", async ({ init }) => {
    expect((await ask(PURGE, init)).status).toBe(413);
  });
});

describe("methods", () => {
  test.each([
    { method: "DELETE", path: "/api/v1/status", allow: "GET, HEAD" },
    { method: "POST", path: "/metrics", allow: "GET, HEAD" },
    { method: "GET", path: "/api/v1/stop", allow: "POST" },
    { method: "HEAD", path: "/api/v1/stop", allow: "POST" },
    { method: "OPTIONS", path: "/api/v1/stop", allow: "POST" },
    { method: "GET", path: PURGE, allow: "POST" },
  ])("$method $path: only $allow", async ({ method, path, allow }) => {
    const { deps, done } = fakeDeps();
    const response = await adminApp(deps).request(path, { method }, here);
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    expect(done).toEqual([]);
  });

  test("HEAD is GET without the body", async () => {
    const response = await adminApp(fakeDeps().deps).request("/metrics", { method: "HEAD" }, here);
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

const paths = [
  ...ROUTES.map((r) => r.path.replace("{service}", "web").replace("{action}", "purge")),
  "/no",
];
describe.each(["GET", "POST"])("%s", (method) => {
  test.each(paths)("%s answers with every safe header, and without any secret", async (path) => {
    for (const on of [caller("unix"), caller("loopback"), caller("public")]) {
      const response = await adminApp(fakeDeps().deps).request(path, { method }, on);
      const headers = Object.fromEntries(response.headers);
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringMatching(
          /^default-src 'none'; .*frame-ancestors 'none'/,
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
      expect(headers).not.toContainKey("access-control-allow-origin");
      // What goes on for ever is looked at elsewhere.
      const endless = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (endless) await response.body?.cancel();
      else expect(await response.text()).not.toContain(ANN.password.reveal());
    }
  });
});
