/** Servers that break the rules: a clear answer or a broken connection, never somebody else's bytes. */
import { afterEach, describe, expect, test } from "bun:test";

import { dial, responses } from "../../e2e/wire.ts";
import { type Proxying, proxying } from "../../fake/proxying.ts";
import { ok, type Scripted, scripted } from "../../fake/scripted.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const ROUTE = { routes: [{ pool: "app", timeout: "300ms" }], upstream: { head: "4k" } };

/** Says `words` to the first request, and something good to all others; closes after the first if so told. */
async function liar(words: string, ends: boolean, later = ""): Promise<[Proxying, Scripted]> {
  let first = true;
  const server = stack.use(
    scripted((caller, piece) => {
      if (!piece.includes("\r\n\r\n")) return;
      if (!first) return caller.say(ok("good"));
      first = false;
      caller.say(words);
      if (ends) setTimeout(() => caller.end(), 30);
      if (later !== "") setTimeout(() => caller.say(later), 30);
    }),
  );
  const edge = stack.use(await proxying([server.port], ROUTE));
  edge.pool.retry = { attempts: 0, on: new Set() };
  return [edge, server];
}

/** What one connection hears of two requests, the second sent when the first is over. */
async function two(edge: Proxying, method = "GET"): Promise<{ heard: string; closed: boolean }> {
  using wire = await dial(edge.port);
  wire.say(`${method} /1 HTTP/1.1\r\nHost: a\r\n\r\n`);
  await wire.until((heard) => heard.includes("\r\n\r\n") || wire.state === "closed", 1500);
  await Bun.sleep(150);
  if (wire.state === "open") wire.say("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  await wire.until((heard) => heard.endsWith("good") || wire.state === "closed", 1000);
  return { heard: wire.heard, closed: wire.state === "closed" };
}

const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n`;

describe("no response at all: 502, and the next request is answered", () => {
  test.each([
    { story: "nonsense", words: "hello\r\n\r\n" },
    { story: "another protocol", words: "220 smtp ESMTP\r\n" },
    { story: "HTTP/2", words: "\0\0\x12\x04\0\0\0\0\0" },
    { story: "HTTP/0.9", words: "<html>hi</html>" },
    { story: "HTTP/3.0", words: "HTTP/3.0 200 OK\r\n\r\n" },
    { story: "no status", words: "HTTP/1.1 OK\r\n\r\n" },
    { story: "status 99", words: "HTTP/1.1 099 x\r\n\r\n" },
    { story: "status 600", words: "HTTP/1.1 600 x\r\n\r\n" },
    { story: "status 2000", words: "HTTP/1.1 2000 x\r\n\r\n" },
    { story: "two lengths", words: head("Content-Length: 4\r\nContent-Length: 5\r\n") + "hello" },
    {
      story: "the same length twice",
      words: head("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello",
    },
    { story: "a list of lengths", words: head("Content-Length: 5, 5\r\n") + "hello" },
    {
      story: "length and chunks",
      words: head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
    },
    { story: "a negative length", words: head("Content-Length: -1\r\n") },
    { story: "a length with a plus", words: head("Content-Length: +5\r\n") + "hello" },
    { story: "a length in hex", words: head("Content-Length: 0x5\r\n") + "hello" },
    { story: "an endless length", words: head("Content-Length: 99999999999999999999\r\n") },
    {
      story: "chunked twice",
      words: head("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n",
    },
    { story: "a coding nobody knows", words: head("Transfer-Encoding: gzip\r\n") + "x" },
    { story: "xchunked", words: head("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n" },
    {
      story: "chunked with a tab ahead of the colon",
      words: head("Transfer-Encoding\t: chunked\r\n") + "0\r\n\r\n",
    },
    { story: "a folded field", words: head("X: a\r\n b\r\nContent-Length: 0\r\n") },
    { story: "a bare LF", words: "HTTP/1.1 200 OK\nContent-Length: 0\n\n" },
    { story: "a bare CR in a value", words: head("X: a\rb\r\n") },
    { story: "NUL in a value", words: head("X: a\0b\r\n") },
    { story: "a space in a name", words: head("X Y: z\r\n") },
    { story: "a line without colon", words: head("hello\r\n") },
    { story: "a field without name", words: head(": x\r\n") },
    { story: "more fields than a head may have", words: head("A: b\r\n".repeat(200)) },
    { story: "a head that is too long", words: head(`X: ${"x".repeat(5000)}\r\n`) },
    { story: "a line that is too long", words: `HTTP/1.1 200 ${"x".repeat(5000)}` },
    { story: "1xx for ever", words: "HTTP/1.1 103 x\r\n\r\n".repeat(100) },
    {
      story: "101 nobody asked for",
      words: "HTTP/1.1 101 x\r\nUpgrade: y\r\nConnection: Upgrade\r\n\r\nbytes",
    },
    { story: "a length of a 204", words: "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\nhello" },
    {
      story: "chunks of a 204",
      words: "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    },
    { story: "a 103 with a length", words: "HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\nhello" },
    { story: "half a head, then the end", words: "HTTP/1.1 200 OK\r\nContent-", ends: true },
    { story: "nothing, then the end", words: "", ends: true },
    { story: "half a head, then silence", words: "HTTP/1.1 200 OK\r\nContent-", status: 504 },
    { story: "silence", words: "", status: 504 },
  ])("$story", async ({ words, ends = false, status = 502 }) => {
    const [edge, server] = await liar(words, ends);
    const { heard } = await two(edge);
    const got = responses(heard.replace(/^(HTTP\/1\.1 103[^\r]*\r\n(X[^\r]*\r\n)*\r\n)+/, ""));
    expect(got.map((r) => r.status)).toEqual([status, 200]);
    expect(got[1]?.body).toBe("good");
    expect(server.callers).toHaveLength(2); // what lied is asked nothing more
  });
});

describe("a body that is not what was said", () => {
  test.each([
    {
      story: "shorter than its length, then the end",
      words: head("Content-Length: 9\r\n") + "hello",
      ends: true,
    },
    {
      story: "shorter than its length, then silence",
      words: head("Content-Length: 9\r\n") + "hello",
    },
    {
      story: "chunks without an end",
      words: head("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n",
      ends: true,
    },
    {
      story: "a chunk that is cut",
      words: head("Transfer-Encoding: chunked\r\n") + "9\r\nhello",
      ends: true,
    },
    {
      story: "a chunk longer than it said",
      words: head("Transfer-Encoding: chunked\r\n") + "3\r\nhello\r\n0\r\n\r\n",
    },
    {
      story: "a chunk size that is none",
      words: head("Transfer-Encoding: chunked\r\n") + "-3\r\nhel\r\n0\r\n\r\n",
    },
    {
      story: "bare LFs in chunks",
      words: head("Transfer-Encoding: chunked\r\n") + "5\nhello\n0\n\n",
    },
    {
      story: "a trailer that is none",
      words: head("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\nx y\r\n\r\n",
    },
  ])("$story: the client's connection is cut", async ({ words, ends = false }) => {
    const [edge, server] = await liar(words, ends);
    const { heard, closed } = await two(edge);
    expect(closed).toBe(true);
    expect(heard).not.toContain("good");
    expect(heard).not.toMatch(/\r\n0\r\n\r\n$/);
    expect((await two(edge)).heard).toContain("good");
    expect(server.callers).toHaveLength(2);
  });

  test.each([
    { story: "bytes behind its length", words: ok("hello") + ok("evil") },
    {
      story: "bytes behind its last chunk",
      words: `${head("Transfer-Encoding: chunked\r\n")}0\r\n\r\n${ok("evil")}`,
    },
    { story: "a body of a 304", words: `HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n${ok("evil")}` },
    { story: "bytes behind a 204", words: `HTTP/1.1 204 x\r\n\r\n${ok("evil")}` },
    { story: "a body of a HEAD", words: ok("evil!"), method: "HEAD" },
    { story: "a second response a moment later", words: ok("hello"), later: ok("evil") },
  ])("$story is nobody's response", async ({ words, method, later }) => {
    const [edge, server] = await liar(words, false, later);
    const { heard } = await two(edge, method);
    expect(heard).not.toContain("evil");
    expect(heard).toEndWith("good");
    expect(server.callers).toHaveLength(2);
  });

  test("that drips goes on as long as it drips", async () => {
    const server = stack.use(
      scripted((caller) => {
        caller.say(head("Content-Length: 6\r\n"));
        for (let i = 0; i < 6; i++) setTimeout(() => caller.say("x"), 100 * (i + 1));
      }),
    );
    const edge = stack.use(await proxying([server.port], ROUTE));
    const got = await fetch(`http://127.0.0.1:${edge.port}/`, { keepalive: false });
    expect(await got.text()).toBe("xxxxxx");
  });
});

describe("a server that answers before it has heard all", () => {
  const upload = (length: number) =>
    `PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

  test("the answer is the client's, its connection does not go on in the middle of a body", async () => {
    const server = stack.use(
      scripted(
        (caller, piece) =>
          piece.startsWith("PUT") && caller.say("HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno"),
      ),
    );
    const edge = stack.use(await proxying([server.port], ROUTE));
    using wire = await dial(edge.port);
    wire.say(upload(10_000_000) + "x".repeat(1000));
    expect(await wire.until((heard) => heard.endsWith("no"))).toBe(true);
    expect(wire.heard).toContain("Connection: close\r\n");
    expect(await wire.closed()).toBe(true);
    await Bun.sleep(20);
    expect(server.over).toBe(1); // nor does the server's
  });

  test("and closes at once: the answer still is the client's", async () => {
    const server = stack.use(
      scripted((caller, piece) => {
        if (!piece.startsWith("PUT")) return;
        caller.say("HTTP/1.1 413 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
        caller.end();
      }),
    );
    const edge = stack.use(await proxying([server.port], ROUTE));
    using wire = await dial(edge.port);
    wire.say(upload(10_000_000) + "x".repeat(100_000));
    expect(await wire.until((heard) => heard.endsWith("no"))).toBe(true);
    expect(responses(wire.heard)[0]?.status).toBe(413);
  });
});
