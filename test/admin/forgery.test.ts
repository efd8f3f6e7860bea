import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { hostAllowed, sameOrigin } from "../../src/admin/origin.ts";
import type { Route } from "../../src/admin/route.ts";
import { ROUTES } from "../../src/admin/routes.ts";
import { basic, caller, fakeDeps, logIn, PASSWORD, postJson } from "./fake-deps.ts";

describe("a change by cookie", () => {
  const own = { Host: "localhost:9900" };
  test.each([
    { story: "with its token", headers: {}, token: "own", status: 200 },
    {
      story: "from a page of ours",
      headers: { Origin: "http://localhost:9900", "Sec-Fetch-Site": "same-origin" },
      token: "own",
      status: 200,
    },
    {
      story: "from a page of ours behind a proxy that ends TLS",
      headers: { Origin: "https://localhost:9900" },
      token: "own",
      status: 200,
    },
    { story: "without its token", headers: {}, token: "none", status: 403 },
    { story: "with an empty token", headers: {}, token: "empty", status: 403 },
    { story: "with another session's token", headers: {}, token: "other", status: 403 },
    {
      story: "from a page of another site",
      headers: { Origin: "http://evil.example" },
      token: "own",
      status: 403,
    },
    {
      story: "from another port of this host",
      headers: { Origin: "http://localhost:3000" },
      token: "own",
      status: 403,
    },
    { story: "from a sandboxed frame", headers: { Origin: "null" }, token: "own", status: 403 },
    {
      story: "from a site beside ours",
      headers: { "Sec-Fetch-Site": "same-site" },
      token: "own",
      status: 403,
    },
    {
      story: "from across the web",
      headers: { "Sec-Fetch-Site": "cross-site" },
      token: "own",
      status: 403,
    },
    {
      story: "with an Origin that only starts like ours",
      headers: { Origin: "http://localhost:9900.evil.example" },
      token: "own",
      status: 403,
    },
  ])("$story: $status", async ({ headers, token, status }) => {
    const { deps, done } = fakeDeps();
    const app = adminApp(deps);
    const mine = await logIn(app, "ann");
    const other = await logIn(app, "ann");
    const csrf = { own: mine.csrf, none: undefined, empty: "", other: other.csrf }[token];
    const all = {
      ...own,
      Cookie: mine.cookie,
      ...headers,
      ...(csrf !== undefined && { "X-CSRF-Token": csrf }),
    };
    const response = await app.request(
      "/api/v1/stop",
      { method: "POST", headers: all },
      caller("loopback"),
    );
    expect(response.status).toBe(status === 200 ? 202 : status);
    expect(done).toEqual(status === 200 ? ["stop"] : []);
  });
});

test.each([
  {
    story: "Basic, which browsers remember and send",
    headers: { Authorization: basic("ann", PASSWORD.ann) },
  },
  { story: "nobody at all, logging in", headers: {} },
])("a page of another site cannot use $story", async ({ headers }) => {
  const app = adminApp(fakeDeps().deps);
  const sent = postJson(
    { name: "ann", password: PASSWORD.ann },
    { ...headers, Origin: "http://evil.example", Host: "localhost:9900" },
  );
  for (const path of ["/api/v1/login", "/api/v1/reload", "/api/v1/services/web/actions/purge"]) {
    expect((await app.request(path, sent, caller("loopback"))).status).toBe(403);
  }
});

test("what an HTML form can send is not taken", async () => {
  const app = adminApp(fakeDeps().deps);
  const form = {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ name: "ann", password: PASSWORD.ann }).toString(),
  };
  expect((await app.request("/api/v1/login", form, caller("loopback"))).status).toBe(415);
});

test.each([
  { host: "localhost:9900", on: "loopback", ok: true },
  { host: "LOCALHOST.", on: "loopback", ok: true },
  { host: "127.0.0.1:9900", on: "loopback", ok: true },
  { host: "127.0.0.9", on: "loopback", ok: true },
  { host: "[::1]:9900", on: "loopback", ok: true },
  { host: "[0:0:0:0:0:0:0:1]", on: "loopback", ok: true },
  { host: undefined, on: "loopback", ok: true },
  { host: "admin.example:9900", on: "loopback", ok: true },
  { host: "Admin.Example", on: "public", ok: true },
  { host: "192.0.2.1", on: "public", ok: true },
  { host: "192.0.2.2", on: "public", ok: false },
  { host: "192.0.2.2:9900", on: "everywhere", ok: true },
  { host: "[2001:db8::1]", on: "everywhere", ok: true },
  { host: "evil.example", on: "everywhere", ok: false },
  { host: "evil.example:9900", on: "loopback", ok: false },
  { host: "localhost.evil.example", on: "loopback", ok: false },
  { host: "evil.example@localhost", on: "loopback", ok: false },
  { host: "localhost:9900:1", on: "loopback", ok: false },
  { host: "127.0.0.1.evil.example", on: "loopback", ok: false },
  { host: "", on: "loopback", ok: false },
  { host: "evil.example", on: "unix", ok: true },
] as const)("called $host on $on: $ok", async ({ host, on, ok }) => {
  expect(hostAllowed(host, caller(on).listener, ["admin.example"])).toBe(ok);
  if (!host) return;
  const app = adminApp(fakeDeps().deps);
  const get = (path: string) => app.request(path, { headers: { Host: host } }, caller(on));
  expect((await get("/metrics")).status).toBe(
    ok ? (on === "public" || on === "everywhere" ? 401 : 200) : 421,
  );
  expect((await get("/healthz")).status).toBe(200);
});

test.each([
  { story: "http page, http here", secure: false, origin: "http://a.example", ok: true },
  { story: "http page, TLS here", secure: true, origin: "http://a.example", ok: false },
  { story: "TLS page, TLS here", secure: true, origin: "https://a.example", ok: true },
  {
    story: "default port written out",
    secure: true,
    origin: "https://a.example",
    host: "a.example:443",
    ok: true,
  },
  { story: "nonsense", secure: false, origin: "x", ok: false },
  {
    story: "no Host to compare with",
    secure: false,
    origin: "http://a.example",
    host: null,
    ok: false,
  },
])("sameOrigin: $story", ({ secure, origin, host = "a.example", ok }) => {
  const headers = new Headers({ Origin: origin, ...(host !== null && { Host: host }) });
  expect(sameOrigin(headers, secure)).toBe(ok);
});

describe("every route that changes something", () => {
  const changing = ROUTES.filter(({ method, needs }) => method !== "GET" && needs === "change");
  const path = (route: Route) => route.path.replaceAll(/\{\w+\}/g, "x");

  test("there are some of each kind", () => {
    expect(new Set(changing.map(({ method }) => method))).toEqual(
      new Set(["POST", "PUT", "DELETE"]),
    );
  });

  describe.each(changing)("$method $path", (route) => {
    test.each([
      { story: "without the session's token", headers: {}, error: "csrf" },
      { story: "with another one", headers: { "X-CSRF-Token": "x".repeat(43) }, error: "csrf" },
      {
        story: "from a page of another site, with the right one",
        headers: { Origin: "http://evil.example" },
        error: "cross_origin",
      },
    ])("is refused by cookie $story", async ({ headers, error }) => {
      const { deps, done } = fakeDeps();
      const app = adminApp(deps);
      const { cookie, csrf } = await logIn(app, "ann");
      const own = error === "cross_origin" ? { "X-CSRF-Token": csrf } : {};
      const response = await app.request(
        path(route),
        { method: route.method, headers: { Cookie: cookie, ...own, ...headers } },
        caller("loopback"),
      );
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
        403,
        error,
      ]);
      expect(done).toEqual([]);
    });
  });
});
