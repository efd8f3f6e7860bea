import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { ABSOLUTE_MS, IDLE_MS, Sessions } from "../../src/admin/sessions.ts";
import { FakeClock } from "../fake/clock.ts";
import { caller, fakeDeps, logIn, PASSWORD, postJson } from "./fake-deps.ts";

const MINUTE = 60_000;

describe("a session", () => {
  test.each([
    { story: "used in time", waits: [IDLE_MS - 1], open: true },
    { story: "idle for too long", waits: [IDLE_MS], open: false },
    { story: "using it keeps it", waits: [20 * MINUTE, 20 * MINUTE, 20 * MINUTE], open: true },
    {
      story: "but not for ever",
      waits: Array.from({ length: 36 }, () => 20 * MINUTE),
      open: false,
    },
  ])("$story", async ({ waits, open }) => {
    const clock = new FakeClock();
    const sessions = new Sessions(clock);
    const { token } = sessions.open("ann", "hash");
    let found = true;
    for (const wait of waits) {
      await clock.advance(wait);
      found = sessions.find(token) !== undefined;
    }
    expect(found).toBe(open);
    expect(36 * 20 * MINUTE).toBe(ABSOLUTE_MS);
  });

  test("a token has 256 bits, is new every time, and is the only way in", () => {
    const sessions = new Sessions(new FakeClock());
    const { token, session } = sessions.open("ann", "hash");
    const other = sessions.open("ann", "hash");
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    expect(Buffer.from(session.csrf, "base64url")).toHaveLength(32);
    expect(new Set([token, session.csrf, other.token, other.session.csrf]).size).toBe(4);
    expect(sessions.find(session.csrf)).toBeUndefined();
    expect(sessions.find(token)).toBe(session);
    sessions.close(token);
    expect(sessions.find(token)).toBeUndefined();
    expect(sessions.find(other.token)).toBe(other.session);
  });

  test("too many: the one unused for longest makes room", () => {
    const sessions = new Sessions(new FakeClock());
    const [first, second] = [sessions.open("a", ""), sessions.open("a", "")];
    sessions.find(first.token);
    for (let n = 0; n < 999; n++) sessions.open("b", "");
    expect(sessions.size).toBe(1000);
    expect(sessions.find(second.token)).toBeUndefined();
    expect(sessions.find(first.token)).toBeDefined();
  });
});

describe("the cookie", () => {
  test.each([
    { secure: false, starts: "tern=", attributes: ["Path=/", "HttpOnly", "SameSite=Strict"] },
    {
      secure: true,
      starts: "__Host-tern=",
      attributes: ["Path=/", "HttpOnly", "Secure", "SameSite=Strict"],
    },
  ])("over TLS: $secure", async ({ secure, starts, attributes }) => {
    const app = adminApp(fakeDeps().deps);
    const response = await app.request(
      "/api/v1/login",
      postJson({ name: "ann", password: PASSWORD.ann }),
      caller("loopback", { secure }),
    );
    const [value, ...rest] = response.headers.get("set-cookie")?.split("; ") ?? [];
    expect(value).toStartWith(starts);
    expect(rest.sort()).toEqual([...attributes].sort());
  });

  test("a browser gets no token beside it, a program does", async () => {
    const app = adminApp(fakeDeps().deps);
    const log = async (headers: Record<string, string>) => {
      const sent = postJson({ name: "ann", password: PASSWORD.ann }, headers);
      const response = await app.request("/api/v1/login", sent, caller("loopback"));
      return Object.keys((await response.json()) as object);
    };
    expect(await log({})).toEqual(["name", "access", "csrf", "idle_seconds", "token"]);
    expect(await log({ "Sec-Fetch-Site": "same-origin" })).not.toContain("token");
  });
});

test("logout ends the session and clears the cookie, for readonly users too", async () => {
  const app = adminApp(fakeDeps().deps);
  const { cookie, csrf, token } = await logIn(app, "bob");
  const headers = { Cookie: cookie, "X-CSRF-Token": csrf };
  const response = await app.request(
    "/api/v1/logout",
    { method: "POST", headers },
    caller("loopback"),
  );
  expect(response.status).toBe(204);
  expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
  for (const shown of [{ Cookie: cookie }, { Authorization: `Bearer ${token}` }]) {
    const after = await app.request("/api/v1/me", { headers: shown }, caller("loopback"));
    expect(after.status).toBe(401);
  }
});

test("me says who, and gives a page its csrf token again", async () => {
  const app = adminApp(fakeDeps().deps);
  const { cookie, csrf, token } = await logIn(app, "bob");
  const me = async (headers: Record<string, string>, on = caller("loopback")) =>
    (await app.request("/api/v1/me", { headers }, on)).json();
  expect(await me({ Cookie: cookie })).toEqual({
    name: "bob",
    access: "readonly",
    by: "cookie",
    csrf,
  });
  expect(await me({ Authorization: `Bearer ${token}` })).toEqual({
    name: "bob",
    access: "readonly",
    by: "bearer",
  });
  expect(await me({}, caller("unix"))).toEqual({
    name: "unix socket",
    access: "full",
    by: "socket",
  });
});
