import { afterEach, expect, test } from "bun:test";

import type { Log } from "../../../src/observe/log.ts";
import { silent } from "../../../src/observe/log.ts";
import { until } from "../../e2e/from-source.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";
import { freePort } from "../../fake/ports.ts";
import { RawListener, RawPeer } from "../../fake/raw-peer.ts";
import { Balancing, service } from "./balancing.ts";

const ends: (Disposable | AsyncDisposable)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed())
    if (Symbol.asyncDispose in end) await end[Symbol.asyncDispose]();
    else end[Symbol.dispose]();
});

/** A server that says its own name at once and then whatever it hears. */
function backend(name: string): FakeServer {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void socket.write(`${name}\n`),
      data: (socket, bytes) => void socket.write(bytes),
    },
  });
  ends.push({ [Symbol.dispose]: () => server.stop(true) });
  return new FakeServer(name, server.port);
}

async function balancing(section: object, ...pools: FakePool[]): Promise<Balancing> {
  const made = new Balancing(pools);
  ends.push(made);
  await made.use(section);
  return made;
}

async function client(port: number): Promise<RawPeer> {
  const peer = await RawPeer.to(port);
  ends.push(peer);
  return peer;
}

/** The line a backend says at once. */
async function greeting(peer: RawPeer): Promise<string> {
  let line = "";
  while (!line.endsWith("\n")) line += new TextDecoder().decode(await peer.read(1));
  return line.trim();
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a client talks to a server, and everybody counts", async () => {
  const a = backend("a");
  const tern = await balancing({ web: service("app") }, new FakePool("app", [a]));
  const one = await client(tern.port());
  expect(await greeting(one)).toBe("a");
  await one.write(bytes("hello"));
  expect(new TextDecoder().decode(await one.read(5))).toBe("hello");
  expect(tern.stats["web"]).toMatchObject({ open: 1, accepted: 1, relay: { copy: 1 } });
  await until(() => tern.stats["web"]?.up_bytes === 5); // told while it is open
  one.close();
  await until(() => tern.stats["web"]?.open === 0);
  expect(tern.stats["web"]).toMatchObject({ accepted: 1, failed: 0, up_bytes: 5, down_bytes: 7 });
  expect(a.diary).toEqual(["connecting", "connected", "closed"]);
  expect([a.open, a.up, a.down]).toEqual([0, 5, 7]);
});

test("who cannot be reached is passed over, and the client does not notice", async () => {
  using deaf = new RawListener(0);
  for (let i = 0; i < 3; i++) ends.push(await RawPeer.to(deaf.port)); // its backlog is full
  const closed = new FakeServer("closed", await freePort());
  const hole = new FakeServer("hole", deaf.port);
  const good = backend("good");
  const tern = await balancing(
    { web: service("app", { connect_timeout: "100ms" }) },
    new FakePool("app", [closed, hole, good]),
  );
  const one = await client(tern.port());
  await one.write(bytes("said before anybody was there"));
  expect(await greeting(one)).toBe("good");
  expect(new TextDecoder().decode(await one.read(29))).toBe("said before anybody was there");
  expect(closed.diary).toEqual(["connecting", "failed: refused"]);
  expect(hole.diary).toEqual(["connecting", "failed: timeout"]);
  expect([closed.open, hole.open, good.open]).toEqual([0, 0, 1]);
});

test.each([
  { story: "nobody is eligible", attempts: 5, on: ["connect"], diaries: [[], []], up: false },
  {
    story: "nobody can be reached",
    attempts: 5,
    on: ["connect"],
    diaries: [
      ["connecting", "failed: refused"],
      ["connecting", "failed: refused"],
    ],
    up: true,
  },
  {
    story: "no more attempts",
    attempts: 0,
    on: ["connect"],
    diaries: [["connecting", "failed: refused"], []],
    up: true,
  },
  {
    story: "a refusal is none of what is tried again",
    attempts: 5,
    on: ["timeout"],
    diaries: [["connecting", "failed: refused"], []],
    up: true,
  },
])("without a server the client is let go: $story", async ({ attempts, on, diaries, up }) => {
  const servers = [new FakeServer("a", await freePort()), new FakeServer("b", await freePort())];
  for (const one of servers) one.eligible = up;
  const pool = new FakePool("app", servers);
  pool.retry = { attempts, on: new Set(on) };
  const tern = await balancing({ web: service("app") }, pool);
  const one = await client(tern.port());
  expect(await one.ends()).not.toBe("open");
  expect(tern.stats["web"]).toMatchObject({ open: 0, accepted: 1, failed: 1 });
  expect<unknown>(servers.map((server) => server.diary)).toEqual(diaries);
});

test("who finds everybody full waits for a place", async () => {
  const a = backend("a");
  const pool = new FakePool("app", [a]);
  pool.most = 1;
  const tern = await balancing({ web: service("app") }, pool);
  const first = await client(tern.port());
  expect(await greeting(first)).toBe("a");
  const second = await client(tern.port());
  await until(() => tern.stats["web"]?.open === 2);
  expect(second.look()).toBeUndefined();
  first.close();
  expect(await greeting(second)).toBe("a");
  expect(a.open).toBe(1);
});

test("the group is switched live: open connections stay, new ones go to the other", async () => {
  const pools = [new FakePool("app", [backend("old")]), new FakePool("next", [backend("new")])];
  const groups = { main: { pool: "app" }, upgrade: { pool: "next" } };
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const tern = await balancing({ web: service("", { listen, groups }) }, ...pools);
  const before = await client(port);
  expect(await greeting(before)).toBe("old");
  await tern.use({ web: service("", { listen, groups, enable: "upgrade" }) });
  const after = await client(port);
  expect(await greeting(after)).toBe("new");
  await before.write(bytes("still here"));
  expect(new TextDecoder().decode(await before.read(10))).toBe("still here");
  expect(tern.stats["web"]).toMatchObject({ enabled: "upgrade", open: 2, accepted: 2 });
});

test("a service that is gone lets its connections finish, until the deadline", async () => {
  const a = backend("a");
  const tern = await balancing({ web: service("app") }, new FakePool("app", [a]));
  const [quick, slow] = [await client(tern.port()), await client(tern.port())];
  await greeting(quick);
  await greeting(slow);
  setTimeout(() => quick.close(), 100);
  const began = performance.now();
  await tern.use({}, AbortSignal.timeout(600));
  expect(performance.now() - began).toBeGreaterThan(500);
  expect(await slow.ends()).toBe("end");
  await until(() => a.open === 0);
  expect(a.diary.filter((word) => word === "closed")).toHaveLength(2);
});

test("with nothing open it is gone at once", async () => {
  const tern = await balancing({ web: service("app") }, new FakePool("app", [backend("a")]));
  const port = tern.port();
  const one = await client(port);
  await greeting(one);
  one.close();
  await until(() => tern.stats["web"]?.open === 0);
  const began = performance.now();
  await tern.use({}, AbortSignal.timeout(5000));
  expect(performance.now() - began).toBeLessThan(1000);
  const late = await RawPeer.to(port).catch((error: Error) => error);
  if (late instanceof RawPeer) expect(await late.ends()).toBe("ECONNREFUSED");
});

test.each([
  { story: "everybody", keys: {}, ok: true, denied: 0 },
  { story: "whom the list allows", keys: { allow: ["127.0.0.0/8"] }, ok: true, denied: 0 },
  { story: "nobody else", keys: { allow: ["10.0.0.0/8"] }, ok: false, denied: 1 },
  {
    story: "not who is denied, even if allowed",
    keys: { allow: "127.0.0.1", deny: "127.0.0.0/8" },
    ok: false,
    denied: 1,
  },
])("lets in $story", async ({ keys, ok, denied }) => {
  const tern = await balancing({ web: service("app", keys) }, new FakePool("app", [backend("a")]));
  const one = await client(tern.port());
  if (ok) expect(await greeting(one)).toBe("a");
  else expect(await one.ends()).toBe("ECONNRESET");
  expect(tern.stats["web"]).toMatchObject({ rejected_by_access: denied, accepted: ok ? 1 : 0 });
});

test("one client has so many connections and no more", async () => {
  const limit = { connections: 2 };
  const tern = await balancing(
    { web: service("app", { limit }) },
    new FakePool("app", [backend("a")]),
  );
  const [one, two] = [await client(tern.port()), await client(tern.port())];
  await greeting(one);
  await greeting(two);
  expect(await (await client(tern.port())).ends()).toBe("ECONNRESET");
  one.close();
  await until(() => tern.stats["web"]?.open === 1);
  expect(await greeting(await client(tern.port()))).toBe("a");
  expect(tern.stats["web"]).toMatchObject({ refused: 1, accepted: 3 });
});

test("one client comes so often and no more", async () => {
  const limit = { rate: "1/m", burst: 3 };
  const tern = await balancing(
    { web: service("app", { limit }) },
    new FakePool("app", [backend("a")]),
  );
  for (let i = 0; i < 3; i++) expect(await greeting(await client(tern.port()))).toBe("a");
  expect(await (await client(tern.port())).ends()).toBe("ECONNRESET");
  expect(tern.stats["web"]).toMatchObject({ refused: 1, accepted: 3 });
});

test("above max_connections clients wait in the backlog, not in us", async () => {
  const tern = await balancing(
    { web: service("app", { max_connections: 2 }) },
    new FakePool("app", [backend("a")]),
  );
  const [one, two] = [await client(tern.port()), await client(tern.port())];
  await greeting(one);
  await greeting(two);
  const third = await client(tern.port());
  await Bun.sleep(60);
  expect([third.look(), tern.stats["web"]?.accepted]).toEqual([undefined, 2]);
  one.close();
  expect(await greeting(third)).toBe("a");
});

test("accept_rate makes new connections wait", async () => {
  const tern = await balancing(
    { web: service("app", { accept_rate: "20/s" }) },
    new FakePool("app", [backend("a")]),
  );
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: 12 }, () => client(tern.port())));
  for (const one of all) expect(await greeting(one)).toBe("a");
  // Two or three come at once, the others 50 ms after one another.
  expect(performance.now() - began).toBeGreaterThan(350);
  expect(tern.stats["web"]).toMatchObject({ accepted: 12, refused: 0 });
});

test("connections are listed and killed by number", async () => {
  const a = backend("a");
  const tern = await balancing(
    { web: service("app"), other: service("app") },
    new FakePool("app", [a]),
  );
  expect(tern.port("other")).not.toBe(tern.port()); // port 0 is one of everybody's own
  const [one, two] = [await client(tern.port()), await client(tern.port())];
  await greeting(one);
  await greeting(two);
  const { sessions } = (await tern.action("sessions", { service: "web" })) as {
    sessions: { id: number; client: string; server: string }[];
  };
  expect(sessions).toMatchObject([
    { service: "web", server: "a", pool: "app", step: "open", relay: "copy" },
    { service: "web" },
  ]);
  const none = await tern.action("sessions", { service: "other" });
  expect(none).toEqual({ sessions: [] });
  expect((await tern.action("sessions", { limit: 1 })) as object).toMatchObject({
    sessions: [{ id: sessions[0]?.id }],
  });
  const id = sessions[0]?.id;
  expect(await tern.action("kill", { service: "web", id })).toEqual({ killed: 1 });
  expect(await tern.action("kill", { service: "web", id })).toEqual({ killed: 0 });
  expect(await one.ends()).toBe("ECONNRESET");
  await two.write(bytes("x"));
  expect(await two.read(1)).toHaveLength(1);
});

test.each(["v1", "v2"] as const)("a PROXY header %s goes in and out", async (version) => {
  using back = new RawListener();
  const server = new FakeServer("raw", back.port);
  const socket = { defer_accept: 0, proxy_protocol: "any", trusted: ["127.0.0.1"] };
  const tern = await balancing(
    { web: service("app", { send_proxy: version, socket, deny: "203.0.113.66" }) },
    new FakePool("app", [server]),
  );
  const one = await client(tern.port());
  await one.write(bytes("PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\nhello"));
  using got = await back.accept();
  const local = `127.0.0.1 4711 ${tern.port()}`;
  const line = `PROXY TCP4 203.0.113.7 ${local}\r\nhello`;
  if (version === "v1") expect(new TextDecoder().decode(await got.read(line.length))).toBe(line);
  else {
    const header = Buffer.from(await got.read(33));
    expect(header.subarray(16, 24).toString("hex")).toBe("cb0071077f000001");
    expect([header.readUInt16BE(24), header.readUInt16BE(26)]).toEqual([4711, tern.port()]);
    expect(header.subarray(28).toString()).toBe("hello");
  }
  const bad = await client(tern.port());
  await bad.write(bytes("PROXY TCP4 203.0.113.66 192.0.2.1 4711 80\r\n"));
  expect(await bad.ends()).not.toBe("open");
  const absent = await client(tern.port());
  await absent.write(bytes("GET / HTTP/1.0\r\n\r\n"));
  expect(await absent.ends()).not.toBe("open");
  expect(tern.stats["web"]).toMatchObject({ accepted: 1, rejected_by_access: 1 });
});

test("each connection is a line of the log, when that is wanted", async () => {
  const lines: object[] = [];
  const log: Log = {
    ...silent,
    info: (message, fields) => void lines.push({ message, ...fields }),
  };
  const tern = new Balancing([new FakePool("app", [backend("a")])], log);
  ends.push(tern);
  await tern.use({ web: service("app", { log: "connections" }) });
  const one = await client(tern.port());
  await greeting(one);
  await one.write(bytes("abc"));
  await one.read(3);
  one.abort();
  await until(() => tern.stats["web"]?.open === 0);
  expect(lines.at(-1)).toMatchObject({
    message: "connection",
    balance: "web",
    pool: "app",
    server: "a",
    up: 3,
    down: 5,
    end: "client reset",
  });
});

test("idle_timeout and total_timeout end connections", async () => {
  const tern = await balancing(
    {
      idle: service("app", { idle_timeout: "300ms" }),
      total: service("app", { total_timeout: "500ms", listen: "0.0.0.0:0" }),
      never: service("app", { idle_timeout: 0, listen: ":0" }),
    },
    new FakePool("app", [backend("a")]),
  );
  const peers = {
    idle: await client(tern.port("idle")),
    total: await client(tern.port("total")),
    never: await client(tern.port("never")),
  };
  for (const peer of Object.values(peers)) await greeting(peer);
  expect(await peers.idle.ends(3000)).toBe("end");
  expect(await peers.total.ends(3000)).toBe("end");
  expect(peers.never.look()).toBeUndefined();
});
