/** A client and a server that would understand one stream of bytes differently, and the proxy between them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { type Proxying, proxying } from "../fake/proxying.ts";
import { ok, type Scripted, scripted } from "../fake/scripted.ts";
import { refusedChunks } from "../wire/http1/refused-chunks.ts";
import { refusedHeads, request } from "../wire/http1/refused-heads.ts";
import { END_STREAM, frame, H2 } from "./h2-frames.ts";
import { dial, latin1, responses } from "./wire.ts";

const stack = new AsyncDisposableStack();
const edges = {} as Record<"clear" | "tls", Proxying>;
let server: Scripted;

beforeAll(async () => {
  // As gullible as can be: every piece is answered, whatever it is.
  server = stack.use(scripted((caller, piece) => caller.say(ok(`${piece.length}`))));
  edges.clear = stack.use(await proxying([server.port]));
  edges.tls = stack.use(await proxying([server.port], { tls: true }));
});
afterAll(() => stack.disposeAsync());

const SECOND = request("", "GET /second HTTP/1.1");
/** Request lines as a reader sees them who knows no framing. */
const linesIn = (heard: string) => heard.match(/[A-Z]+ \S+ HTTP\/1\.\d(?=\r\n)/g) ?? [];

describe.each(["clear", "tls"] as const)("over %s HTTP/1", (kind) => {
  const connected = () => dial(edges[kind].port, { tls: kind === "tls" });

  test.each(refusedHeads)(
    "$story reaches no server",
    async ({ fields, line, host, status = 400 }) => {
      const before = server.heard.length;
      using wire = await connected();
      wire.say(request(fields, line, host) + SECOND + SECOND);
      expect(await wire.closed()).toBe(true);
      expect(responses(wire.heard).map((r) => r.status)).toEqual([status]);
      expect(server.heard.slice(before)).toBe("");
    },
  );

  test.each(refusedChunks)("chunks: $story", async ({ body }) => {
    const before = server.heard.length;
    using wire = await connected();
    wire.say(request("Transfer-Encoding: chunked\r\n", "POST /first HTTP/1.1") + body + SECOND);
    wire.say(SECOND.repeat(300));
    expect(await wire.closed()).toBe(true);
    const heard = server.heard.slice(before);
    expect(linesIn(heard).filter((line) => line.includes("/second"))).toEqual([]);
    expect(heard).not.toContain("\r\n0\r\n"); // never told that it is whole
  });

  test.each([
    {
      story: "a body that looks like a request goes as a body",
      fields: `Content-Length: ${SECOND.length}\r\n`,
      body: SECOND,
      sent: `Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`,
    },
    {
      story: "chunks are cut anew, their extensions forgotten",
      fields: "Transfer-Encoding: chunked\r\n",
      body: "2;a=b\r\nhe\r\n003 ; x\r\nllo\r\n000\r\nX-T: 1\r\nContent-Length: 9\r\n\r\n",
      sent: "Transfer-Encoding: chunked\r\n\r\n",
      ends: "0\r\nx-t: 1\r\n\r\n",
    },
  ])("$story", async ({ fields, body, sent, ends = "" }) => {
    const before = server.heard.length;
    using wire = await connected();
    wire.say(request(fields, "POST /first HTTP/1.1") + body);
    expect(
      await wire.until(
        () =>
          server.heard.slice(before).endsWith(ends) && server.heard.slice(before).includes(sent),
      ),
    ).toBe(true);
    expect(server.heard.slice(before)).not.toMatch(/a=b|Content-Length: 9|;/);
  });
});

type Fields = readonly (readonly [string, string])[];

describe.each(["clear", "tls"] as const)("from %s HTTP/2 to HTTP/1", (kind) => {
  const start: Fields = [
    [":method", "GET"],
    [":scheme", kind === "tls" ? "https" : "http"],
    [":path", "/bad"],
    [":authority", "a.example:81"],
  ];
  const post = start.map(([name, value]) => [name, name === ":method" ? "POST" : value] as const);
  const open = () => H2.open(edges[kind].port, { tls: kind === "tls" });

  test.each<{ story: string; fields: Fields; seen: readonly string[]; never?: RegExp }>([
    { story: "the authority is the host", fields: start, seen: ["Host: a.example:81"] },
    {
      story: "a host that says the same",
      fields: [...start, ["host", "a.example:81"]],
      seen: ["Host: a.example:81"],
    },
    {
      story: "only a host",
      fields: [...start.slice(0, 3), ["host", "b.example"]],
      seen: ["Host: b.example"],
    },
    {
      story: "crumbs of a cookie are one field (RFC 9113, 8.2.3)",
      fields: [...start, ["cookie", "a=b"], ["cookie", "c=d"]],
      seen: ["cookie: a=b; c=d"],
    },
    {
      story: "te: trailers is of the hop",
      fields: [...start, ["te", "trailers"]],
      seen: [],
      never: /^te:/im,
    },
    {
      story: "no word of a client about itself",
      fields: [...start, ["x-forwarded-for", "6.6.6.6"], ["forwarded", "for=6.6.6.6"]],
      seen: ["X-Forwarded-For: 127.0.0.1"],
      never: /6\.6\.6\.6/,
    },
    {
      story: "no expectation",
      fields: [...start, ["expect", "100-continue"]],
      seen: [],
      never: /expect/i,
    },
    {
      story: "how it came",
      fields: start,
      seen: [
        "Via: 2 tern",
        `X-Forwarded-Proto: ${kind === "tls" ? "https" : "http"}`,
        "X-Forwarded-Host: a.example:81",
      ],
    },
  ])("$story", async ({ fields, seen, never }) => {
    const before = server.heard.length;
    using h2 = await open();
    h2.ask(1, fields);
    expect(await h2.until(() => h2.ends.get(1) === "200")).toBe(true); // maybe behind a 100
    const head = server.heard.slice(before);
    expect(linesIn(head)).toEqual(["GET /bad HTTP/1.1"]);
    expect(head.match(/^host:/gim)).toHaveLength(1);
    expect(head).toEndWith("\r\n\r\n");
    const lines = head.split("\r\n").map((line) => line.toLowerCase());
    for (const line of seen) expect(lines).toContain(line.toLowerCase());
    if (never) expect(head).not.toMatch(never);
  });

  test.each<{ story: string; fields: Fields }>([
    { story: "CR LF in a value", fields: [...start, ["x", "y\r\ntransfer-encoding: chunked"]] },
    { story: "LF in a value", fields: [...start, ["x", "y\n\nGET /second HTTP/1.1"]] },
    { story: "NUL in a value", fields: [...start, ["x", "y\0z"]] },
    { story: "a colon in a name", fields: [...start, ["x:y", "z"]] },
    { story: "CR LF in a name", fields: [...start, ["x: y\r\nz", "y"]] },
    {
      story: "CR LF in the path",
      fields: [...start.slice(0, 2), [":path", "/bad HTTP/1.1\r\nx: y"], start[3]!],
    },
    {
      story: "CR LF in the method",
      fields: [[":method", "GET /x HTTP/1.1\r\nx"], ...start.slice(1)],
    },
    { story: "a space in the method", fields: [[":method", "GET /x"], ...start.slice(1)] },
    {
      story: "CR LF in the authority",
      fields: [...start.slice(0, 3), [":authority", "a\r\nx: y"]],
    },
    { story: "another host beside the authority", fields: [...start, ["host", "b"]] },
    { story: "transfer-encoding", fields: [...start, ["transfer-encoding", "chunked"]] },
    { story: "connection", fields: [...start, ["connection", "x"]] },
    { story: "upgrade", fields: [...start, ["upgrade", "websocket"]] },
    { story: "two lengths", fields: [...start, ["content-length", "0"], ["content-length", "5"]] },
    { story: "a length without the bytes", fields: [...start, ["content-length", "5"]] },
    {
      story: "CONNECT",
      fields: [
        [":method", "CONNECT"],
        [":authority", "a:443"],
      ],
    },
  ])("$story reaches no server", async ({ fields }) => {
    const before = server.heard.length;
    using h2 = await open();
    h2.ask(1, fields);
    expect(await h2.end(1)).toMatch(/^(4\d\d|501|reset|goaway|closed)/);
    expect(server.heard.slice(before)).toBe("");
  });

  test("a body goes in the frame it was announced in", async () => {
    const before = server.heard.length;
    using h2 = await open();
    h2.ask(1, [...post, ["content-length", "5"]], false);
    h2.say(frame("DATA", END_STREAM, 1, latin1("hello")));
    expect(await h2.end(1)).toBe("200");
    expect(server.heard.slice(before)).toMatch(/\r\nContent-Length: 5\r\n\r\nhello$/);
  });

  test.each([
    { story: "more than the length", length: "5", parts: ["hello", SECOND] },
    { story: "fewer than the length", length: "50", parts: ["hello"] },
  ])("$story: what is too much reaches nobody", async ({ length, parts }) => {
    const before = server.heard.length;
    using h2 = await open();
    h2.ask(1, [...post, ["content-length", length]], false);
    for (const [i, part] of parts.entries())
      h2.say(frame("DATA", i === parts.length - 1 ? END_STREAM : 0, 1, latin1(part)));
    await h2.end(1, 500);
    expect(server.heard.slice(before)).not.toContain("/second");
    using other = await open(); // and nobody else's connection has been spoiled
    other.ask(1, start);
    expect(await other.end(1)).toBe("200");
  });
});
