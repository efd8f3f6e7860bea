import { afterAll, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { MAX_BODY } from "../../src/admin/body.ts";
import { basic, fakeDeps, PASSWORD } from "./fake-deps.ts";

/** The same API over a real socket, as app/ serves it. */
const app = adminApp(fakeDeps().deps);
const listener = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const server = Bun.serve({
  hostname: listener.host,
  port: 0,
  fetch: (request) => app.fetch(request, { listener, client: "127.0.0.1", secure: false }),
});
afterAll(() => server.stop(true));

const at = (path: string): string => new URL(path, server.url).href;

test("a page's whole visit: log in, look, change, log out", async () => {
  const Origin = server.url.origin;
  const login = await fetch(at("/api/v1/login"), {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin },
    body: JSON.stringify({ name: "ann", password: PASSWORD.ann }),
  });
  const { csrf } = (await login.json()) as { csrf: string };
  const Cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const as = { Cookie, Origin, "X-CSRF-Token": csrf };
  const post = { method: "POST", headers: as };
  expect((await fetch(at("/api/v1/status"), { headers: { Cookie } })).status).toBe(200);
  expect((await fetch(at("/api/v1/reload"), post)).status).toBe(200);
  expect((await fetch(at("/api/v1/logout"), post)).status).toBe(204);
  expect((await fetch(at("/api/v1/reload"), post)).status).toBe(401);
});

test("a program's: Basic, and a name the listener does not go by", async () => {
  const headers = { Authorization: basic("bob", PASSWORD.bob) };
  expect((await fetch(at("/api/v1/me"), { headers })).status).toBe(200);
  const rebound = { ...headers, Host: "evil.example" };
  expect((await fetch(at("/api/v1/me"), { headers: rebound })).status).toBe(421);
  expect((await fetch(at("/metrics"), { method: "HEAD" })).status).toBe(200);
});

test("a body without end is cut off", async () => {
  const piece = new Uint8Array(MAX_BODY / 4).fill(0x20);
  let sent = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      if (sent++ < 64) controller.enqueue(piece);
      else controller.close();
    },
  });
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(at("/api/v1/login"), { method: "POST", headers, body });
  expect(response.status).toBe(413);
});
