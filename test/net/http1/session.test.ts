import { describe, expect, test } from "bun:test";
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { Session } from "../../../src/net/http1/session.ts";
import type { Prepared } from "../../../src/net/quick.ts";
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  respond,
} from "../../../src/wire/http/message.ts";
import { FakeReception } from "../../fake/reception.ts";
import { FakeTransport } from "../../fake/transport.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Says what it was asked, reading the body whole. */
async function echo(request: HttpRequest): Promise<HttpResponse> {
  const body = request.body ? await new Response(request.body).text() : "";
  return respond(200, [], `${request.method} ${request.path} [${body}]`);
}
const plain: HttpHandler = (request) => respond(200, [], `${request.method} ${request.path}`);

function open(handler: HttpHandler, more: object = {}) {
  const front = new FakeReception({ handler, ...more });
  const transport = new FakeTransport();
  const session = new Session(front, transport, 0);
  const say = (text: string): void => session.feed(bytes(text), 0, text.length);
  return { front, transport, session, say };
}

const answer = (text: string, extra = ""): string =>
  `HTTP/1.1 200 OK\r\nServer: tern\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\n${extra}\r\n${text}`;
const H = "Host: a\r\n";

describe("one after another", () => {
  test.each([
    {
      story: "two pipelined requests are answered in order",
      said: `GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HTTP/1.1\r\n${H}\r\n`,
      heard: answer("GET /1") + answer("GET /2"),
      state: "open",
    },
    {
      story: "close is honoured and what follows is not read",
      said: `GET /1 HTTP/1.1\r\n${H}Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n${H}\r\n`,
      heard: answer("GET /1", "Connection: close\r\n"),
      state: "finished",
    },
    {
      story: "HTTP/1.0 closes",
      said: "GET /1 HTTP/1.0\r\n\r\n",
      heard: answer("GET /1", "Connection: close\r\n"),
      state: "closed",
    },
    {
      story: "HTTP/1.0 with keep-alive goes on",
      said: "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      heard: answer("GET /1"),
      state: "open",
    },
    {
      story: "HEAD has no body",
      said: `HEAD /1 HTTP/1.1\r\n${H}\r\n`,
      heard: answer("HEAD /1").split("\r\n\r\n")[0] + "\r\n\r\n",
      state: "open",
    },
    {
      story: "an absolute target without a path means the root",
      said: `GET http://a?q HTTP/1.1\r\n${H}\r\n`,
      heard: answer("GET /"),
      state: "open",
    },
    {
      story: "a path that climbs out is refused",
      said: `GET /../etc/passwd HTTP/1.1\r\n${H}\r\n`,
      heard: "HTTP/1.1 400 Bad Request",
      state: "finished",
    },
    {
      story: "both a length and a coding are refused",
      said: `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      heard: "HTTP/1.1 400 Bad Request",
      state: "finished",
    },
  ])("$story", async ({ said, heard, state }) => {
    const { transport, say } = open(plain);
    say(said);
    await settle();
    expect(transport.text.startsWith(heard)).toBe(true);
    expect(transport.state).toBe(state as "open");
  });
});

describe("a peer that will say no more", () => {
  test("is still answered all it asked", async () => {
    const { transport, session, say } = open(echo);
    say(`GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HTTP/1.1\r\n${H}\r\nGET /3 HTTP/1.1\r\n${H}\r\n`);
    session.ended();
    await settle();
    const last = answer("GET /3 []", "Connection: close\r\n");
    expect(transport.text).toBe(answer("GET /1 []") + answer("GET /2 []") + last);
    expect(transport.state).toBe("closed");
  });

  test("in the middle of a head is left", () => {
    const { transport, session, say } = open(echo);
    say("GET / HT");
    session.ended();
    expect([transport.text, transport.state]).toEqual(["", "closed"]);
  });
});

test("a close behind an unread body lets no other request in", async () => {
  const close: HttpHandler = async () => {
    await Promise.resolve();
    return { ...respond(403, [], "no"), close: true };
  };
  const { transport, say, front } = open(close);
  say(`PUT /1 HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\n${H}\r\n`);
  await settle();
  expect(front.requests).toBe(1);
  expect(transport.text).toContain("Connection: close\r\n");
  expect(transport.state).toBe("finished");
});

test("a stream that fails breaks the connection and is counted once", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull(c) {
      c.enqueue(new Uint8Array(10));
      c.error(new Error("disk"));
    },
  });
  const { transport, say, front } = open(() => ({
    status: 200,
    headers: [],
    body: { kind: "stream", stream },
  }));
  say(`GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HTTP/1.1\r\n${H}\r\n`);
  await settle();
  expect(transport.state).toBe("aborted");
  expect([front.requests, front.mount.inHand, front.troubles.length]).toEqual([1, 0, 1]);
});

describe("bodies", () => {
  test.each([
    { story: "by length", fields: "Content-Length: 5\r\n", body: "hello", got: "hello" },
    {
      story: "chunked",
      fields: "Transfer-Encoding: chunked\r\n",
      body: "5\r\nhello\r\n0\r\n\r\n",
      got: "hello",
    },
    { story: "empty", fields: "Content-Length: 0\r\n", body: "", got: "" },
  ])("$story, and the next request behind it", async ({ fields, body, got }) => {
    const { transport, say } = open(echo);
    say(`POST /1 HTTP/1.1\r\n${H}${fields}\r\n${body}GET /2 HTTP/1.1\r\n${H}\r\n`);
    await settle();
    expect(transport.text).toBe(answer(`POST /1 [${got}]`) + answer("GET /2 []"));
  });

  test("100 Continue is said when the handler reads, once", async () => {
    const { transport, say } = open(echo);
    say(`PUT /1 HTTP/1.1\r\n${H}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
    await settle();
    expect(transport.text).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    say("hi");
    await settle();
    expect(transport.text).toBe("HTTP/1.1 100 Continue\r\n\r\n" + answer("PUT /1 [hi]"));
  });

  test("a handler that does not want the body is not sent one", async () => {
    const { transport, say } = open(() => respond(403, [], "no"));
    say(`PUT /1 HTTP/1.1\r\n${H}Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n`);
    await settle();
    expect(transport.text).toStartWith("HTTP/1.1 403 Forbidden");
    expect(transport.text).toContain("Connection: close");
    expect(transport.state).toBe("finished");
  });

  test("a small unread body is swallowed and the connection kept", async () => {
    const { transport, say } = open((r) => respond(r.method === "PUT" ? 403 : 200, [], r.path));
    say(`PUT /1 HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhe`);
    await settle();
    say(`lloGET /2 HTTP/1.1\r\n${H}\r\n`);
    await settle();
    expect(transport.text).toContain("403 Forbidden");
    expect(transport.text).toEndWith(answer("/2"));
    expect(transport.state).toBe("open");
  });

  test.each([
    { story: "a length beyond the limit", fields: "Content-Length: 11\r\n", body: "" },
    { story: "chunks beyond the limit", fields: "Transfer-Encoding: chunked\r\n", body: "b\r\n" },
  ])("$story is 413", async ({ fields, body }) => {
    const { limits } = new FakeReception({ handler: plain });
    const { transport, say } = open(echo, { limits: { ...limits, maxBody: 10 } });
    say(`POST / HTTP/1.1\r\n${H}${fields}\r\n${body}`);
    await settle();
    expect(transport.text).toStartWith("HTTP/1.1 413 ");
  });

  test("a broken chunk is 400, and nothing behind it is read as a request", async () => {
    const { transport, say, front } = open(echo);
    say(
      `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXXGET /evil HTTP/1.1\r\n${H}\r\n`,
    );
    await settle();
    expect(transport.text).toStartWith("HTTP/1.1 400 ");
    expect(front.requests).toBe(1);
  });

  test("a client that leaves in the middle of a body aborts the request", async () => {
    let aborted = false;
    const { session, say } = open(async (request) => {
      request.signal.addEventListener("abort", () => (aborted = true));
      return echo(request);
    });
    say(`POST / HTTP/1.1\r\n${H}Content-Length: 10\r\n\r\nhel`);
    session.broken();
    await settle();
    expect(aborted).toBe(true);
  });
});

describe("slow peers", () => {
  test("a peer that takes little holds back the next request, and gets all in the end", async () => {
    const { transport, session, say, front } = open(plain);
    transport.room = 50;
    say(`GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HTTP/1.1\r\n${H}\r\n`);
    expect(front.requests).toBe(1);
    expect(transport.writing).toBe(true);
    while (transport.writing) {
      transport.room = 7;
      session.writable();
    }
    expect(transport.text).toBe(answer("GET /1") + answer("GET /2"));
  });

  test("a streamed body waits for the peer", async () => {
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(c) {
          pulled++;
          if (pulled > 100) c.close();
          else c.enqueue(new Uint8Array(1000).fill(97));
        },
      },
      { highWaterMark: 0 },
    );
    const { transport, session, say } = open(() => ({
      status: 200,
      headers: [],
      body: { kind: "stream", stream },
    }));
    transport.room = 1500;
    say(`GET / HTTP/1.1\r\n${H}\r\n`);
    await settle();
    expect(pulled).toBeLessThan(5);
    while (transport.state === "open" && !transport.text.endsWith("0\r\n\r\n")) {
      transport.room = 1500;
      session.writable();
      await settle();
    }
    expect(transport.text).toContain("Transfer-Encoding: chunked\r\n");
    expect(transport.said.length).toBeGreaterThan(100_000);
  });

  test.each([
    { story: "half a head is 408", said: "GET / HT", heard: "HTTP/1.1 408 " },
    { story: "silence is closed without a word", said: "", heard: "" },
  ])("$story", ({ said, heard }) => {
    const { transport, session, say, front } = open(plain);
    if (said) say(said);
    front.now = session.deadline;
    session.late();
    expect(transport.text.startsWith(heard)).toBe(true);
    expect(transport.state).not.toBe("open");
  });

  test("half a head behind an answered request has a head's time, not that of an idle peer", async () => {
    const { session, say, front } = open(echo);
    say(`GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HT`);
    await settle();
    expect(session.deadline).toBe(front.limits.headTimeout);
    expect(front.limits.headTimeout).toBeLessThan(front.limits.keepAlive);
  });

  test("a head without end is 431", () => {
    const { transport, say } = open(plain);
    say(`GET / HTTP/1.1\r\n${H}`);
    for (let i = 0; i < 300 && transport.state === "open"; i++)
      say(`X-${i}: ${"y".repeat(100)}\r\n`);
    expect(transport.text).toStartWith("HTTP/1.1 431 ");
  });
});

describe("files", () => {
  test("are sent, and given back once whatever happens", async () => {
    const path = join(tmpdir(), `tern-session-${process.pid}`);
    writeFileSync(path, "0123456789".repeat(1000));
    const fd = openSync(path, "r");
    let released = 0;
    const { transport, session, say } = open(() => ({
      status: 200,
      headers: [],
      body: {
        kind: "pieces",
        pieces: [{ fd, offset: 5, length: 9000 }],
        release: () => released++,
      },
    }));
    transport.step = 1000;
    transport.room = 3000;
    say(`GET / HTTP/1.1\r\n${H}\r\n`);
    expect(released).toBe(0);
    transport.room = Infinity;
    while (transport.writing) session.writable();
    expect(transport.text.split("\r\n\r\n")[1]).toBe("0123456789".repeat(1000).slice(5, 9005));
    expect(released).toBe(1);
    transport.room = 100;
    say(`GET / HTTP/1.1\r\n${H}\r\n`);
    session.broken();
    expect(released).toBe(2);
    closeSync(fd);
    unlinkSync(path);
  });
});

describe("trouble", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new Error("x"))],
  ] as [string, HttpHandler][])(
    "a handler that %s is 500, and the connection goes on",
    async (_, handler) => {
      const { transport, say, front } = open(handler);
      say(`GET / HTTP/1.1\r\n${H}\r\n`);
      await settle();
      expect(transport.text).toStartWith("HTTP/1.1 500 ");
      expect(front.troubles).toHaveLength(1);
      expect(front.mount.inHand).toBe(0);
      expect(transport.state).toBe("open");
      say(`GET / HTTP/1.1\r\n${H}\r\n`.repeat(3));
      await settle();
      expect(transport.text.match(/ 500 /g)).toHaveLength(4); // also what was sent ahead
    },
  );

  test("our own fault ends its connection, and no other hears what was meant for it", () => {
    let asked = 0;
    const quick = (): Prepared => {
      if (++asked === 2) throw new Error("ours");
      const head = Buffer.from(answer("secret"));
      const body = new Uint8Array();
      const file = undefined;
      const refresh = (): void => {};
      return { status: 200, stamp: 0, refresh, packet: head, head, closing: head, body, file };
    };
    const one = open(plain, { quick });
    one.say(`GET /1 HTTP/1.1\r\n${H}\r\nGET /2 HTTP/1.1\r\n${H}\r\n`);
    expect([one.transport.state, one.front.guests]).toEqual(["aborted", 0]);
    expect(one.front.troubles).toHaveLength(1);
    const other = open(plain);
    other.say(`GET /3 HTTP/1.1\r\n${H}\r\n`);
    expect(other.transport.text).toBe(answer("GET /3"));
  });

  test.each([
    ["CR LF", "a\r\nSet-Cookie: evil"],
    ["characters whose low byte is CR and LF", "a\u010d\u010aSet-Cookie: evil"],
  ])("response splitting by %s is left out", (_, value) => {
    const { transport, say } = open(() => respond(200, [["X-A", value]]));
    say(`GET / HTTP/1.1\r\n${H}\r\n`);
    expect(transport.text).not.toContain("evil");
  });

  test("while draining every response closes, and idle connections leave", async () => {
    const { transport, session, say, front } = open(plain);
    front.draining = true;
    say(`GET / HTTP/1.1\r\n${H}\r\n`);
    expect(transport.text).toContain("Connection: close\r\n");
    expect(transport.state).toBe("closed");
    const other = open(plain);
    other.session.leaveIfIdle();
    expect(other.transport.state).toBe("closed");
    expect(session.over).toBe(true);
  });
});

/** However the network cuts it and however slow the peer is, the conversation is the same. */
test("cuts and slowness change nothing", async () => {
  const said =
    `GET /1 HTTP/1.1\r\n${H}\r\nPOST /2 HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhello` +
    `PUT /3 HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n` +
    `GET /4 HTTP/1.1\r\n${H}Connection: close\r\n\r\n`;
  const heard =
    answer("GET /1 []") +
    answer("POST /2 [hello]") +
    answer("PUT /3 [abcde]") +
    answer("GET /4 []", "Connection: close\r\n");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(said.length), { maxLength: 12 }),
      fc.integer({ min: 1, max: 400 }),
      async (cuts, room) => {
        const { transport, session, say } = open(echo);
        const places = [0, ...cuts.sort((a, b) => a - b), said.length];
        for (let i = 1; i < places.length; i++) {
          transport.room = room;
          const part = said.slice(places[i - 1], places[i]);
          if (part !== "") say(part);
          await Promise.resolve();
        }
        for (let i = 0; i < 2000 && transport.state === "open"; i++) {
          transport.room = room;
          session.writable();
          if (!transport.writing) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(transport.text).toBe(heard);
      },
    ),
    { numRuns: 60 },
  );
});
