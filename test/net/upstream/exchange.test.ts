import { afterAll, describe, expect, test } from "bun:test";

import type { Server } from "../../../src/net/pools/pool.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { Dialer } from "../../../src/net/tcp/dialer.ts";
import type { Answer } from "../../../src/net/upstream/answer.ts";
import { AskError } from "../../../src/net/upstream/ask-error.ts";
import type { UpstreamConnection } from "../../../src/net/upstream/connection.ts";
import { UpstreamExchange } from "../../../src/net/upstream/exchange.ts";
import { requestHead, type RequestParts } from "../../../src/net/upstream/request-head.ts";
import { Upstream } from "../../../src/net/upstream/upstream.ts";
import type { Body } from "../../../src/wire/http/message.ts";
import { until } from "../../e2e/from-source.ts";

const loop = reactor();
const upstream = new Upstream(loop, new Dialer(loop), {
  connectTimeout: 1000,
  maxIdle: 2,
  idleTimeout: 60_000,
  maxHead: 4096,
});

/** A server that says, for each connection and each read, what the test tells it to. */
function peer(
  script: (
    said: string,
    connection: number,
    write: (text: string) => void,
    end: () => void,
  ) => void,
) {
  let connections = 0;
  const heard: string[] = [];
  const listener = Bun.listen<{ number: number; waiting: Uint8Array }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { number: connections++, waiting: new Uint8Array() };
      },
      drain(socket) {
        const { waiting } = socket.data;
        socket.data.waiting = waiting.subarray(socket.write(waiting));
      },
      data(socket, bytes) {
        const text = bytes.toString("latin1");
        heard.push(text);
        script(
          text,
          socket.data.number,
          (t) => {
            const all = Buffer.concat([socket.data.waiting, Buffer.from(t)]);
            socket.data.waiting = all.subarray(socket.write(all));
          },
          () => socket.end(),
        );
      },
    },
  });
  const counts = { connecting: 0, connected: 0 };
  const server: Server = {
    name: "peer",
    host: "127.0.0.1",
    port: listener.port,
    eligible: true,
    open: 0,
    connecting: () => counts.connecting++,
    connected: () => counts.connected++,
    answered: () => {},
    failed: () => {},
    closed: () => {},
    transferred: () => {},
  };
  stops.push(() => listener.stop(true));
  return {
    server,
    heard,
    counts,
    get connections() {
      return connections;
    },
  };
}
const stops: (() => void)[] = [];
afterAll(() => {
  upstream.close();
  for (const stop of stops) stop();
});

function connect(server: Server): Promise<UpstreamConnection> {
  const idle = upstream.reuse(server);
  if (idle) return Promise.resolve(idle);
  return new Promise((resolve, reject) => {
    upstream.connect(server, { ready: resolve, unreachable: (why) => reject(new Error(why)) });
  });
}

const get: RequestParts = {
  method: "GET",
  target: "/",
  headers: [["Host", "peer"]],
  body: undefined,
  length: undefined,
};

async function read(body: Body): Promise<string> {
  if (body.kind === "none") return "";
  if (body.kind === "pieces")
    return body.pieces
      .map((p) => (p instanceof Uint8Array ? Buffer.from(p).toString() : ""))
      .join("");
  if (body.kind !== "flow") throw new Error(body.kind);
  const { flow } = body;
  return new Promise((resolve, reject) => {
    let text = "";
    flow.start({
      write(bytes, from, to) {
        text += Buffer.from(bytes.subarray(from, to)).toString();
        return true;
      },
      end: () => resolve(text),
      fail: reject,
    });
  });
}

const outgoing = (parts: RequestParts) => {
  const head = requestHead(parts);
  return { ...parts, head, headEnd: head.length, readTimeout: 800 };
};

/** Ask, and wait for the head. */
function asked(connection: UpstreamConnection, parts: RequestParts): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answered = (answer: Answer): void => {
      void answer.headers; // they are kept when they were asked for in time
      resolve(answer);
    };
    new UpstreamExchange(connection, { answered, failed: reject, over() {} }).begin(
      outgoing(parts),
    );
  });
}

async function ask(server: Server, parts: Partial<RequestParts> = {}) {
  const connection = await connect(server);
  const answer = await asked(connection, { ...get, ...parts });
  return {
    status: answer.status,
    headers: answer.headers,
    text: await read(answer.body()),
    connection,
  };
}

describe("a response", () => {
  test.each([
    {
      story: "with a length",
      said: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      text: "hello",
      kept: true,
    },
    {
      story: "in chunks",
      said: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      text: "hello",
      kept: true,
    },
    {
      story: "that ends with the connection",
      said: "HTTP/1.1 200 OK\r\n\r\nhello",
      text: "hello",
      ends: true,
      kept: false,
    },
    {
      story: "that closes",
      said: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
      text: "hello",
      kept: false,
    },
    {
      story: "without a body",
      said: "HTTP/1.1 204 No Content\r\n\r\n",
      text: "",
      kept: true,
      status: 204,
    },
    {
      story: "behind an interim one",
      said: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      text: "ok",
      kept: true,
    },
    {
      story: "with bytes behind it nobody asked for",
      said: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
      text: "ok",
      kept: false,
    },
  ])("$story", async ({ said, text, kept, ends = false, status = 200 }) => {
    const p = peer((_, __, write, end) => {
      write(said);
      if (ends) end();
    });
    const first = await ask(p.server);
    expect({ status: first.status, text: first.text }).toEqual({ status, text });
    await Bun.sleep(20);
    const second = await ask(p.server);
    expect(second.text).toBe(text);
    expect(p.connections).toBe(kept ? 1 : 2);
  });

  test("byte by byte", async () => {
    const said =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
    const p = peer((_, __, write) => {
      void (async () => {
        for (const c of said) {
          write(c);
          await Bun.sleep(0);
        }
      })();
    });
    expect((await ask(p.server)).text).toBe("hello");
  });

  test("of a megabyte, held back by a slow reader", async () => {
    const big = "x".repeat(1 << 20);
    const p = peer((_, __, write) => {
      let rest = `HTTP/1.1 200 OK\r\nContent-Length: ${big.length}\r\n\r\n${big}`;
      const more = (): void => {
        write(rest.slice(0, 65_536));
        rest = rest.slice(65_536);
        if (rest !== "") setTimeout(more, 1);
      };
      more();
    });
    const connection = await connect(p.server);
    const answer = await asked(connection, get);
    await Bun.sleep(100);
    const taken = answer.body();
    if (taken.kind !== "flow") throw new Error(taken.kind);
    expect(taken.length).toBe(big.length);
    let length = 0;
    await new Promise<void>((resolve, reject) => {
      taken.flow.start({
        write(_, from, to) {
          length += to - from;
          setTimeout(() => taken.flow.resume(), 1);
          return false;
        },
        end: () => resolve(),
        fail: reject,
      });
    });
    expect(length).toBe(big.length);
  });
});

describe("a request", () => {
  test("says what it is", async () => {
    const p = peer((_, __, write) => write("HTTP/1.1 204 x\r\n\r\n"));
    await ask(p.server, {
      method: "POST",
      target: "/a?b",
      headers: [
        ["Host", "h"],
        ["X", "y\r\nEvil: 1"],
      ],
    });
    expect(p.heard).toEqual(["POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"]);
  });
  test.each([
    { story: "with a length", length: 5, heard: /\r\nContent-Length: 5\r\n\r\nhello$/ },
    {
      story: "in chunks",
      length: undefined,
      heard: /\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n$/,
    },
  ])("with a body $story", async ({ length, heard }) => {
    let all = "";
    const p = peer((said, _, write) => {
      all += said;
      if (/hello$|\n0\r\n\r\n$/.test(all)) write("HTTP/1.1 204 x\r\n\r\n");
    });
    await ask(p.server, { method: "PUT", body: streamOf("hel", "lo"), length });
    expect(all).toMatch(heard);
  });
  test("answered before its end costs the connection", async () => {
    const p = peer((_, __, write) => write("HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n"));
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      async pull(c) {
        await Bun.sleep(5);
        c.enqueue(Buffer.from("x"));
      },
      cancel() {
        cancelled = true;
      },
    });
    expect((await ask(p.server, { method: "PUT", body: endless })).status).toBe(413);
    await Bun.sleep(20);
    expect(cancelled).toBe(true);
    expect(upstream.reuse(p.server)).toBeUndefined();
  });
});

const streamOf = (...texts: string[]) =>
  new ReadableStream<Uint8Array>({
    start(c) {
      for (const t of texts) c.enqueue(Buffer.from(t));
      c.close();
    },
  });

describe("a body that is not as long as it was said to be", () => {
  test.each([
    { story: "longer", length: 4, why: "large", heard: "\r\n\r\nhel" },
    { story: "shorter", length: 6, why: "short", heard: "\r\n\r\nhello" },
  ])("$story: the connection ends in the middle of it", async ({ length, why, heard }) => {
    let all = "";
    const p = peer((said) => void (all += said));
    const body = streamOf("hel", "lo");
    const error = await ask(p.server, { method: "PUT", body, length }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "AskError", why });
    await Bun.sleep(20);
    expect(all).toEndWith(heard);
    expect(upstream.reuse(p.server)).toBeUndefined();
  });
});

describe("a server that", () => {
  test.each([
    { story: "says nothing", said: "", why: "timeout", untouched: true },
    { story: "leaves", said: "", ends: true, why: "closed", untouched: true },
    {
      story: "leaves in the head",
      said: "HTTP/1.1 20",
      ends: true,
      why: "closed",
      untouched: false,
    },
    { story: "speaks another protocol", said: "SSH-2.0-x\r\n", why: "bad", untouched: false },
    {
      story: "frames twice",
      said: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      why: "bad",
      untouched: false,
    },
    {
      story: "has no end of fields",
      said: `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(900)}`,
      why: "bad",
      untouched: false,
    },
  ])("$story: $why", async ({ said, ends = false, why, untouched }) => {
    const p = peer((_, __, write, end) => {
      if (said !== "") write(said);
      if (ends) end();
    });
    const error = await ask(p.server).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AskError);
    expect(error).toMatchObject({ why, untouched, reused: false });
  });

  test.each([
    {
      story: "leaves in the body",
      said: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
      ends: true,
      why: "closed",
    },
    {
      story: "leaves in a chunk",
      said: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel",
      ends: true,
      why: "closed",
    },
    {
      story: "falls silent in the body",
      said: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
      ends: false,
      why: "timeout",
    },
    {
      story: "breaks its chunks",
      said: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      ends: false,
      why: "bad",
    },
  ])("$story", async ({ said, ends, why }) => {
    const p = peer((_, __, write, end) => {
      write(said);
      if (ends) end();
    });
    const error = await ask(p.server).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "AskError", why });
  });

  test("closes an idle connection is not asked on it again", async () => {
    const p = peer((_, __, write, end) => {
      write("HTTP/1.1 204 x\r\n\r\n");
      setTimeout(end, 20);
    });
    await ask(p.server);
    const { open } = upstream;
    await until(() => upstream.open < open); // however late its end is heard of
    await ask(p.server);
    expect(p.connections).toBe(2);
  });

  test("is not there", async () => {
    const p = peer(() => {});
    stops.pop()?.();
    expect(connect(p.server)).rejects.toThrow("refused");
  });
});

test("given up: the connection is closed, the server notices", async () => {
  let closed = false;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data() {},
      close() {
        closed = true;
      },
    },
  });
  stops.push(() => listener.stop(true));
  const server = { ...peer(() => {}).server, port: listener.port };
  const told: string[] = [];
  const exchange = new UpstreamExchange(await connect(server), {
    answered: () => told.push("answered"),
    failed: () => told.push("failed"),
    over: () => told.push("over"),
  });
  exchange.begin(outgoing(get));
  await Bun.sleep(10);
  exchange.cancel();
  expect(told).toEqual(["over"]);
  await Bun.sleep(30);
  expect(closed).toBe(true);
});
