/** The proxy and its servers, each a script: who is asked, how often, and what the client hears. */
import { afterEach, describe, expect, test } from "bun:test";

import type { Seeker } from "../../../src/net/upstream/upstream.ts";
import type { Errand, NoAnswer } from "../../../src/services/proxy/errand.ts";
import { Forwarder } from "../../../src/services/proxy/forwarder.ts";
import { type HttpResponse, respond } from "../../../src/wire/http/message.ts";
import { dial, responses } from "../../e2e/wire.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";
import { freePort } from "../../fake/ports.ts";
import { type Proxying, proxying } from "../../fake/proxying.ts";
import { ok, sayer, scripted } from "../../fake/scripted.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const fast = { upstream: { connect_timeout: "200ms" } };
const route = (keys: object) => ({ ...fast, routes: [{ pool: "app", ...keys }] });

async function get(edge: Proxying, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${edge.port}/x`, { keepalive: false, ...init });
}

describe("a server that is not there", () => {
  test("is passed over, whatever the method: nothing was sent", async () => {
    using there = sayer(ok("here"));
    const edge = stack.use(await proxying([await freePort(), there.port], fast));
    for (const method of ["GET", "POST"]) {
      const response = await get(edge, method === "POST" ? { method, body: "" } : {});
      expect(await response.text()).toBe("here");
    }
    expect(edge.pool.servers[0]?.diary).toEqual(
      Array(2).fill(["connecting", "failed: refused"]).flat(),
    );
    expect(edge.pool.servers.map(({ open }) => open)).toEqual([0, 0]);
  });

  test("with a body to send: the next one gets it", async () => {
    using there = scripted((caller) => {
      if (caller.heard.endsWith("hello")) caller.say(ok("got it"));
    });
    const edge = stack.use(await proxying([await freePort(), there.port], fast));
    const response = await get(edge, { method: "POST", body: "hello" });
    expect(await response.text()).toBe("got it");
  });

  test("nor any other: 502; no servers at all: 503, and when to come again", async () => {
    const edge = stack.use(await proxying([await freePort()], fast));
    const response = await get(edge);
    expect(response.status).toBe(502);
    expect(response.headers.get("retry-after")).toBe("5");
    const none = stack.use(await proxying([], fast));
    expect((await get(none)).status).toBe(503);
  });

  test("as many are asked as the pool allows", async () => {
    using there = sayer(ok("here"));
    const edge = stack.use(await proxying([await freePort(), await freePort(), there.port], fast));
    edge.pool.retry = { attempts: 1, on: new Set(["connect"]) };
    expect((await get(edge)).status).toBe(502);
    edge.pool.retry = { attempts: 2, on: new Set(["connect"]) };
    expect((await get(edge)).status).toBe(200);
    edge.pool.retry = { attempts: 2, on: new Set() };
    expect((await get(edge)).status).toBe(502);
  });
});

test("a machine that is out of files: no server is to blame for it", () => {
  const pool = new FakePool("app", [new FakeServer("s0", 1), new FakeServer("s1", 2)]);
  const answers: HttpResponse[] = [];
  const failures: NoAnswer[] = [];
  const forwarder = new Forwarder({
    request: { method: "GET", client: { address: "192.0.2.1" }, whenGone() {} },
    pool,
    upstream: {
      reuse: () => undefined,
      connect: (_server: unknown, seeker: Seeker) => seeker.unreachable("exhausted"),
    },
    failed(failure: NoAnswer) {
      failures.push(failure);
      return respond(failure.status);
    },
  } as unknown as Errand);
  forwarder.whenAnswered((answer) => answers.push(answer));
  forwarder.begin();
  expect(answers.map(({ status }) => status)).toEqual([503]);
  expect(failures[0]?.why).toContain("exhausted");
  for (const server of pool.servers) expect(server.diary.join()).not.toContain("failed");
  expect(pool.servers.map(({ open }) => open)).toEqual([0, 0]);
});

describe("what is asked twice", () => {
  test.each([
    { story: "a GET", init: {}, asked: 2, status: 200 },
    { story: "a HEAD", init: { method: "HEAD" }, asked: 2, status: 200 },
    { story: "a DELETE", init: { method: "DELETE" }, asked: 2, status: 200 },
    { story: "a POST without a body", init: { method: "POST" }, asked: 1, status: 502 },
    { story: "a POST", init: { method: "POST", body: "x" }, asked: 1, status: 502 },
    { story: "a PATCH", init: { method: "PATCH", body: "x" }, asked: 1, status: 502 },
    {
      story: "a PUT, whose body is gone",
      init: { method: "PUT", body: "x" },
      asked: 1,
      status: 502,
    },
  ])("$story that met its end at a server: asked $asked", async ({ init, asked, status }) => {
    let heads = 0;
    const count = (text: string): void => void (heads += text.startsWith("HTTP") ? 0 : 1);
    using first = scripted((caller, piece) => {
      count(piece);
      caller.end();
    });
    using second = scripted((caller, piece) => {
      count(piece);
      caller.say(
        init.method === "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" : ok("here"),
      );
    });
    const edge = stack.use(await proxying([first.port, second.port], fast));
    expect((await get(edge, init)).status).toBe(status);
    expect(heads).toBe(asked);
    await Bun.sleep(20);
    expect(edge.pool.servers.map(({ open }) => open)).toEqual([0, 0]);
  });

  test.each([
    { story: "a GET", init: {}, status: 200 },
    { story: "a POST", init: { method: "POST" }, status: 503 },
  ])("$story answered by a status that calls for the next: $status", async ({ init, status }) => {
    using first = sayer("HTTP/1.1 503 no\r\nContent-Length: 4\r\n\r\nbusy");
    using second = sayer(ok("here"));
    const edge = stack.use(await proxying([first.port, second.port], fast));
    edge.pool.retry = { attempts: 3, on: new Set(["503"]) };
    expect((await get(edge, init)).status).toBe(status);
  });

  test("all say so: the last answer is the client's", async () => {
    using first = sayer("HTTP/1.1 503 no\r\nContent-Length: 5\r\n\r\nfirst");
    using second = sayer("HTTP/1.1 503 no\r\nContent-Length: 6\r\n\r\nsecond");
    const edge = stack.use(await proxying([first.port, second.port], fast));
    edge.pool.retry = { attempts: 3, on: new Set(["503"]) };
    const response = await get(edge);
    expect([response.status, await response.text()]).toEqual([503, "second"]);
  });
});

describe("an idle connection", () => {
  /** Answers once on each connection, then closes it when the next request comes. */
  const tired = () =>
    scripted((caller) => {
      if (caller.heard.split("\r\n\r\n").length === 2) caller.say(ok(`${caller.number}`));
      else caller.end();
    });

  test("that dies of the next request: a GET is asked anew, nobody is at fault", async () => {
    using server = tired();
    const edge = stack.use(await proxying([server.port], fast));
    edge.pool.retry = { attempts: 0, on: new Set() };
    for (const want of ["0", "1", "2"]) expect(await (await get(edge)).text()).toBe(want);
    expect(edge.pool.servers[0]?.diary).not.toContain("failed: reset");
  });

  test("that dies of a POST: 502, it may have been done", async () => {
    using server = tired();
    const edge = stack.use(await proxying([server.port], fast));
    expect(await (await get(edge, { method: "POST" })).text()).toBe("0");
    expect((await get(edge, { method: "POST" })).status).toBe(502);
  });

  test("that is old is not for a POST", async () => {
    using server = scripted((caller) => caller.say(ok(`${caller.number}`)));
    const edge = stack.use(await proxying([server.port], fast));
    expect(await (await get(edge)).text()).toBe("0");
    await Bun.sleep(1100);
    expect(await (await get(edge, { method: "POST" })).text()).toBe("1");
    expect(await (await get(edge)).text()).toBe("1");
  });
});

describe("a server that is silent", () => {
  test("is given up after the route's time: 504", async () => {
    using server = scripted(() => {});
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    edge.pool.retry = { attempts: 0, on: new Set() };
    const before = performance.now();
    expect((await get(edge)).status).toBe(504);
    expect(performance.now() - before).toBeLessThan(1500);
    await Bun.sleep(20);
    expect(server.over).toBe(1);
  });

  test("lets a GET go to the next, a POST nowhere", async () => {
    using silent = scripted(() => {});
    using other = sayer(ok("here"));
    const edge = stack.use(await proxying([silent.port, other.port], route({ timeout: "300ms" })));
    expect((await get(edge)).status).toBe(200);
    expect((await get(edge, { method: "POST" })).status).toBe(504);
  });

  test("drips a head byte by byte: it has no more time than the silent one", async () => {
    using server = scripted((caller) => {
      const timer = setInterval(() => caller.say("x"), 50);
      caller.say("HTTP/1.1 200 OK\r\nX: ");
      setTimeout(() => clearInterval(timer), 2000);
    });
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    edge.pool.retry = { attempts: 0, on: new Set() };
    expect((await get(edge)).status).toBe(504);
  });
});

describe("a client that is slow with its body", () => {
  test("is not its server's fault", async () => {
    using server = scripted((caller) => {
      if (caller.heard.endsWith("hello")) caller.say(ok("got it"));
    });
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    using wire = await dial(edge.port);
    wire.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    await Bun.sleep(1000);
    wire.say("lo");
    expect(await wire.until((heard) => heard.endsWith("got it"))).toBe(true);
  });

  test("nor when that has begun to answer", async () => {
    using server = scripted((caller, piece) => {
      if (piece.endsWith("hel")) caller.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
      else if (piece === "lo") caller.say("lo");
    });
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    using wire = await dial(edge.port);
    wire.say("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    expect(await wire.until((heard) => heard.endsWith("hel"))).toBe(true);
    await Bun.sleep(1000);
    wire.say("lo");
    expect(await wire.until((heard) => heard.endsWith("hello"))).toBe(true);
  });

  test("the server's time begins when it has all of it", async () => {
    using server = scripted(() => {});
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    expect((await get(edge, { method: "PUT", body: "hello" })).status).toBe(504);
  });
});

describe("a route with a total time", () => {
  test("a server that drips its body is cut off at its end", async () => {
    using server = scripted((caller) => {
      caller.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
      const timer = setInterval(() => caller.say("x"), 50);
      setTimeout(() => clearInterval(timer), 3000);
    });
    const edge = stack.use(await proxying([server.port], route({ total_timeout: "500ms" })));
    const before = performance.now();
    const broke = await get(edge)
      .then((r) => r.text())
      .catch((e: unknown) => e);
    expect(broke).toBeInstanceOf(Error);
    expect(performance.now() - before).toBeLessThan(1500);
  });

  test("nobody else is asked when it is over: 504", async () => {
    using silent = scripted(() => {});
    using other = sayer(ok("here"));
    const edge = stack.use(
      await proxying([silent.port, other.port], route({ total_timeout: "300ms" })),
    );
    expect((await get(edge)).status).toBe(504);
    expect(other.callers).toHaveLength(0);
  });
});

describe("a client that leaves", () => {
  test("while its server thinks: the server hears of it, nobody is to blame", async () => {
    using server = scripted(() => {});
    const edge = stack.use(await proxying([server.port, server.port], fast));
    using wire = await dial(edge.port);
    wire.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await Bun.sleep(50);
    wire[Symbol.dispose]();
    await Bun.sleep(100);
    expect(server.callers).toHaveLength(1);
    expect(server.over).toBe(1);
    expect(edge.pool.servers[0]?.diary).toEqual(["connecting", "connected", "closed"]);
    expect(edge.instance.stats()["edge"]).toMatchObject({ failed: 0 });
  });

  test("in the middle of its body: the server is cut off, not told that it is whole", async () => {
    using server = scripted(() => {});
    const edge = stack.use(await proxying([server.port], fast));
    using wire = await dial(edge.port);
    wire.say("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await Bun.sleep(50);
    wire[Symbol.dispose]();
    await Bun.sleep(100);
    expect(server.heard).toEndWith("5\r\nhello\r\n");
    expect(server.over).toBe(1);
  });

  test("in the middle of a response: the server is cut off", async () => {
    using server = sayer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    const edge = stack.use(await proxying([server.port], fast));
    using wire = await dial(edge.port);
    wire.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.until((heard) => heard.endsWith("hello"))).toBe(true);
    wire[Symbol.dispose]();
    await Bun.sleep(100);
    expect(server.over).toBe(1);
    expect(edge.pool.servers[0]?.open).toBe(0);
  });
});

describe("a response that breaks off breaks the client's connection, too", () => {
  test.each([
    { story: "by length", said: "Content-Length: 100\r\n\r\nhello" },
    { story: "in chunks", said: "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" },
    {
      story: "in a broken chunk",
      said: "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      last: "X\r\n",
    },
  ])("$story", async ({ said, last = "" }) => {
    using server = sayer(`HTTP/1.1 200 OK\r\n${said}`, (caller) =>
      setTimeout(() => {
        caller.say(last);
        caller.end();
      }, 30),
    );
    const edge = stack.use(await proxying([server.port], fast));
    using wire = await dial(edge.port);
    wire.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.closed()).toBe(true);
    expect(wire.heard).toContain("hello");
    expect(wire.heard).not.toContain("\r\n0\r\n\r\n");
    const error = await get(edge)
      .then((r) => r.text())
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Error);
  });

  test("silence in a body", async () => {
    using server = sayer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    const edge = stack.use(await proxying([server.port], route({ timeout: "300ms" })));
    using wire = await dial(edge.port);
    wire.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.closed()).toBe(true);
    expect(responses(wire.heard)[0]?.status).toBe(200);
  });
});

test("a place in the queue that comes too late is given back", async () => {
  using server = scripted(() => {});
  const edge = stack.use(await proxying([server.port], fast));
  const [only] = edge.pool.servers;
  if (only === undefined) throw new Error("one was made");
  const turn = Promise.withResolvers<typeof only>();
  edge.pool.most = 0;
  edge.pool.queue = () => turn.promise;
  using wire = await dial(edge.port);
  wire.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await Bun.sleep(50);
  wire[Symbol.dispose]();
  await Bun.sleep(50);
  turn.resolve(only);
  await Bun.sleep(20);
  expect(only.diary).toEqual(["connecting", "closed"]);
});

test("servers that are full: clients wait for their turn", async () => {
  using server = scripted((caller) => setTimeout(() => caller.say(ok("x")), 30));
  const edge = stack.use(await proxying([server.port], fast));
  edge.pool.most = 1;
  const all = await Promise.all(Array.from({ length: 5 }, async () => (await get(edge)).text()));
  expect(all).toEqual(Array(5).fill("x"));
  expect(server.callers).toHaveLength(1);
});
