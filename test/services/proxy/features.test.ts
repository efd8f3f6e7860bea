/** What a proxy does beside passing on: who may come in, where they go, and what is made of answers. */
import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:http2";
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from "node:zlib";

import { dial, responses } from "../../e2e/wire.ts";
import { memoryLog } from "../../fake/log.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";
import { freePort } from "../../fake/ports.ts";
import { type Proxying, proxying } from "../../fake/proxying.ts";
import { ok, sayer, type Scripted, scripted } from "../../fake/scripted.ts";
import { temporary } from "../../fake/temporary.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const get = (edge: Proxying, path = "/x", init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${edge.port}${path}`, { keepalive: false, redirect: "manual", ...init });

/** Answers with what it heard. */
const echo = (): Scripted =>
  stack.use(
    scripted((caller, piece) => piece.includes("\r\n\r\n") && caller.say(ok(caller.heard))),
  );
const named = (name: string, server: Scripted) =>
  new FakePool(name, [new FakeServer(name, server.port)]);

describe("users", () => {
  const users = async () => ({
    ann: await Bun.password.hash("secret", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 }),
  });
  const login = (text: string) => ({ headers: { Authorization: `Basic ${btoa(text)}` } });

  test("only they come in; their password goes no further", async () => {
    const server = echo();
    const edge = stack.use(
      await proxying([server.port], {
        routes: [{ pool: "app", auth: { realm: "club", users: await users() } }],
      }),
    );
    const refused = await get(edge);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe('Basic realm="club", charset="UTF-8"');
    expect((await get(edge, "/x", login("ann:wrong"))).status).toBe(401);
    expect((await get(edge, "/x", login("bob:secret"))).status).toBe(401);
    expect(server.heard).toBe("");
    const admitted = await get(edge, "/x", login("ann:secret"));
    expect(admitted.status).toBe(200);
    expect(await admitted.text()).not.toMatch(/authorization/i);
  });
});

describe("an authority", () => {
  const edgeWith = (authority: Scripted, server: Scripted) =>
    proxying(
      [server.port],
      {
        routes: [
          {
            pool: "app",
            auth: {
              forward: {
                pool: "authority",
                path: "/may",
                headers: ["X-User", "X-Group"],
                timeout: "300ms",
              },
            },
          },
        ],
      },
      { others: [named("authority", authority)] },
    );

  test("lets in, and says who it is; what a client says of itself does not count", async () => {
    const authority = stack.use(
      sayer("HTTP/1.1 200 OK\r\nX-User: ann\r\nContent-Length: 2\r\n\r\nok"),
    );
    const server = echo();
    const edge = stack.use(await edgeWith(authority, server));
    const init = {
      method: "POST",
      body: "hello",
      headers: { Cookie: "a=b", "X-User": "root", "X-Group": "wheel" },
    };
    const heard = await (await get(edge, "/in?q", init)).text();
    expect(heard).toContain("X-User: ann\r\n");
    expect(heard).not.toMatch(/root|wheel/);
    expect(heard).toEndWith("hello");
    expect(authority.heard).toStartWith("GET /may HTTP/1.1\r\n");
    expect(authority.heard).toContain("X-Forwarded-Method: POST\r\nX-Forwarded-Uri: /in?q\r\n");
    expect(authority.heard).toMatch(/cookie: a=b\r\n/i);
    expect(authority.heard).not.toMatch(/content-length|hello/i);
    await get(edge);
    expect(authority.callers).toHaveLength(1); // its connection is kept
  });

  test("is not asked for a part, nor whether anything is new", async () => {
    const authority = stack.use(
      sayer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    );
    const server = echo();
    const edge = stack.use(await edgeWith(authority, server));
    const headers = {
      Range: "bytes=0-1",
      "If-None-Match": '"x"',
      "If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT",
    };
    for (let i = 0; i < 2; i++) {
      const heard = await (await get(edge, "/", { headers })).text();
      expect(heard).toMatch(/range: bytes=0-1\r\n/i);
    }
    expect(authority.heard).not.toMatch(/range|if-/i);
    expect(authority.callers).toHaveLength(1);
  });

  test.each([
    {
      story: "refuses",
      said: "HTTP/1.1 401 no\r\nWWW-Authenticate: Bearer\r\nContent-Length: 4\r\n\r\nwho?",
      status: 401,
    },
    {
      story: "sends elsewhere",
      said: "HTTP/1.1 302 x\r\nLocation: /login\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n",
      status: 302,
    },
    { story: "is ill", said: "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", status: 500 },
    { story: "talks nonsense", said: "hello\r\n\r\n", status: 502 },
    { story: "is silent", said: "", status: 504 },
  ])("$story: $status, and the server is not asked", async ({ said, status }) => {
    const authority = stack.use(sayer(said));
    const server = echo();
    const edge = stack.use(await edgeWith(authority, server));
    const answer = await get(edge);
    expect(answer.status).toBe(status);
    if (status === 401)
      expect([answer.headers.get("www-authenticate"), await answer.text()]).toEqual([
        "Bearer",
        "who?",
      ]);
    if (status === 302) expect(answer.headers.get("location")).toBe("/login");
    expect(server.heard).toBe("");
  });
});

describe("where requests go", () => {
  test("by a field, by a cookie", async () => {
    const [main, canary] = [stack.use(sayer(ok("main"))), stack.use(sayer(ok("canary")))];
    const edge = stack.use(
      await proxying(
        [main.port],
        {
          routes: [
            { pool: "app" },
            { pool: "canary", when: { "X-Canary": "*" } },
            { pool: "canary", when: { Cookie: "canary=1" } },
          ],
        },
        { others: [named("canary", canary)] },
      ),
    );
    const said = async (headers: Record<string, string>) =>
      (await get(edge, "/", { headers })).text();
    expect(await said({})).toBe("main");
    expect(await said({ "X-Canary": "yes" })).toBe("canary");
    expect(await said({ Cookie: "a=b; canary=1" })).toBe("canary");
    expect(await said({ Cookie: "a=b; canary=10" })).toBe("main");
  });

  test("by their share, always the same for a client", async () => {
    const [main, canary] = [stack.use(sayer(ok("main"))), stack.use(sayer(ok("canary")))];
    const shares = (a: number, b: number) => ({
      routes: [
        {
          split: [
            { pool: "app", weight: a },
            { pool: "canary", weight: b },
          ],
        },
      ],
    });
    for (const [a, b, want] of [
      [1, 0, "main"],
      [0, 1, "canary"],
    ] as const) {
      const edge = stack.use(
        await proxying([main.port], shares(a, b), { others: [named("canary", canary)] }),
      );
      expect(await (await get(edge)).text()).toBe(want);
    }
  });

  test("and a cache keeps apart what they bring from there", async () => {
    const fresh = (body: string) => stack.use(sayer(ok(body, "Cache-Control: max-age=600\r\n")));
    const [main, canary] = [fresh("main"), fresh("canary")];
    const clients = Array.from({ length: 16 }, (_, i) => `PROXY TCP4 10.0.0.${i} 192.0.2.1 1 80`);
    const to = (edge: Proxying) => async (client: string, field: string) => {
      using wire = await dial(edge.port);
      const fields = `Host: a\r\n${field}Connection: close\r\n`;
      wire.say(`${client}\r\nGET / HTTP/1.1\r\n${fields}\r\n`);
      expect(await wire.closed()).toBe(true);
      return responses(wire.heard)[0]?.body;
    };
    const split = [{ pool: "app" }, { pool: "canary" }];
    for (const routes of [[{ pool: "app" }, { pool: "canary", when: { X: "1" } }], [{ split }]]) {
      const keys = { routes, socket: { proxy_protocol: "v1", trusted: ["127.0.0.1"] } };
      const others = { others: [named("canary", canary)] };
      const passing = to(stack.use(await proxying([main.port], keys, others)));
      const keeping = to(stack.use(await proxying([main.port], { ...keys, cache: {} }, others)));
      const heard = new Set<string | undefined>();
      for (const client of clients)
        for (const field of ["X: 1\r\n", ""]) {
          const wanted = await passing(client, field);
          heard.add(wanted);
          for (let i = 0; i < 2; i++) expect(await keeping(client, field)).toBe(wanted);
        }
      expect(heard).toEqual(new Set(["main", "canary"]));
    }
    // Those of the first proxy, and two of the second: all others were kept.
    const asked = (main.heard + canary.heard).split("GET ").length - 1;
    expect(asked).toBe(2 * (clients.length * 2 + 2));
  });

  test("back to the server they were with, by a cookie that nobody can make up", async () => {
    const servers = Array.from({ length: 3 }, (_, i) => stack.use(sayer(ok(`${i}`))));
    const edge = stack.use(await proxying(servers.map(({ port }) => port)));
    edge.pool.sticky = "cookie";
    const [first, second] = edge.pool.servers;
    if (first === undefined || second === undefined) throw new Error("three were made");
    first.eligible = false;
    const answer = await get(edge);
    expect(await answer.text()).toBe("1");
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^tern=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(cookie).not.toContain(String(second.port));
    first.eligible = true;
    const headers = { Cookie: `a=b; ${cookie.split(";")[0]}` };
    const again = await get(edge, "/", { headers });
    expect([await again.text(), again.headers.get("set-cookie")]).toEqual(["1", null]);
    const stranger = await get(edge, "/", { headers: { Cookie: `tern=${"0".repeat(32)}` } });
    expect(await stranger.text()).toBe("0");
    second.eligible = false;
    const moved = await get(edge, "/", { headers });
    expect([await moved.text(), moved.headers.get("set-cookie")?.slice(0, 5)]).toEqual([
      "0",
      "tern=",
    ]);
  });
});

describe("to the host that is asked for", () => {
  const forward = (keys: object, port: number) => ({
    routes: [{ forward: { port, ports: [port], ...keys } }],
  });
  const ask = async (edge: Proxying, host: string, line = "GET / HTTP/1.1", fields = "") => {
    using wire = await dial(edge.port);
    wire.say(`${line}\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`);
    await wire.closed();
    return responses(wire.heard)[0];
  };

  test.each([
    { story: "a name", allow: ["localhost", "127.0.0.0/8", "::1"], host: "localhost", status: 200 },
    { story: "an address", allow: ["127.0.0.1"], host: "127.0.0.1", status: 200 },
    { story: "a name that leads inside", allow: ["localhost"], host: "localhost", status: 403 },
    { story: "any name, that leads inside", allow: ["*"], host: "localhost", status: 403 },
    {
      story: "an inner address where any host is allowed",
      allow: ["*"],
      host: "127.0.0.1",
      status: 403,
    },
    {
      story: "an inner address in other words",
      allow: ["*"],
      host: "[::ffff:127.0.0.1]",
      status: 403,
    },
    {
      story: "another name",
      allow: ["a.example", "127.0.0.0/8"],
      host: "nothing.invalid",
      status: 502,
    },
    {
      story: "a port that is not allowed",
      allow: ["127.0.0.1"],
      host: "127.0.0.1:22",
      status: 403,
    },
  ])("$story: $status", async ({ allow, host, status }) => {
    const server = stack.use(sayer(ok("there")));
    const edge = stack.use(await proxying([], forward({ allow }, server.port)));
    expect((await ask(edge, host))?.status).toBe(status);
    expect(server.callers.length > 0).toBe(status === 200);
  });

  test.each([
    {
      story: "in one word, with a list",
      route: { forward: true, allow: ["127.0.0.1"] },
      refused: false,
    },
    {
      story: "in one word, with another list",
      route: { forward: true, allow: ["10.0.0.1"] },
      refused: true,
    },
    { story: "in one word, and nobody is named", route: { forward: true }, refused: true },
  ])("$story", async ({ route, refused }) => {
    const edge = stack.use(await proxying([], { routes: [route] }));
    // Whoever listens there, or nobody: it was tried.
    expect((await ask(edge, "127.0.0.1:8080"))?.status === 403).toBe(refused);
  });

  test("a whole URL, as clients of proxies say it", async () => {
    const server = echo();
    const edge = stack.use(await proxying([], forward({ allow: ["127.0.0.1"] }, server.port)));
    const answer = await ask(edge, "x", `GET http://127.0.0.1:${server.port}/p?q HTTP/1.1`);
    expect(answer?.body).toStartWith(`GET /p?q HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n`);
  });

  test("not to itself for ever", async () => {
    const port = await freePort();
    const edge = stack.use(
      await proxying([], {
        listen: `127.0.0.1:${port}`,
        ...forward({ allow: ["127.0.0.1"] }, port),
      }),
    );
    expect((await ask(edge, `127.0.0.1:${port}`))?.status).toBe(508);
  });

  test("no tunnels", async () => {
    const edge = stack.use(await proxying([], forward({ allow: ["127.0.0.1"] }, 80)));
    expect((await ask(edge, "a:443", "CONNECT a:443 HTTP/1.1"))?.status).toBe(400);
  });
});

describe("other sites", () => {
  const cors = {
    origins: ["https://a.example", "https://*.b.example"],
    methods: ["GET", "PUT"],
    headers: ["X-A"],
    expose: ["X-B"],
    credentials: true,
    max_age: "1m",
  };
  const edgeWith = async (server: Scripted, keys: object = cors) =>
    stack.use(await proxying([server.port], { routes: [{ pool: "app", cors: keys }] }));

  test("ask whether they may ask: the server hears nothing of it", async () => {
    const server = echo();
    const edge = await edgeWith(server);
    const answer = await get(edge, "/", {
      method: "OPTIONS",
      headers: { Origin: "https://a.example", "Access-Control-Request-Method": "PUT" },
    });
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "access-control-allow-origin": "https://a.example",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, PUT",
      "access-control-allow-headers": "X-A",
      "access-control-max-age": "60",
      vary: "Origin",
    });
    expect(server.heard).toBe("");
  });

  test.each([
    { origin: "https://a.example", allowed: true },
    { origin: "https://x.b.example", allowed: true },
    { origin: "https://x.y.b.example", allowed: true },
    { origin: "https://b.example", allowed: false },
    { origin: "https://evil.example/.b.example", allowed: false },
    { origin: "https://a.example.evil", allowed: false },
    { origin: "http://a.example", allowed: false },
    { origin: "null", allowed: false },
  ])("$origin may read: $allowed", async ({ origin, allowed }) => {
    const server = stack.use(sayer(ok("x", "Access-Control-Allow-Origin: *\r\n")));
    const edge = await edgeWith(server);
    const { headers } = await get(edge, "/", { headers: { Origin: origin } });
    expect(headers.get("access-control-allow-origin")).toBe(allowed ? origin : null);
    expect(headers.get("vary")).toBe("Origin");
    expect(headers.get("access-control-expose-headers")).toBe("X-B");
  });
});

describe("how much", () => {
  test.each([
    { story: "by length", init: { body: "x".repeat(101) } },
    { story: "in chunks", init: { body: new Response("x".repeat(101)).body as BodyInit } },
  ])("a request that is too long $story never is whole at the server", async ({ init }) => {
    const server = stack.use(scripted(() => {}));
    const edge = stack.use(
      await proxying([server.port], { routes: [{ pool: "app", max_body: 100 }] }),
    );
    const answer = await get(edge, "/", { method: "PUT", ...init }).catch(() => undefined);
    expect([413, 502, undefined]).toContain(answer?.status);
    expect(server.heard).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test.each([
    { story: "by length", framing: "Content-Length: 101", body: "x".repeat(101), keys: {} },
    {
      story: "by length, from another site",
      framing: "Content-Length: 101",
      body: "x".repeat(101),
      keys: { cors: { origins: ["*"] } },
    },
    {
      story: "in chunks",
      framing: "Transfer-Encoding: chunked",
      body: `33\r\n${"x".repeat(51)}\r\n33\r\n${"x".repeat(51)}\r\n0\r\n\r\n`,
      keys: {},
    },
    {
      story: "in chunks, without an end",
      framing: "Transfer-Encoding: chunked",
      body: `66\r\n${"x".repeat(102)}\r\n`,
      keys: {},
    },
  ])("a request that is too long $story: 413", async ({ framing, body, keys }) => {
    const server = stack.use(scripted(() => {}));
    const edge = stack.use(
      await proxying([server.port], { routes: [{ pool: "app", max_body: 100, ...keys }] }),
    );
    using wire = await dial(edge.port);
    wire.say(`PUT / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
    expect(await wire.until((heard) => heard.includes("\r\n\r\n"))).toBe(true);
    expect(responses(wire.heard)[0]?.status).toBe(413);
    await Bun.sleep(20);
    expect(edge.pool.servers.map(({ open }) => open)).toEqual([0]);
    expect(edge.pool.servers[0]?.diary.join()).not.toContain("failed");
  });

  test.each([
    { story: "and says so", said: ok("x".repeat(101)), status: 502 },
    { story: "found out late", said: `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(101)}`, status: 0 },
  ])("an answer that is too long $story", async ({ said, status }) => {
    const server = stack.use(sayer(said, (caller) => setTimeout(() => caller.end(), 20)));
    const edge = stack.use(
      await proxying([server.port], { routes: [{ pool: "app", max_response: 100 }] }),
    );
    const answer = await get(edge)
      .then(async (r) => [r.status, await r.text()])
      .catch(() => [0]);
    expect(answer[0]).toBe(status);
  });

  test("a body that is held can be sent to the next server", async () => {
    const first = stack.use(scripted((caller) => caller.heard.endsWith("hello") && caller.cut()));
    const second = echo();
    const edge = stack.use(
      await proxying([first.port, second.port], { routes: [{ pool: "app", retry_body: "1k" }] }),
    );
    const put = await get(edge, "/", { method: "PUT", body: "hello" });
    expect(await put.text()).toEndWith("\r\nContent-Length: 5\r\n\r\nhello");
    expect(first.heard).toEndWith("hello");
    const post = await get(edge, "/", { method: "POST", body: "hello" });
    expect(post.status).toBe(502); // it may have been done
  });

  test("a client that leaves while its body is being held is nobody's trouble", async () => {
    const log = memoryLog();
    const server = echo();
    const edge = stack.use(
      await proxying([server.port], { routes: [{ pool: "app", retry_body: "1k" }] }, { log }),
    );
    using wire = await dial(edge.port);
    wire.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    await Bun.sleep(50);
    wire[Symbol.dispose]();
    await Bun.sleep(50);
    expect(log.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
    expect(server.callers).toHaveLength(0);
  });

  test("more requests than a pool is to have are turned away at once", async () => {
    const server = stack.use(scripted((caller) => setTimeout(() => caller.say(ok("x")), 100)));
    const edge = stack.use(await proxying([server.port], { upstream: { max_pending: 2 } }));
    const all = await Promise.all(Array.from({ length: 5 }, async () => (await get(edge)).status));
    expect(all.toSorted((a, b) => a - b)).toEqual([200, 200, 503, 503, 503]);
    expect((await get(edge)).status).toBe(200);
  });

  test("second tries have a budget", async () => {
    const dead = await freePort();
    const server = stack.use(sayer(ok("x")));
    const edge = stack.use(await proxying([dead, server.port], { upstream: { retry_budget: 0 } }));
    const all: number[] = [];
    for (let i = 0; i < 13; i++) all.push((await get(edge)).status);
    expect(all).toEqual([...Array<number>(10).fill(200), 502, 502, 502]);
  });

  test("requests by a field", async () => {
    const server = stack.use(sayer(ok("x")));
    const limit = { rate: "1/s", burst: 2, by: "header:X-Key" };
    const edge = stack.use(await proxying([server.port], { limit }));
    const withKey = async (key: string) =>
      (await get(edge, "/", { headers: { "X-Key": key } })).status;
    const asked = [await withKey("a"), await withKey("a"), await withKey("a"), await withKey("b")];
    expect(asked).toEqual([200, 200, 429, 200]);
  });
});

/** The data of chunks, the last of which is still to come. */
function unchunked(chunks: string): Buffer {
  let rest = chunks;
  let data = "";
  for (let head; (head = /^([0-9a-f]+)\r\n/.exec(rest)) !== null;) {
    const [line, size = ""] = head;
    const end = line.length + parseInt(size, 16);
    data += rest.slice(line.length, end);
    rest = rest.slice(end + "\r\n".length);
  }
  return Buffer.from(data, "latin1");
}

/** What can be read of a body whose end is still to come. */
function unpacked(coding: string, bytes: Buffer): string {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = constants;
  if (bytes.length === 0) return "";
  if (coding === "gzip") return `${gunzipSync(bytes, { finishFlush: Z_SYNC_FLUSH })}`;
  if (coding === "br")
    return `${brotliDecompressSync(bytes, { finishFlush: BROTLI_OPERATION_FLUSH })}`;
  return `${zstdDecompressSync(bytes, { finishFlush: ZSTD_e_flush })}`;
}

describe("compression", () => {
  const long = "hello ".repeat(1000);
  const html = 'Content-Type: text/html\r\nETag: "a"\r\n';
  const asked = (accept: string) =>
    ({ headers: { "Accept-Encoding": accept }, decompress: false }) as RequestInit;

  test.each([
    { story: "gzip", accept: "gzip", said: ok(long, html), coding: "gzip" },
    { story: "brotli, if they may choose", accept: "gzip, br", said: ok(long, html), coding: "br" },
    {
      story: "in chunks",
      accept: "gzip",
      said: `HTTP/1.1 200 OK\r\n${html}Transfer-Encoding: chunked\r\n\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`,
      coding: "gzip",
    },
    { story: "nobody asks", accept: "", said: ok(long, html), coding: null },
    { story: "too short", accept: "gzip", said: ok("hello", html), coding: null, varies: null },
    {
      story: "an image",
      accept: "gzip",
      said: ok(long, "Content-Type: image/png\r\n"),
      coding: null,
      varies: null,
    },
    {
      story: "events",
      accept: "gzip",
      said: ok(long, "Content-Type: text/event-stream\r\n"),
      coding: null,
      varies: null,
    },
    {
      story: "the server says not to",
      accept: "gzip",
      said: ok(long, `${html}Cache-Control: no-transform\r\n`),
      coding: null,
      varies: null,
    },
    {
      story: "done already",
      accept: "gzip",
      said: ok(long, `${html}Content-Encoding: x\r\n`),
      coding: "x",
      varies: null,
    },
  ])("$story", async ({ accept, said, coding, varies = "Accept-Encoding" }) => {
    const server = stack.use(sayer(said));
    const edge = stack.use(await proxying([server.port], { compress: {} }));
    const answer = await get(edge, "/", asked(accept));
    const { headers } = answer;
    const bytes = await answer.bytes();
    expect([headers.get("content-encoding"), headers.get("vary")]).toEqual([coding, varies]);
    if (coding === "gzip") expect(gunzipSync(bytes).toString()).toBe(long);
    if (coding === "br") expect(brotliDecompressSync(bytes).toString()).toBe(long);
    if (coding === "gzip") expect(headers.get("etag")).toBe('W/"a"');
    if (coding === null && varies !== null) expect(headers.get("etag")).toBe('"a"');
  });

  test.each(["gzip", "br", "zstd"])(
    "what comes bit by bit goes on bit by bit: %s",
    async (coding) => {
      const server = stack.use(
        sayer(`HTTP/1.1 200 OK\r\n${html}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`),
      );
      const edge = stack.use(
        await proxying([server.port], { compress: { encodings: ["gzip", "br", "zstd"], min: 0 } }),
      );
      using wire = await dial(edge.port);
      wire.say(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`);
      const chunks = (): string => wire.heard.slice(wire.heard.indexOf("\r\n\r\n") + 4);
      await wire.until(() => unpacked(coding, unchunked(chunks())) === "first");
      expect(wire.heard).toContain(`Content-Encoding: ${coding}\r\n`);
      expect(unpacked(coding, unchunked(chunks()))).toBe("first");
    },
  );

  test("a body that breaks off breaks", async () => {
    const server = stack.use(
      sayer(`HTTP/1.1 200 OK\r\n${html}Content-Length: 9000\r\n\r\n${long}`, (caller) =>
        setTimeout(() => caller.end(), 30),
      ),
    );
    const edge = stack.use(await proxying([server.port], { compress: {} }));
    const all = get(edge, "/", asked("gzip")).then((r) => r.bytes());
    expect(await all.catch((e: unknown) => e)).toBeInstanceOf(Error);
  });
});

describe("error pages", () => {
  const pages = async () => {
    const dir = stack.use(await temporary()).path;
    await Bun.write(`${dir}/503.html`, "<h1>later</h1>");
    await Bun.write(`${dir}/5xx.txt`, "oops");
    return { error_pages: { "503": `${dir}/503.html`, "5xx": `${dir}/5xx.txt` } };
  };

  test("in place of our own words", async () => {
    const none = stack.use(await proxying([], await pages()));
    const answer = await get(none);
    expect([
      answer.status,
      answer.headers.get("content-type"),
      answer.headers.get("retry-after"),
      await answer.text(),
    ]).toEqual([503, "text/html; charset=utf-8", "5", "<h1>later</h1>"]);
    const dead = stack.use(await proxying([await freePort()], await pages()));
    expect(await (await get(dead)).text()).toBe("oops");
  });

  test.each([
    { intercept: false, text: "mine" },
    { intercept: true, text: "oops" },
  ])("of servers' words, too: $intercept", async ({ intercept, text }) => {
    const server = stack.use(
      sayer("HTTP/1.1 500 x\r\nContent-Length: 4\r\nX-A: b\r\nContent-Type: x/y\r\n\r\nmine"),
    );
    const edge = stack.use(
      await proxying([server.port], { ...(await pages()), intercept_errors: intercept }),
    );
    const answer = await get(edge);
    expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([
      500,
      "b",
      text,
    ]);
  });
});

test("Forwarded, where it is wanted", async () => {
  const server = echo();
  const edge = stack.use(await proxying([server.port], { forwarded: true, trust: [] }));
  const heard = await (await get(edge, "/", { headers: { Forwarded: "for=6.6.6.6" } })).text();
  expect(heard).toContain(`Forwarded: for=127.0.0.1;host="127.0.0.1:${edge.port}";proto=http\r\n`);
  expect(heard).not.toContain("6.6.6.6");
});

test("Forwarded tells the host that was asked for", async () => {
  const server = echo();
  const edge = stack.use(
    await proxying([server.port], {
      forwarded: true,
      routes: [{ pool: "app", host_header: "inner.example" }],
    }),
  );
  const heard = await (await get(edge)).text();
  expect(heard).toContain("Host: inner.example\r\n");
  expect(heard).toContain(`;host="127.0.0.1:${edge.port}";`);
});

test("who the PROXY header says is the client, and counts as one", async () => {
  const server = echo();
  const edge = stack.use(
    await proxying([server.port], {
      socket: { proxy_protocol: "v1", trusted: ["127.0.0.1"] },
      deny: ["198.51.100.0/24"],
    }),
  );
  const ask = async (address: string): Promise<string> => {
    using wire = await dial(edge.port);
    wire.say(`PROXY TCP4 ${address} 192.0.2.1 4711 80\r\n`);
    wire.say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await wire.closed();
    return wire.heard;
  };
  expect(await ask("203.0.113.7")).toContain("X-Forwarded-For: 203.0.113.7\r\n");
  expect(await ask("198.51.100.7")).toStartWith("HTTP/1.1 403 ");
});

test("redirects", async () => {
  const edge = stack.use(
    await proxying([], {
      routes: [{ path: "/old/", redirect: { to: "https://b.example/*", status: 301 } }],
    }),
  );
  const answer = await get(edge, "/old/x?y=1");
  expect([answer.status, answer.headers.get("location")]).toEqual([
    301,
    "https://b.example/old/x?y=1",
  ]);
});

describe("by HTTP/2", () => {
  test.each([
    { story: "that came with its head has a length", behind: "", length: "5" },
    { story: "that comes later has none", behind: "late", length: undefined },
  ])("a body $story", async ({ behind, length }) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${5 + behind.length}\r\n\r\n`;
    let late = (): void => {};
    const server = stack.use(
      scripted((caller) => {
        caller.say(`${head}hello`);
        late = () => caller.say(behind);
      }),
    );
    const edge = stack.use(await proxying([server.port], { tls: true }));
    const client = connect(`https://127.0.0.1:${edge.port}`, { rejectUnauthorized: false });
    stack.defer(() => client.destroy());
    const asked = client.request({ ":path": "/x" });
    const [fields] = await once(asked, "response");
    expect(fields["content-length"]).toBe(length);
    if (behind !== "") late();
    expect(await new Response(asked as unknown as ReadableStream).text()).toBe(`hello${behind}`);
  });
});
