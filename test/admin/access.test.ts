import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import type { Caller } from "../../src/admin/deps.ts";
import { ROUTES } from "../../src/admin/routes.ts";
import { Secret } from "../../src/config/secret.ts";
import {
  ANN,
  type App,
  basic,
  BOB,
  caller,
  fakeDeps,
  logIn,
  PASSWORD,
  postJson,
} from "./fake-deps.ts";

/** Headers with which somebody shows who they are. */
type Show = (app: App, on: Caller) => Promise<Record<string, string>>;

const nothing: Show = async () => ({});
const withBasic =
  (name: "ann" | "bob"): Show =>
  async () => ({
    Authorization: basic(name, PASSWORD[name]),
  });
const withBearer =
  (name: "ann" | "bob"): Show =>
  async (app, on) => ({
    Authorization: `Bearer ${(await logIn(app, name, on)).token}`,
  });
const withCookie =
  (name: "ann" | "bob"): Show =>
  async (app, on) => {
    const { cookie, csrf } = await logIn(app, name, on);
    return { Cookie: cookie, "X-CSRF-Token": csrf };
  };

const url = (path: string) =>
  path
    .replace("{service}/changes/{change}", "pools/changes/state")
    .replace("{service}", "web")
    .replace("{action}", "purge")
    .replace("{name}", "bob");

/** What routes are sent that want more than nothing. */
const BODIES: Record<string, object> = {
  "/api/v1/config": { text: "workers: 2" },
  "/api/v1/config/check": { text: "workers: 2" },
  "/api/v1/users/{name}": { password: BOB.password.reveal(), access: "readonly" },
};

/** What each kind of route answers. `web purge` answers as any other change. */
const WHO: {
  who: string;
  on: Caller;
  users: boolean;
  show: Show;
  scrape: number;
  known: number;
  change: number;
}[] = [
  {
    who: "the unix socket",
    on: caller("unix"),
    users: true,
    show: nothing,
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "the unix socket, no users",
    on: caller("unix"),
    users: false,
    show: nothing,
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "a stranger on loopback",
    on: caller("loopback"),
    users: true,
    show: nothing,
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "a stranger elsewhere",
    on: caller("public"),
    users: true,
    show: nothing,
    scrape: 401,
    known: 401,
    change: 401,
  },
  {
    who: "anyone on loopback, no users",
    on: caller("loopback"),
    users: false,
    show: nothing,
    scrape: 200,
    known: 200,
    change: 403,
  },
  {
    who: "anyone elsewhere, no users",
    on: caller("public"),
    users: false,
    show: nothing,
    scrape: 401,
    known: 401,
    change: 401,
  },
  {
    who: "full by Basic",
    on: caller("public"),
    users: true,
    show: withBasic("ann"),
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "full by Bearer",
    on: caller("public"),
    users: true,
    show: withBearer("ann"),
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "full by cookie",
    on: caller("public"),
    users: true,
    show: withCookie("ann"),
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "full by cookie over TLS",
    on: caller("public", { secure: true }),
    users: true,
    show: withCookie("ann"),
    scrape: 200,
    known: 200,
    change: 200,
  },
  {
    who: "readonly by Basic",
    on: caller("loopback"),
    users: true,
    show: withBasic("bob"),
    scrape: 200,
    known: 200,
    change: 403,
  },
  {
    who: "readonly by Bearer",
    on: caller("loopback"),
    users: true,
    show: withBearer("bob"),
    scrape: 200,
    known: 200,
    change: 403,
  },
  {
    who: "readonly by cookie",
    on: caller("loopback"),
    users: true,
    show: withCookie("bob"),
    scrape: 200,
    known: 200,
    change: 403,
  },
  {
    who: "a wrong password",
    on: caller("loopback"),
    users: true,
    show: async () => ({ Authorization: basic("ann", "x") }),
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "a wrong password, no users",
    on: caller("loopback"),
    users: false,
    show: async () => ({ Authorization: basic("ann", "x") }),
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "an unknown name",
    on: caller("loopback"),
    users: true,
    show: async () => ({ Authorization: basic("eve", "x") }),
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "a made-up token",
    on: caller("loopback"),
    users: true,
    show: async () => ({ Authorization: `Bearer ${"A".repeat(43)}` }),
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "a made-up cookie",
    on: caller("loopback"),
    users: true,
    show: async () => ({ Cookie: "tern=AAAA" }),
    scrape: 200,
    known: 401,
    change: 401,
  },
  {
    who: "an unknown scheme",
    on: caller("loopback"),
    users: true,
    show: async () => ({ Authorization: "Digest x" }),
    scrape: 200,
    known: 401,
    change: 401,
  },
];

describe.each(WHO)("$who", ({ on, users, show, ...expected }) => {
  // Each route meets a fresh appliance, so that what one does cannot help the next.
  test.each(ROUTES.filter((r) => r.needs !== "nothing"))("$method $path", async (route) => {
    const { deps, done } = fakeDeps(users ? {} : { access: () => ({ users: [], hosts: [] }) });
    const app = adminApp(deps);
    const headers = await show(app, on);
    const body = route.input ? JSON.stringify(BODIES[route.path] ?? {}) : null;
    const response = await app.request(
      url(route.path),
      { method: route.method, headers: { "Content-Type": "application/json", ...headers }, body },
      on,
    );
    if (route.method === "DELETE" && !users && expected.change === 200)
      return expect(response.status).toBe(404); // there is nobody to remove
    const need = route.needs as "scrape" | "known" | "change"; // filtered above
    const status = { "/api/v1/stop": 202, "/api/v1/logout": 204 }[route.path] ?? 200;
    expect(response.status).toBe(expected[need] === 200 ? status : expected[need]);
    expect(done).toHaveLength(need === "change" && expected.change === 200 ? 1 : 0);
    expect(response.headers.get("www-authenticate") !== null).toBe(response.status === 401);
  });
});

test("every route that changes something needs full access, logging in and out aside", () => {
  const posts = ROUTES.filter((r) => r.method !== "GET" && r.needs !== "change").map((r) => r.path);
  expect(posts).toEqual(["/api/v1/login", "/api/v1/logout"]);
  expect(ROUTES.filter((r) => r.method === "GET" && r.needs === "change")).toEqual([]);
});

test("with no users, who wants to change something is told how", async () => {
  const app = adminApp(fakeDeps({ access: () => ({ users: [], hosts: [] }) }).deps);
  const refused = await app.request("/api/v1/stop", { method: "POST" }, caller("loopback"));
  const { message } = (await refused.json()) as { message: string };
  expect(message).toContain("admin.users");
  expect(message).toContain("tern hash-password");
  expect(message).toContain("unix socket");
  const login = await app.request(
    "/api/v1/login",
    postJson({ name: "a", password: "b" }),
    caller("loopback"),
  );
  expect(login.status).toBe(403);
});

test("a request whose listener is not known is not answered", async () => {
  const { deps, logged } = fakeDeps();
  const response = await adminApp(deps).request("/healthz");
  expect(response.status).toBe(500);
  expect(logged).toHaveLength(1);
});

describe("a reload", () => {
  test.each([
    { story: "the user is gone", next: [BOB], status: 401 },
    {
      story: "another password",
      next: [{ ...ANN, password: new Secret("$argon2id$other") }],
      status: 401,
    },
    { story: "less access", next: [{ ...ANN, access: "readonly" as const }], status: 403 },
    {
      story: "the same again",
      next: [{ ...ANN, password: new Secret(ANN.password.reveal()) }],
      status: 200,
    },
  ])("counts for sessions that are open: $story", async ({ next, status }) => {
    let users: readonly (typeof ANN | typeof BOB | (typeof next)[number])[] = [ANN, BOB];
    const app = adminApp(fakeDeps({ access: () => ({ users, hosts: [] }) }).deps);
    const { token } = await logIn(app, "ann");
    users = next;
    const headers = { Authorization: `Bearer ${token}` };
    const response = await app.request(
      "/api/v1/reload",
      { method: "POST", headers },
      caller("loopback"),
    );
    expect(response.status).toBe(status);
  });

  test("counts for Basic too", async () => {
    let users: readonly (typeof ANN | typeof BOB)[] = [ANN];
    const app = adminApp(fakeDeps({ access: () => ({ users, hosts: [] }) }).deps);
    const me = () =>
      app.request(
        "/api/v1/me",
        { headers: { Authorization: basic("ann", PASSWORD.ann) } },
        caller("loopback"),
      );
    expect((await me()).status).toBe(200);
    users = [BOB];
    expect((await me()).status).toBe(401);
  });
});
