/** What a server sees of a request, and a client of a response, byte by byte. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { dial } from "../../e2e/wire.ts";
import { type Proxying, proxying } from "../../fake/proxying.ts";
import { type Scripted, scripted } from "../../fake/scripted.ts";

/** What the server says next. */
let words = "";
let server: Scripted;
const edges: Record<string, Proxying> = {};
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  server = stack.use(scripted((caller, piece) => piece.includes("\r\n\r\n") && caller.say(words)));
  const make = async (name: string, keys: object) => {
    edges[name] = stack.use(await proxying([server.port], keys));
  };
  await make("plain", {});
  await make("roomy", { limits: { head: "64k" } });
  await make("trusting", { trust: ["127.0.0.1"] });
  await make("upgrading", { routes: [{ pool: "app", websocket: true }] });
  await make("changing", {
    headers: {
      request: { "X-Edge": "tern", Cookie: null, Via: null },
      response: { Server: null, "X-Frame-Options": "DENY" },
    },
    routes: [
      { pool: "app", headers: { request: { "x-edge": "route" }, response: { "X-R": "1" } } },
      { pool: "app", path: "/named/", host_header: "inner.example" },
      { pool: "app", path: "/server/", host_header: "server" },
      { pool: "app", path: "/cut/", strip: true },
      { pool: "app", path: "/into/", strip: true, prefix: "/deep/" },
      { pool: "app", path: "/below/", prefix: "/deep" },
    ],
  });
});
afterAll(() => stack.disposeAsync());

const EMPTY = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** The head that the server heard, and all that the client heard. */
async function sent(edge: string, request: string, say = EMPTY): Promise<[string, string]> {
  words = say;
  const before = server.heard.length;
  using wire = await dial(edges[edge]?.port ?? 0);
  wire.say(request);
  await wire.until((heard) => heard.includes("\r\n\r\n"));
  return [server.heard.slice(before), wire.heard.replace(DATE, "Date: now\r\n")];
}
/** As we say it. */
const DATE = /Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/;

const lowerName = (line: string): string => line.replace(/^[^:]+/, (name) => name.toLowerCase());
/** Lines behind the request line, sorted: their order is nobody's business. */
const fieldsOf = (head: string) =>
  head.split("\r\n").slice(1).filter(Boolean).map(lowerName).toSorted();

const OURS = [
  "Via: 1.1 tern",
  "X-Forwarded-For: 127.0.0.1",
  "X-Forwarded-Host: a.example",
  "X-Forwarded-Proto: http",
];

describe("what a server sees", () => {
  test.each([
    {
      story: "what the client says, and what is true of it",
      fields: "Accept: x\r\n",
      seen: ["accept: x"],
    },
    { story: "a field that comes twice", fields: "X: 1\r\nX: 2\r\n", seen: ["x: 1", "x: 2"] },
    {
      story: "nothing of the hop",
      fields: "Keep-Alive: 5\r\nTE: gzip\r\nProxy-Connection: keep-alive\r\n",
      seen: [],
    },
    {
      story: "nothing that Connection names",
      fields: "Connection: X-Secret, close\r\nX-Secret: 1\r\nX: 2\r\n",
      seen: ["x: 2"],
    },
    {
      story: "nor in any case of letters",
      fields: "connection: x-SECRET\r\nX-Secret: 1\r\n",
      seen: [],
    },
    {
      story: "nothing a CGI would take for its environment",
      fields: "Proxy: http://evil/\r\n",
      seen: [],
    },
    {
      story: "no word of a client about itself",
      fields:
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n",
      seen: [],
    },
    {
      story: "no change of protocol that is not let",
      fields: "Connection: Upgrade\r\nUpgrade: websocket\r\n",
      seen: [],
    },
    {
      story: "nothing that some servers read as what we say, or as framing",
      fields:
        "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Host: evil\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nx_mine: 1\r\n",
      seen: ["x_mine: 1"],
    },
    {
      story: "no settings of another protocol",
      fields:
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
      seen: [],
    },
  ])("$story", async ({ fields, seen }) => {
    const [head] = await sent("plain", `GET /p?q HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`);
    expect(head).toStartWith("GET /p?q HTTP/1.1\r\n");
    expect(fieldsOf(head)).toEqual([...OURS, "Host: a.example", ...seen].map(lowerName).toSorted());
  });

  const lowerName = (line: string): string => line.replace(/^[^:]+/, (name) => name.toLowerCase());

  test("of a proxy that is trusted: its word, and ours behind it", async () => {
    const [head] = await sent(
      "trusting",
      "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\nVia: 1.0 them\r\n\r\n",
    );
    expect(fieldsOf(head)).toEqual([
      "host: a.example",
      "via: 1.0 them, 1.1 tern",
      "x-forwarded-for: 6.6.6.6, 127.0.0.1",
      "x-forwarded-host: outer",
      "x-forwarded-proto: https",
    ]);
  });

  test("a path through proxies is told on, whoever the client is", async () => {
    const [head] = await sent(
      "plain",
      "GET / HTTP/1.1\r\nHost: a.example\r\nVia: 1.0 them\r\n\r\n",
    );
    expect(head).toContain("Via: 1.0 them, 1.1 tern\r\n");
  });

  test("an upgrade where it is let", async () => {
    const [head] = await sent(
      "upgrading",
      "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    );
    expect(head).toContain("Connection: Upgrade\r\n");
    expect(head).toContain("Upgrade: websocket\r\n");
    expect(head.toLowerCase()).toContain("sec-websocket-key: x\r\n");
  });

  test.each([
    { upgrade: "h2c", seen: undefined },
    { upgrade: "HTTP/2.0", seen: undefined },
    { upgrade: "TLS/1.2, h2c", seen: undefined },
    { upgrade: "h2c, websocket", seen: "websocket" },
  ])(
    "an upgrade to $upgrade, behind which requests would pass unseen",
    async ({ upgrade, seen }) => {
      const [head] = await sent(
        "upgrading",
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AA\r\n\r\n`,
      );
      expect(/^upgrade: (.*)\r$/im.exec(head)?.[1]).toBe(seen as string);
      expect(head).not.toMatch(/http2-settings/i);
    },
  );

  test("the host that was asked for, with its port, whatever the server sees as Host", async () => {
    const [plain] = await sent("plain", "GET / HTTP/1.1\r\nHost: A.example:81\r\n\r\n");
    expect(plain).toContain("X-Forwarded-Host: a.example:81\r\n");
    const [named] = await sent("changing", "GET /named/ HTTP/1.1\r\nHost: A.example:81\r\n\r\n");
    expect(named).toContain("X-Forwarded-Host: a.example:81\r\n");
  });

  // The host is said twice: as Host and as X-Forwarded-Host.
  test.each([16_000, 31_700, 32_700, 40_000, 63_000])(
    "all of a head whose host has %i characters",
    async (length) => {
      const host = "a".repeat(length);
      const [head] = await sent("roomy", `PUT / HTTP/1.1\r\nHost: ${host}\r\nX: 1\r\n\r\n`);
      const said = OURS.map((line) => line.replace("a.example", host));
      expect(head.endsWith("\r\n\r\n")).toBe(true);
      expect(fieldsOf(head)).toEqual(
        ["content-length: 0", `host: ${host}`, "x: 1", ...said.map(lowerName)].toSorted(),
      );
    },
  );

  test("what the operator says", async () => {
    const [head] = await sent(
      "changing",
      "GET / HTTP/1.1\r\nHost: a\r\nX-EDGE: mine\r\nX_Edge: mine\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
    );
    expect(head).toContain("x-edge: route\r\n");
    expect(head.match(/x.edge/gi)).toHaveLength(1);
    expect(head).not.toMatch(/cookie/i);
    expect(head).not.toMatch(/via/i);
  });

  test.each([
    { asks: "/named/x", line: "/named/x", host: /Host: inner.example\r\n/ },
    { asks: "/server/x", line: "/server/x", host: /Host: 127\.0\.0\.1:\d+\r\n/ },
    { asks: "/cut/x?y=/cut/", line: "/x?y=/cut/", host: /Host: a:81\r\n/ },
    { asks: "/cut/", line: "/", host: /Host: a:81\r\n/ },
    { asks: "/into/x", line: "/deep/x", host: /Host: a:81\r\n/ },
    { asks: "/below/x", line: "/deep/below/x", host: /Host: a:81\r\n/ },
    { asks: "/a/%2e%2e/x//y", line: "/a/%2e%2e/x//y", host: /Host: a:81\r\n/ },
    { asks: "/%63ut/x%3fy?z", line: "/x%3Fy?z", host: /Host: a:81\r\n/ },
    { asks: "/into/%2e%2e/into/x", line: "/deep/x", host: /Host: a:81\r\n/ },
    { asks: "/into/a%2Fb/..c/d..", line: "/deep/a%2Fb/..c/d..", host: /Host: a:81\r\n/ },
    { asks: "/into/a%2F..%2f..%2finto/x", line: "/deep/x", host: /Host: a:81\r\n/ },
    { asks: "/into/a\\..\\x", line: "/deep/a%5C..%5Cx", host: /Host: a:81\r\n/ },
    { asks: "/a%2fb/%fc%01", line: "/a%2fb/%fc%01", host: /Host: a:81\r\n/ },
    { asks: "/named%2fx", line: "/named%2fx", host: /Host: inner.example\r\n/ },
    { asks: "/into//x", line: "/deep/x", host: /Host: a:81\r\n/ },
    { asks: "/below/%c3%bc/./x", line: "/deep/below/%C3%BC/x", host: /Host: a:81\r\n/ },
    { asks: "http://b:82/cut/x", line: "/x", host: /Host: b:82\r\n/ },
    { asks: "http://b?x", line: "/?x", host: /Host: b\r\n/ },
  ])("asked for $asks: $line", async ({ asks, line, host }) => {
    const [head] = await sent("changing", `GET ${asks} HTTP/1.1\r\nHost: a:81\r\n\r\n`);
    expect(head).toStartWith(`GET ${line} HTTP/1.1\r\n`);
    expect(head).toMatch(host);
    expect(head.match(/^host:/gim)).toHaveLength(1);
  });

  test("OPTIONS * is of the server", async () => {
    const [head] = await sent("plain", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(head).toStartWith("OPTIONS * HTTP/1.1\r\n");
  });

  test("of a client of HTTP/1.0: HTTP/1.1, and the host it did not name is empty", async () => {
    const [head, heard] = await sent("plain", "GET / HTTP/1.0\r\n\r\n");
    expect(head).toStartWith("GET / HTTP/1.1\r\n");
    expect(head).toContain("Host: \r\n");
    expect(head).toContain("Via: 1.0 tern\r\n");
    expect(heard).toContain("Connection: close\r\n");
  });
});

describe("what a client sees", () => {
  test.each([
    {
      story:
        "what the server says, Date and Server too; the time where it says none (RFC 9110, 6.6.1)",
      said: "HTTP/1.1 203 Hm\r\nServer: them\r\nDate: then\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
      heard:
        "HTTP/1.1 203 Non-Authoritative Information\r\nServer: them\r\nDate: then\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    },
    {
      story: "nothing of the hop",
      said: "HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\nConnection: X-Hop\r\nX-Hop: 1\r\nProxy-Connection: x\r\nX: y\r\nContent-Length: 0\r\n\r\n",
      heard: "HTTP/1.1 200 OK\r\nX: y\r\nDate: now\r\nContent-Length: 0\r\n\r\n",
    },
    {
      story: "a body that ends with its connection, in chunks",
      said: "HTTP/1.0 200 OK\r\n\r\n",
      heard: "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n",
    },
    {
      story: "no body of a 204",
      said: "HTTP/1.1 204 No\r\nX: y\r\n\r\n",
      heard: "HTTP/1.1 204 No Content\r\nX: y\r\nDate: now\r\n\r\n",
    },
    {
      story: "the length that a 304 tells",
      said: "HTTP/1.1 304 No\r\nETag: x\r\nContent-Length: 5\r\n\r\n",
      heard: "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\nDate: now\r\n\r\n",
    },
  ])("$story", async ({ said, heard }) => {
    const got = await sent("plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", said);
    expect(got[1]).toBe(heard);
  });

  test.each([
    { story: "with a length", said: "Content-Length: 5\r\n", heard: "Content-Length: 5\r\n" },
    { story: "in chunks", said: "Transfer-Encoding: chunked\r\n", heard: "" },
    { story: "without a word", said: "", heard: "" },
  ])("a head $story", async ({ said, heard }) => {
    const [, all] = await sent(
      "plain",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      `HTTP/1.1 200 OK\r\nX: y\r\n${said}\r\n`,
    );
    expect(all).toBe(`HTTP/1.1 200 OK\r\nX: y\r\n${heard}Date: now\r\n\r\n`);
  });

  test("what the operator says", async () => {
    const [, heard] = await sent(
      "changing",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "HTTP/1.1 200 OK\r\nServer: them\r\nX-Frame-options: ALLOW\r\nContent-Length: 0\r\n\r\n",
    );
    expect(heard).toContain("X-Frame-Options: DENY\r\n");
    expect(heard).toContain("X-R: 1\r\n");
    expect(heard).not.toMatch(/server|allow/i);
  });
});
