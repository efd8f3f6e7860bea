/**
 * Everything that may happen to a store's servers, its router and their ways, while it is written to
 * and read. Whatever it is: what was acknowledged is there, no byte is served that is not whole and
 * right, what was deleted stays so, all copies are equal in the end, and the router listens.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { WayFault } from "../fake/faulty-way.ts";
import { accepts } from "../fake/ports.ts";
import { dice, StoreBook } from "../fake/store-book.ts";
import { BASE, type Cluster, cluster, equal } from "./store-cluster.ts";

setDefaultTimeout(60_000);

const KINDS = ["nginx", "apache", "tern"] as const;
const NAMES = Array.from({ length: 8 }, (_, i) => `dir ${i % 3}/file ${i}`.replaceAll(" ", "%20"));

let it: Cluster;
let book: StoreBook;
beforeAll(async () => {
  it = await cluster(KINDS, { ways: true });
  book = new StoreBook(NAMES, dice(11));
  for (const i of [0, 1, 2]) await fetch(`${it.url}/dir%20${i}`, { method: "MKCOL" });
});
afterAll(() => it[Symbol.asyncDispose]());

interface Fault {
  readonly story: string;
  readonly happens: () => Promise<void>;
  /** The router itself is gone for a while. */
  readonly deaf?: boolean;
  /** What is on disk is lost: of one disk at a time, as long as the others are whole. */
  readonly loses?: boolean;
  /** It is over in a moment: good for being repeated. */
  readonly isShort?: boolean;
}

const server = (i: number) => it.servers[i] ?? fail();
const FAULTS: readonly Fault[] = [
  ...KINDS.map((kind, i) => ({
    story: `${kind} is killed and started again`,
    isShort: true,
    happens: async () => {
      await server(i).kill();
      await Bun.sleep(500);
      await server(i).start();
    },
  })),
  {
    story: "the router is killed and started again",
    deaf: true,
    isShort: true,
    happens: async () => {
      await it.kill();
      await it.again();
    },
  },
  {
    story: "the router and a server are killed and started again",
    deaf: true,
    happens: async () => {
      await Promise.all([it.kill(), server(0).kill()]);
      await it.again();
      await Bun.sleep(500);
      await server(0).start();
    },
  },
  {
    story: "a server is stopped for longer than anybody waits",
    happens: async () => {
      server(0).signal("SIGSTOP");
      await Bun.sleep(5500);
      server(0).signal("SIGCONT");
    },
  },
  {
    story: "the router is stopped for a while",
    happens: async () => {
      it.tern.kill("SIGSTOP");
      await Bun.sleep(1500);
      it.tern.kill("SIGCONT");
    },
  },
  onTheWay("a server is slow: 1 KB a second", 1, { rate: 1000 }, 6000),
  onTheWay("a server takes connections and says nothing", 2, "silent", 5500),
  onTheWay("a server answers 500", 1, "500", 800),
  onTheWay("connections break after 100 KB", 0, { cutAfter: 100_000 }, 800),
  onTheWay("connections break in the middle of heads", 0, { cutAfter: 150 }, 800),
  {
    story: "clients leave in the middle of their bodies",
    happens: async () => {
      for (let i = 0; i < 20; i++) await leaveEarly(i);
    },
  },
  ...KINDS.map((kind, i) => ({
    story: `bits flip on ${kind}`,
    loses: true,
    happens: async () => flip(server(i).root),
  })),
  ...KINDS.map((kind, i) => ({
    story: `${kind} loses its disk`,
    loses: true,
    happens: async () => {
      const { root } = server(i);
      // As rm(1): what is written meanwhile comes in the way, and is in the next round.
      for (let tries = 0; readdirSync(root).length > 0 && tries < 100; tries++)
        for (const name of readdirSync(root))
          try {
            rmSync(join(root, name), { recursive: true, force: true });
          } catch {}
    },
  })),
];

test.each([...FAULTS])("$story", storm);

test("2 000 operations and random faults: in the end all copies are equal", async () => {
  const short = FAULTS.filter((fault) => fault.isShort === true);
  const roll = dice(5);
  const asked = (): number =>
    book.told.kept + book.told.refused + book.told.broken + book.told.read;
  while (asked() < 2000) await storm(short[roll(short.length)] ?? fail());
  await mended();
  await book.all(it.url);
});

/** All names are written, deleted and read at once while something happens. */
async function storm({ story, happens, deaf = false, loses = false }: Fault): Promise<void> {
  book.note(story);
  if (loses) await mended();
  const { kept } = book.told;
  const over = new AbortController();
  const { signal } = over;
  const clients = Promise.all(
    NAMES.map(async (name) => {
      while (!signal.aborted) {
        await book.any(it.url, name);
        if (deaf && !(await accepts(it.tern.port))) await Bun.sleep(20);
      }
    }),
  );
  const listens = async (): Promise<number> => {
    let refused = 0;
    for (; !signal.aborted; await Bun.sleep(20)) if (!(await accepts(it.tern.port))) refused++;
    return refused;
  };
  const listening = listens();
  try {
    await Promise.race([clients, Bun.sleep(300)]);
    await happens();
    await Promise.race([clients, Bun.sleep(300)]);
  } finally {
    over.abort();
    await clients;
  }
  if (!deaf) expect(await listening).toBe(0);
  expect(book.told.kept).toBeGreaterThan(kept);
  await book.all(it.url);
}

/** Everything has been looked at, and all copies are equal. */
async function mended(): Promise<void> {
  const { code, out, err } = await it.tern.verb("store", "fsck");
  if (code !== 0) throw new Error(`fsck: ${out}${err}`);
  await equal(it);
}

function onTheWay(story: string, i: number, fault: WayFault, ms: number): Fault {
  return {
    story,
    isShort: ms < 1000,
    happens: async () => {
      const way = it.ways[i] ?? fail();
      way.fault = fault;
      await Bun.sleep(ms);
      way.fault = undefined;
    },
  };
}

/** A body that is announced, and does not come. */
async function leaveEarly(i: number): Promise<void> {
  const socket = connect(it.tern.port, "127.0.0.1");
  const length = i % 2 === 0 ? "Content-Length: 900000" : "Transfer-Encoding: chunked";
  socket.on("error", () => {}); // it is cut from both sides
  socket.write(`PUT /${NAMES[i % NAMES.length]} HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n`);
  const piece = Buffer.alloc(300_000, "cut");
  socket.write(i % 2 === 0 ? piece : Buffer.concat([Buffer.from("493e0\r\n"), piece]));
  await Bun.sleep(10 * (i % 4));
  if (i % 3 === 0) socket.resetAndDestroy();
  else socket.destroy();
}

function flip(root: string): void {
  for (const name of readdirSync(join(root, BASE), { recursive: true }) as string[]) {
    const path = join(root, BASE, name);
    try {
      const bytes = readFileSync(path);
      const at = Math.floor(bytes.length / 2);
      if (bytes.length > 0) writeFileSync(path, bytes.with(at, (bytes[at] ?? 0) ^ 8));
    } catch {} // a directory, or gone meanwhile
  }
}

function fail(): never {
  throw new Error("there are three servers");
}
