import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { placeholder } from "../../src/net/tls/self-signed.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../src/wire/http/message.ts";
import { realFronts, type Serving, serving } from "../fake/fronts.ts";
import { refusedChunks } from "../wire/http1/refused-chunks.ts";
import { refusedHeads, request } from "../wire/http1/refused-heads.ts";
import { END_HEADERS, END_STREAM, frame, H2, literals, uint32 } from "./h2-frames.ts";
import { dial, latin1, responses } from "./wire.ts";

/** Targets that any handler was asked for, and what it read of their bodies. */
let asked: string[] = [];

/** Reads the body to its end, as an upload would. */
async function reads(r: HttpRequest): Promise<HttpResponse> {
  const at = asked.push(r.target) - 1;
  const body = r.body ? await new Response(r.body).text() : "";
  asked[at] = `${r.target} [${body}]`;
  return respond(200, [], `${r.target} [${body}]`);
}
/** Answers without looking at the body, as a 405 would. */
function ignores(r: HttpRequest): HttpResponse {
  asked.push(r.target);
  return respond(200, [], r.target);
}

const listeners = { clear: {}, tls: {} } as Record<"clear" | "tls", Record<string, Serving>>;
beforeAll(async () => {
  const certificate = await placeholder("localhost", Date.now());
  for (const [kind, tls] of [
    ["clear", false],
    ["tls", true],
  ] as const)
    for (const handler of [reads, ignores])
      listeners[kind][handler.name] = await serving(realFronts(certificate), { handler, tls });
});
afterAll(async () => {
  const all = Object.values(listeners).flatMap((handlers) => Object.values(handlers));
  await Promise.all(all.map((one) => one.close()));
});

const SECOND = request("", "GET /second HTTP/1.1");

async function connected(kind: "clear" | "tls", handler: "reads" | "ignores") {
  asked = [];
  return dial(listeners[kind][handler]!.port, { tls: kind === "tls" });
}

describe.each(["clear", "tls"] as const)("over %s HTTP/1", (kind) => {
  describe("a head that two readers could understand differently is one error and the end", () => {
    test.each(refusedHeads)("$story", async ({ fields, line, host, status = 400 }) => {
      using wire = await connected(kind, "reads");
      wire.say(request(fields, line, host) + SECOND + SECOND);
      expect(await wire.closed()).toBe(true);
      expect(responses(wire.heard).map((r) => r.status)).toEqual([status]);
      expect(wire.heard).toContain("\r\nConnection: close\r\n");
      expect(asked).toEqual([]);
    });
  });

  describe("a body that two readers could frame differently, read by its handler", () => {
    test.each(refusedChunks)("$story", async ({ body }) => {
      using wire = await connected(kind, "reads");
      wire.say(request("Transfer-Encoding: chunked\r\n", "POST /first HTTP/1.1") + body + SECOND);
      wire.say(SECOND.repeat(300)); // what is waited for, if anything is, comes
      expect(await wire.closed()).toBe(true);
      expect(responses(wire.heard).map((r) => r.status)).toEqual([400]);
      expect(asked).toEqual(["/first"]); // it never came to the end of the body
    });
  });

  describe("the same, ignored by its handler", () => {
    test.each(refusedChunks)("$story", async ({ body }) => {
      using wire = await connected(kind, "ignores");
      wire.say(request("Transfer-Encoding: chunked\r\n", "POST /first HTTP/1.1") + body + SECOND);
      expect(await wire.closed()).toBe(true);
      expect(responses(wire.heard).map((r) => r.body)).toEqual(["/first"]);
      expect(asked).toEqual(["/first"]);
    });
  });

  test.each([
    {
      story: "a body that looks like a request",
      fields: `Content-Length: ${SECOND.length}\r\n`,
      body: SECOND,
    },
    {
      story: "a chunk that looks like one",
      fields: "Transfer-Encoding: chunked\r\n",
      body: `${SECOND.length.toString(16)}\r\n${SECOND}\r\n0\r\n\r\n`,
    },
    {
      story: "trailers that would reframe it",
      fields: "Transfer-Encoding: chunked\r\n",
      body: `${SECOND.length.toString(16)}\r\n${SECOND}\r\n0\r\nContent-Length: 0\r\nHost: b\r\n\r\n`,
    },
  ])("$story is a body, and only that", async ({ fields, body }) => {
    using wire = await connected(kind, "reads");
    wire.say(request(fields, "POST /first HTTP/1.1") + body + request("", "GET /third HTTP/1.1"));
    expect(await wire.until((heard) => responses(heard).length === 2)).toBe(true);
    expect(asked).toEqual([`/first [${SECOND}]`, "/third []"]);
    expect(wire.state).toBe("open");
  });

  test("a body nobody wants is swallowed, not taken for the next request", async () => {
    using wire = await connected(kind, "ignores");
    const body = SECOND.repeat(10);
    wire.say(request(`Content-Length: ${body.length}\r\n`, "POST /first HTTP/1.1") + body + SECOND);
    expect(await wire.until((heard) => responses(heard).length === 2)).toBe(true);
    expect(asked).toEqual(["/first", "/second"]);
  });

  test("a client that waits for 100 and is refused may or may not send the body: no guessing", async () => {
    using wire = await connected(kind, "ignores");
    const expects = `Content-Length: ${SECOND.length}\r\nExpect: 100-continue\r\n`;
    wire.say(request(expects, "POST /first HTTP/1.1"));
    await wire.until((heard) => heard !== "");
    wire.say(SECOND + SECOND);
    expect(await wire.closed()).toBe(true);
    expect(asked).toEqual(["/first"]);
    expect(responses(wire.heard)).toHaveLength(1);
  });

  test.each([1, 2, 7, 1000])(
    "good pipelined requests are answered in order, %d bytes a time",
    async (step) => {
      using wire = await connected(kind, "reads");
      const paths = Array.from({ length: 40 }, (_, i) => `/${i}`);
      const said = paths
        .map((path, i) =>
          i % 3 === 0
            ? `${request("Content-Length: 2\r\n", `POST ${path} HTTP/1.1`)}hi`
            : request("", `GET ${path} HTTP/1.1`),
        )
        .join("");
      for (let at = 0; at < said.length; at += step) {
        wire.say(said.slice(at, at + step));
        if (at % 64 === 0) await Bun.sleep(0);
      }
      expect(await wire.until((heard) => responses(heard).length === 40)).toBe(true);
      const bodies = responses(wire.heard).map((r) => r.body);
      expect(bodies).toEqual(paths.map((path, i) => `${path} [${i % 3 === 0 ? "hi" : ""}]`));
    },
  );

  test("a bad one behind good ones: those are answered, it is refused, nothing after it is read", async () => {
    using wire = await connected(kind, "reads");
    wire.say(
      request("", "GET /1 HTTP/1.1") +
        request("", "GET /2 HTTP/1.1") +
        request("X : y\r\n") +
        SECOND,
    );
    expect(await wire.closed()).toBe(true);
    expect(responses(wire.heard).map((r) => r.status)).toEqual([200, 200, 400]);
    expect(asked).toEqual(["/1 []", "/2 []"]);
  });
});

type Fields = readonly (readonly [string, string])[];

describe.each(["clear", "tls"] as const)("over %s HTTP/2", (kind) => {
  const start: Fields = [
    [":method", "GET"],
    [":scheme", kind === "tls" ? "https" : "http"],
    [":path", "/bad"],
    [":authority", "a"],
  ];
  const good = start.map(([name, value]) => [name, name === ":path" ? "/good" : value] as const);
  const post = start.map(([name, value]) => [name, name === ":method" ? "POST" : value] as const);
  const open = (handler: "reads" | "ignores") => {
    asked = [];
    return H2.open(listeners[kind][handler]!.port, { tls: kind === "tls" });
  };

  test("a good one is answered: the others are not refused for how they are written", async () => {
    using h2 = await open("reads");
    h2.ask(1, good);
    expect(await h2.end(1)).toBe("200");
    h2.ask(3, post, false);
    h2.say(frame("DATA", END_STREAM, 3, latin1("hello")));
    expect(await h2.end(3)).toBe("200");
    expect(asked).toEqual(["/good []", "/bad [hello]"]);
  });

  test.each<{ story: string; fields: Fields }>([
    { story: "a name in upper case", fields: [...start, ["X-Test", "y"]] },
    { story: "CR LF in a value", fields: [...start, ["x", "y\r\ntransfer-encoding: chunked"]] },
    { story: "LF in a value", fields: [...start, ["x", "y\nx: z"]] },
    { story: "CR in a value", fields: [...start, ["x", "y\rz"]] },
    { story: "NUL in a value", fields: [...start, ["x", "y\0z"]] },
    { story: "CR LF in a name", fields: [...start, ["x: y\r\nz", "y"]] },
    { story: "a colon in a name", fields: [...start, ["x:y", "z"]] },
    { story: "a space in a name", fields: [...start, ["x y", "z"]] },
    { story: "an empty name", fields: [...start, ["", "z"]] },
    {
      story: "CR LF in the path",
      fields: [...start.slice(0, 2), [":path", "/bad HTTP/1.1\r\nx: y"], [":authority", "a"]],
    },
    {
      story: "a space in the path",
      fields: [...start.slice(0, 2), [":path", "/bad x"], [":authority", "a"]],
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
    { story: "a user in the authority", fields: [...start.slice(0, 3), [":authority", "u@a"]] },
    { story: "transfer-encoding", fields: [...start, ["transfer-encoding", "chunked"]] },
    { story: "connection", fields: [...start, ["connection", "close"]] },
    { story: "upgrade", fields: [...start, ["upgrade", "h2c"]] },
    { story: "te that is not trailers", fields: [...start, ["te", "gzip"]] },
    { story: "another host beside the authority", fields: [...start, ["host", "b"]] },
    { story: "no path", fields: start.filter(([name]) => name !== ":path") },
    { story: "an empty path", fields: [...start.slice(0, 2), [":path", ""], [":authority", "a"]] },
    { story: "no method", fields: start.slice(1) },
    { story: "two paths", fields: [...start, [":path", "/other"]] },
    { story: "a pseudo-field nobody knows", fields: [...start, [":x", "y"]] },
    { story: "a pseudo-field behind a field", fields: [["x", "y"], ...start] },
    { story: "two lengths", fields: [...start, ["content-length", "0"], ["content-length", "5"]] },
    { story: "a length that is none", fields: [...start, ["content-length", "+5"]] },
    { story: "a length without the bytes", fields: [...start, ["content-length", "5"]] },
  ])("$story is no request", async ({ fields }) => {
    using h2 = await open("reads");
    h2.ask(1, fields);
    expect(await h2.end(1)).toMatch(/^(4\d\d|reset|goaway|closed)/);
    expect(asked).toEqual([]);
  });

  test.each([
    { story: "more than the length", length: "5", parts: ["hello", "GET / HTTP/1.1"] },
    { story: "more than the length at once", length: "5", parts: ["hello!"] },
    { story: "fewer than the length", length: "50", parts: ["hello"] },
  ])("$story: the handler never sees a whole body", async ({ length, parts }) => {
    using h2 = await open("reads");
    h2.ask(1, [...post, ["content-length", length]], false);
    for (const [i, part] of parts.entries())
      h2.say(frame("DATA", i === parts.length - 1 ? END_STREAM : 0, 1, latin1(part)));
    expect(await h2.end(1)).toMatch(/^(4\d\d|reset|goaway|closed)/);
    expect(asked.filter((one) => one !== "/bad")).toEqual([]);
  });

  test("bytes behind a length of 0 reach nobody", async () => {
    using h2 = await open("reads");
    h2.ask(1, [...post, ["content-length", "0"]], false);
    h2.say(frame("DATA", END_STREAM, 1, latin1("hello")));
    expect(await h2.end(1)).toMatch(/^(4\d\d|reset|goaway|closed)/);
    expect(asked.filter((one) => one.includes("hello"))).toEqual([]);
  });

  test("a head without end is not collected for ever", async () => {
    using h2 = await open("reads");
    h2.say(frame("HEADERS", 0, 1, literals(start)));
    const junk = literals(
      Array.from({ length: 150 }, (_, i) => [`x${i}`, "y".repeat(90)] as const),
    );
    for (let i = 0; i < 200 && h2.state === "open"; i++) {
      h2.say(frame("CONTINUATION", 0, 1, junk.subarray(0, 16_000)));
      if (i % 20 === 0) await Bun.sleep(1);
    }
    h2.say(frame("CONTINUATION", END_HEADERS, 1, new Uint8Array()));
    expect(await h2.end(1)).toMatch(/^(4\d\d|reset|goaway|closed)/);
    expect(asked).toEqual([]);
  });

  test("200 streams begun and reset at once hurt nobody", async () => {
    using h2 = await open("reads");
    for (let stream = 1; stream < 400; stream += 2) {
      h2.ask(stream, start);
      h2.say(frame("RST_STREAM", 0, stream, uint32(8)));
    }
    using other = await H2.open(listeners[kind]["reads"]!.port, { tls: kind === "tls" });
    other.ask(1, good);
    expect(await other.end(1)).toBe("200");
  });
});
