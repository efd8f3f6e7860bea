/** Answers made ahead of what is on disk: the same as the full path's, as long as the file is. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as v from "valibot";

import { systemClock } from "../../../../src/core/clock.ts";
import { type OpenCache, openCache } from "../../../../src/services/proxy/cache/open.ts";
import { proxySchema } from "../../../../src/services/proxy/config.ts";
import { Head, parseHead } from "../../../../src/wire/http1/head.ts";
import { type FakeHost, fakeHost } from "../../../fake/host.ts";
import { type Asked, read, requestOf } from "./bench.ts";

const TAGGED = {
  "Cache-Control": "max-age=600",
  ETag: '"a"',
  "Last-Modified": "Sun, 22 Nov 2026 11:00:00 GMT",
};
const PATHS = ["/", "/1", "/2"];

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
function directory(): string {
  const root = mkdtempSync(join(tmpdir(), "tern-shelf-"));
  ends.push(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A worker whose cache is all on disk. */
class Worker {
  body = "0123456789";
  fields: Readonly<Record<string, string>> = TAGGED;
  heard = 0;
  /** Milliseconds. */
  later = 0;
  #open!: OpenCache;

  static async start(disk: string, cache: object = { memory: "0" }, index = 0): Promise<Worker> {
    const one = new Worker();
    const host: FakeHost = fakeHost({
      clock: { ...systemClock, now: () => systemClock.now() + one.later },
      worker: { index, count: index + 1 },
    });
    const routes = [{ pool: "app" }];
    const { p } = v.parse(proxySchema, { p: { routes, cache: { disk, ...cache } } });
    one.#open = (await openCache("p", p!, host))!;
    ends.push(async () => {
      await one.#open.close();
      host[Symbol.dispose]();
    });
    return one;
  }

  get home() {
    return this.#open.home;
  }
  get stats() {
    return this.#open.stats();
  }

  async full(asked: Asked = {}): Promise<string> {
    const { status, headers, body } = await this.#open.cache.answer(requestOf(asked), {
      fetch: () => {
        this.heard++;
        return {
          status: 200,
          headers: [["Date", new Date().toUTCString()], ...Object.entries(this.fields)],
          body: { kind: "pieces", pieces: [Buffer.from(this.body)] },
          named: true,
        };
      },
      expands: false,
      part: () => "",
      finish: (response) => response,
    });
    const told = headers.find(([name]) => name === "Cache-Status")?.[1] ?? "";
    return `${status} ${told.replace(/=\d+/, "")} ${await read(body)}`;
  }

  /** Undefined: the full path has to answer. */
  quick({ method = "GET", path = "/", headers = {} }: Asked = {}): string | undefined {
    const lines = Object.entries({ Host: "example.net", ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    const head = new Head();
    expect(parseHead(bytes, 0, bytes.length, head, 4096)).toBe(bytes.length);
    const prepared = this.#open.quick?.(head, systemClock.now() + this.later);
    if (prepared === undefined) return undefined;
    const second = Math.floor(Date.now() / 1000);
    prepared.refresh({ second, bytes: new Uint8Array(29) });
    const body = Buffer.alloc(prepared.source?.length ?? 0);
    if (method !== "HEAD") prepared.source?.copyTo(body, 0);
    const told = /Cache-Status: (.*)\r/.exec(Buffer.from(prepared.head).toString())?.[1] ?? "";
    return `${prepared.status} ${told.trimEnd().replace(/=\d+/, "")} ${body.toString()}`;
  }

  /** It is on disk, and known to be. */
  async shelve(asked: Asked = {}): Promise<void> {
    await this.full(asked);
    await this.home.store.disk?.writer.settled();
    await this.full(asked);
  }
}

function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && /^[0-9a-f]{14}$/.test(one.name))
    .map((one) => join(one.parentPath, one.name));
}

const HIT = "200 tern; hit; ttl 0123456789";

describe("an answer made ahead from disk", () => {
  test("is there once the full path has found the file, and is the same", async () => {
    const one = await Worker.start(directory());
    await one.full();
    expect(one.quick()).toBeUndefined();
    expect(await one.full()).toBe(HIT);
    expect([one.quick(), one.quick(), one.heard]).toEqual([HIT, HIT, 1]);
    expect(one.stats).toMatchObject({ hits: 3, quick: 2, disk_hits: 3, disk_heads: 1, entries: 0 });
  });

  test("each has its own body, whichever was read before", async () => {
    const one = await Worker.start(directory());
    for (const path of PATHS) {
      one.body = path.repeat(1000);
      await one.shelve({ path });
    }
    for (const path of [...PATHS, ...PATHS.toReversed()])
      expect(one.quick({ path })).toBe(`200 tern; hit; ttl ${path.repeat(1000)}`);
  });

  test("HEAD, conditions and what means more than the whole", async () => {
    const one = await Worker.start(directory());
    await one.shelve();
    await one.full({ headers: { "if-none-match": '"a"' } });
    expect(one.quick({ method: "HEAD" })).toBe(`200 tern; hit; ttl ${"\0".repeat(10)}`);
    expect(one.quick({ headers: { "if-none-match": '"a"' } })).toBe("304 tern; hit; ttl ");
    expect(one.quick({ headers: { "if-none-match": '"b"' } })).toBeUndefined();
    expect(one.quick({ headers: { range: "bytes=0-1" } })).toBeUndefined();
    expect(await one.full({ headers: { range: "bytes=0-1" } })).toBe("206 tern; hit; ttl 01");
    expect(one.heard).toBe(1);
  });

  test("variants by coding", async () => {
    const one = await Worker.start(directory());
    one.fields = { ...TAGGED, Vary: "Accept-Encoding" };
    for (const coding of ["gzip", "br"]) {
      one.body = coding;
      await one.shelve({ headers: { "accept-encoding": coding } });
    }
    for (const coding of ["gzip", "br"])
      expect(one.quick({ headers: { "accept-encoding": coding } })).toBe(
        `200 tern; hit; ttl ${coding}`,
      );
    expect(one.quick()).toBeUndefined();
  });

  test("bodies that are long are not for it", async () => {
    const one = await Worker.start(directory());
    one.body = "x".repeat(64 * 1024 + 1);
    await one.shelve();
    expect([one.quick(), one.stats["disk_heads"]]).toEqual([undefined, 0]);
    one.body = "x".repeat(64 * 1024);
    await one.shelve({ path: "/1" });
    expect(one.quick({ path: "/1" })).toBe(`200 tern; hit; ttl ${one.body}`);
  });

  test("until it is stale", async () => {
    const one = await Worker.start(directory());
    await one.shelve();
    one.later = 598_000;
    expect(one.quick()).toBe(HIT);
    one.later = 601_000;
    expect(one.quick()).toBeUndefined();
  });
});

describe("files are kept open", () => {
  test.each([
    { most: 2, open: 2 },
    { most: 0, open: 0 },
    { most: 100, open: 3 },
  ])("no more than $most, and not for long", async ({ most, open }) => {
    const root = directory();
    const one = await Worker.start(root, { memory: "0", open_files: most });
    for (const path of PATHS) await one.shelve({ path });
    const before = descriptors(root);
    for (const path of [...PATHS, ...PATHS]) expect(one.quick({ path })).toBe(HIT);
    expect([one.stats["disk_open"], descriptors(root) - before]).toEqual([open, open]);
    // One removed by hand is noticed when it is opened again.
    for (const path of filesIn(root)) unlinkSync(path);
    one.later = 1000;
    expect(PATHS.map((path) => one.quick({ path }))).toEqual(PATHS.map(() => undefined));
    expect(descriptors(root)).toBe(before);
  });

  test("whether or not anybody asks again", async () => {
    const root = directory();
    const one = await Worker.start(root);
    await one.shelve();
    const before = descriptors(root);
    expect([one.quick(), descriptors(root)]).toEqual([HIT, before + 1]);
    const end = performance.now() + 4000;
    while (descriptors(root) > before && performance.now() < end) await Bun.sleep(20);
    expect([descriptors(root), one.quick()]).toEqual([before, HIT]);
  });
});

/** Open files of responses in `root`. */
function descriptors(root: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(root) && /\/[0-9a-f]{14}( \(deleted\))?$/.test(path);
    } catch {
      return false; // that of the directory itself
    }
  }).length;
}

describe("it is not given any more", () => {
  const spoil: Record<string, (path: string) => void> = {
    removed: unlinkSync,
    "cut in its body": (path) => truncateSync(path, readFileSync(path).length - 1),
    "cut in its head": (path) => truncateSync(path, 100),
    empty: (path) => truncateSync(path, 0),
    "spoilt in its body": (path) => turn(path, readFileSync(path).length - 1),
    "spoilt in its header": (path) => turn(path, 17),
  };
  function turn(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at]! ^= 4;
    writeFileSync(path, bytes);
  }
  test.each(Object.keys(spoil))("of a file that is %s", async (how) => {
    const root = directory();
    const one = await Worker.start(root);
    await one.shelve();
    const [path] = filesIn(root);
    spoil[how]!(path!);
    one.later = 1000;
    expect([one.quick(), one.stats["disk_heads"]]).toEqual([undefined, 0]);
    one.body = "new";
    expect(await one.full()).toBe("200 tern; fwd=uri-miss; ttl; stored new");
  });

  test("of one that another has taken the place of", async () => {
    const root = directory();
    const one = await Worker.start(root);
    await one.shelve();
    const other = directory();
    const two = await Worker.start(other);
    two.body = "9876543210";
    await two.shelve();
    expect(one.quick()).toBe(HIT);
    renameSync(filesIn(other)[0]!, filesIn(root)[0]!);
    one.later = 1000;
    expect(one.quick()).toBeUndefined();
    const got = "200 tern; hit; ttl 9876543210";
    expect([await one.full(), one.quick()]).toEqual([got, got]);
  });

  test("after a purge, here or by another worker", async () => {
    const root = directory();
    const one = await Worker.start(root);
    const two = await Worker.start(root, { memory: "0" }, 1);
    for (const path of PATHS) await one.shelve({ path });
    await two.full({ path: "/2" });
    expect(two.quick({ path: "/2" })).toBe(HIT);
    one.home.purge([{ kind: "prefix", value: "example.net/1" }]);
    expect(PATHS.map((path) => one.quick({ path }))).toEqual([HIT, undefined, HIT]);
    two.home.forbid([{ kind: "url", value: "example.net/" }]);
    // It hears of that before it would look at the file again.
    const end = performance.now() + 900;
    while (one.quick() !== undefined && performance.now() < end) await Bun.sleep(1);
    expect(PATHS.map((path) => one.quick({ path }))).toEqual([undefined, undefined, HIT]);
    one.body = "new";
    expect(await one.full({ path: "/1" })).toEndWith("stored new");
    expect(await one.full({ path: "/1" })).toBe("200 tern; hit; ttl new");
    expect(one.quick({ path: "/1" })).toBe("200 tern; hit; ttl new");
  });
});

test("what is asked for often moves to memory, where there is some", async () => {
  const one = await Worker.start(directory(), { memory: "32k" });
  one.body = "x".repeat(4000);
  for (let i = 0; i < 20; i++) await one.shelve({ path: `/${i}` });
  const found = (): boolean =>
    [...one.home.store.memory.entries()].some((e) => e.key.endsWith("/0"));
  expect(found()).toBe(false);
  // Left by itself the first is on disk; it has to be asked for a few hundred times.
  await one.full({ path: "/0" });
  for (let i = 1; i < 20; i++) await one.full({ path: `/${i}` });
  expect(found()).toBe(false);
  await new Promise(setImmediate);
  let slow = 0;
  for (let i = 0; i < 1000 && !found(); i++)
    if (one.quick({ path: "/0" }) === undefined) {
      slow++;
      await one.full({ path: "/0" });
      await new Promise(setImmediate);
    }
  expect([found(), slow, one.heard]).toEqual([true, 1, 20]);
});
