/** The balancer as a program, with workers: reloads, switches and slow readers under load. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { RawListener, RawPeer } from "../fake/raw-peer.ts";
import { appliance, until } from "./from-source.ts";
import { childrenOf, residentBytes } from "./process-facts.ts";

setDefaultTimeout(60_000); // whole programs start and end, on a machine that may be busy

const MB = 1024 * 1024;
/** Pairs of one step. */
const PAIRS = 1500;
/** After the first, where a worker gets what it needs once; a heap that grows shows in one of them. */
const STEPS = 3;
const AT_ONCE = 50;
const HOLD_MS = 2000;
const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

/** A server that says its own name at once and then whatever it hears. */
function backend(name: string): string {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void socket.write(`${name}\n`),
      data: (socket, bytes) => void socket.write(bytes),
    },
  });
  ends.push({ [Symbol.dispose]: () => server.stop(true) });
  return `127.0.0.1:${server.port}`;
}

interface Wanted {
  readonly port: number;
  readonly pools: Readonly<Record<string, string>>;
  readonly enable?: string;
  readonly workers?: number;
  readonly balance?: object;
}

function configIn(dir: string, { port, pools, enable, workers = 1, balance }: Wanted): object {
  return {
    workers,
    state: join(dir, "var"),
    admin: { listen: [] },
    pools: Object.fromEntries(
      Object.entries(pools).map(([name, host]) => [name, { hosts: [host] }]),
    ),
    balance: balance ?? {
      web: {
        listen: `127.0.0.1:${port}`,
        groups: Object.fromEntries(Object.keys(pools).map((pool) => [pool, { pool }])),
        ...(enable !== undefined && { enable }),
      },
    },
  };
}

async function client(port: number): Promise<RawPeer> {
  const peer = await RawPeer.to(port);
  ends.push(peer);
  return peer;
}

async function greeting(peer: RawPeer): Promise<string> {
  let line = "";
  while (!line.endsWith("\n")) line += new TextDecoder().decode(await peer.read(1));
  return line.trim();
}

/** Say something and hear it again. */
async function talks(peer: RawPeer): Promise<boolean> {
  await peer.write(new TextEncoder().encode("still here"));
  return new TextDecoder().decode(await peer.read(10)) === "still here";
}

test.each([{ workers: 1 }, { workers: 2 }])(
  "with $workers worker(s) reloads and switches of the group touch no open connection",
  async ({ workers }) => {
    const port = await freePort();
    const pools = { old: backend("old"), new: backend("new") };
    await using tern = await appliance((dir) => configIn(dir, { port, pools, workers }));
    const open = await Promise.all(Array.from({ length: 20 }, () => client(port)));
    for (const peer of open) expect(await greeting(peer)).toBe("old");

    let refused = 0;
    let busy = true;
    const names = new Set<string>();
    const load = (async () => {
      while (busy) {
        const peer = await RawPeer.to(port);
        const name = await greeting(peer).catch(() => undefined);
        if (name === undefined) refused++;
        else names.add(name);
        peer.close();
      }
    })();

    for (const enable of ["new", "old", "new"]) {
      await tern.rewrite(configIn(tern.dir, { port, pools, workers, enable }));
      const reload = await tern.verb("reload");
      expect([reload.code, reload.out]).toEqual([0, "reloaded: balance\n"]);
      const after = await client(port);
      expect(await greeting(after)).toBe(enable);
    }
    const done = await tern.verb("do", "balance", "enable", "service=web", "group=old");
    expect(done.code).toBe(0);
    expect(await greeting(await client(port))).toBe("old");
    busy = false;
    await load;

    expect([refused, [...names].toSorted()]).toEqual([0, ["new", "old"]]);
    for (const peer of open) expect(await talks(peer)).toBe(true);
  },
);

test("what one client may take holds for all workers together, before and after a reload", async () => {
  const port = await freePort();
  const pools = { app: backend("a") };
  const limited = (dir: string, limit: object): object => {
    const web = { listen: `127.0.0.1:${port}`, groups: { app: { pool: "app" } }, limit };
    return configIn(dir, { port, pools, workers: 3, balance: { web } });
  };
  /** Of so many that come one after the other, those that are let in. */
  const letIn = async (count: number): Promise<RawPeer[]> => {
    const peers: RawPeer[] = [];
    for (let i = 0; i < count; i++) {
      const peer = await client(port);
      if ((await greeting(peer).catch(() => "")) === "a") peers.push(peer);
      await Bun.sleep(250); // the others have heard of it
    }
    return peers;
  };
  await using tern = await appliance((dir) => limited(dir, { connections: 5 }));
  const open = await letIn(8);
  expect(open).toHaveLength(5);
  for (const peer of open.splice(0, 2)) peer.close();
  await Bun.sleep(500);
  expect(await letIn(4)).toHaveLength(2);
  await tern.rewrite(limited(tern.dir, { connections: 6 }));
  expect((await tern.verb("reload")).code).toBe(0);
  await Bun.sleep(500);
  expect(await letIn(4)).toHaveLength(1);
  await tern.rewrite(limited(tern.dir, { rate: "1/m", burst: 4 }));
  expect((await tern.verb("reload")).code).toBe(0);
  expect(await letIn(8)).toHaveLength(4);
  for (const end of ends.splice(1)) end[Symbol.dispose](); // nobody who would be waited for at the end
});

test("a service that is taken away lets its connections finish", async () => {
  const port = await freePort();
  const pools = { app: backend("a") };
  await using tern = await appliance((dir) => configIn(dir, { port, pools }));
  const peer = await client(port);
  await greeting(peer);
  await tern.rewrite(configIn(tern.dir, { port, pools, balance: {} }));
  const reload = tern.verb("reload");
  await until(async () => (await RawPeer.to(port).then(closed)) === "ECONNREFUSED");
  expect(await talks(peer)).toBe(true);
  peer.close();
  expect((await reload).code).toBe(0);
});

test("ten gigabytes would not fit into us: a reader that stands still stops the writer", async () => {
  using back = new RawListener();
  const port = await freePort();
  const pools = { app: `127.0.0.1:${back.port}` };
  await using tern = await appliance((dir) => configIn(dir, { port, pools }));
  const before = await settled([tern.pid]);
  const writers = await Promise.all(Array.from({ length: 8 }, () => client(port)));
  const readers: RawPeer[] = [];
  for (const _ of writers) readers.push(await back.accept());
  const piece = new Uint8Array(new ArrayBuffer(MB)).fill(7);
  let sent = 0;
  for (const end = performance.now() + 2000; performance.now() < end; await Bun.sleep(1))
    for (const writer of writers) sent += writer.push(piece);
  expect(residentBytes(tern.pid) - before).toBeLessThan(24 * MB);
  // What is under way is in the buffers of four sockets, and a pipe, of each pair.
  expect(sent).toBeLessThan(writers.length * 60 * MB);
  const [first] = readers;
  const [writer] = writers;
  writer?.finish();
  const whole = await first?.read(Infinity, 10_000);
  expect(whole?.every((byte) => byte === 7)).toBe(true);
  for (const reader of readers) reader.close();
});

test.each([{ workers: 1 }, { workers: 2 }])(
  "thousands of pairs of $workers worker(s) cost little, and all are alive when asked again",
  async ({ workers }) => {
    const port = await freePort();
    const pools = { app: backend("a") };
    await using tern = await appliance((dir) => configIn(dir, { port, pools, workers }));
    const serving = workers === 1 ? [tern.pid] : childrenOf(tern.pid);
    const peers: RawPeer[] = [];
    const more = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += AT_ONCE) {
        const next = await Promise.all(Array.from({ length: AT_ONCE }, () => client(port)));
        await Promise.all(next.map(greeting));
        peers.push(...next);
      }
    };
    await more(PAIRS);
    const grown: number[] = [];
    for (let before = await settled(serving); grown.length < STEPS;) {
      await more(PAIRS);
      const now = await settled(serving);
      grown.push(now - before);
      before = now;
    }
    const [, median] = grown.toSorted((a, b) => a - b);
    expect(median).toBeLessThan(PAIRS * 6 * 1024);
    await Bun.sleep(HOLD_MS);
    let alive = 0;
    for (let i = 0; i < peers.length; i += AT_ONCE) {
      const answers = await Promise.all(peers.slice(i, i + AT_ONCE).map(talks));
      alive += answers.filter(Boolean).length;
    }
    expect(alive).toBe(peers.length);
  },
);

/** Resident bytes of the processes that serve, when they have come to rest. */
async function settled(serving: readonly number[]): Promise<number> {
  await Bun.sleep(1500);
  return serving.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

async function closed(peer: RawPeer): Promise<string> {
  const how = await peer.ends(50);
  peer.close();
  return how;
}
