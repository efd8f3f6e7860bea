import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../../../../src/core/clock.ts";
import { Etcd } from "../../../../src/net/cluster/etcd.ts";
import { silent } from "../../../../src/observe/log.ts";
import { Hints } from "../../../../src/services/store/hints/hints.ts";
import { DirMember } from "../../../../src/services/store/members/dir-member.ts";
import type { Member } from "../../../../src/services/store/members/member.ts";
import { mend } from "../../../../src/services/store/mend.ts";
import { Layout } from "../../../../src/services/store/names.ts";
import { PathLocks } from "../../../../src/services/store/path-locks.ts";
import type { StageRecord } from "../../../../src/services/store/placement/stage.ts";
import { openToRead } from "../../../../src/services/store/read.ts";
import { apply } from "../../../../src/services/store/repair/standings.ts";
import { Seat } from "../../../../src/services/store/seat.ts";
import { Routers } from "../../../../src/services/store/shared/routers.ts";
import { Shelf } from "../../../../src/services/store/shelf.ts";
import { put, remove } from "../../../../src/services/store/write.ts";
import { type EtcdServer, etcdServer } from "../../../fake/etcd-server.ts";
import { temporary } from "../../../fake/temporary.ts";
import { files } from "../repair/rig.ts";

setDefaultTimeout(30_000);

let server: EtcdServer;
beforeAll(async () => {
  server = await etcdServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let stores = 0;

/** Routers with different state directories over the same members; what `a` does goes by `slow`. */
async function two(members = 3, slow: (member: Member) => Member = (member) => member) {
  const time = { a: 0, b: 0 };
  /** Milliseconds that the clocks on their walls are ahead. */
  const wall = { a: 0, b: 0 };
  const dir = await temporary();
  const store = `files${stores++}`;
  const record: StageRecord = {
    placement: "hrw-1",
    region: 256,
    redundancy: 3,
    slots: Array.from({ length: members }, (_, i) => ({ id: `m${i}`, weight: 1, zone: undefined })),
  };
  const roots = record.slots.map(({ id }) => join(dir.path, id));
  for (const root of roots) mkdirSync(root);
  const router = async (node: "a" | "b") => {
    const place = { urls: [server.url], node };
    const clock = { ...systemClock, now: () => systemClock.now() + time[node] };
    const parts = { place, store, process: "1", stands: true };
    const routers = new Routers({ ...parts, clock, log: silent });
    await routers.open({ 0: record });
    const local = new PathLocks(join(dir.path, node, "locks"));
    const hints = await Hints.open(join(dir.path, node, "hints"), silent, () => 0);
    const seats = roots.map((root, i) => {
      const member = new DirMember(`m${i}`, root, false);
      return new Seat(node === "a" ? slow(member) : member, () => 0);
    });
    const shelf = new Shelf(0, record, 2, seats, {
      layout: new Layout("_3fs"),
      locks: routers.locks(local),
      hints,
      log: silent,
      clock,
      wall: () => Date.now() + wall[node],
      writer: node,
      freeFloor: 0,
    });
    return {
      routers,
      shelf,
      async put(path: string, text: string): Promise<string> {
        const body = (async function* () {
          yield new TextEncoder().encode(text);
        })();
        const about = { type: undefined, mtime: undefined };
        const name = { stage: 0, key: path, path };
        const written = await put(shelf, name, body, about, () => true);
        return written.kind === "too-few" ? written.trouble : written.kind;
      },
      async remove(path: string): Promise<string> {
        const written = await remove(shelf, { stage: 0, key: path, path }, () => true);
        return written.kind === "too-few" ? written.trouble : written.kind;
      },
      async get(path: string): Promise<string> {
        const opened = await openToRead(shelf, { stage: 0, key: path, path }, () => 0);
        if (opened.kind !== "open") return opened.kind;
        let text = "";
        for await (const piece of opened.body.bytes(0, opened.body.version.size))
          text += new TextDecoder().decode(piece);
        opened.body.close();
        return text;
      },
      async close() {
        await routers.close();
        await hints.close();
        local.close();
      },
    };
  };
  const [a, b] = [await router("a"), await router("b")];
  return {
    a,
    b,
    time,
    wall,
    roots,
    record,
    store,
    async [Symbol.asyncDispose]() {
      await a.close();
      await b.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

test("a key is swapped by one of those who saw it", async () => {
  const etcd = new Etcd([server.url]);
  const first = await etcd.swap("/test/k", 0, "one");
  expect(first).toBeGreaterThan(0);
  expect(await etcd.swap("/test/k", 0, "two")).toBeUndefined();
  expect(await etcd.get("/test/k")).toEqual({ key: "/test/k", value: "one", revision: first ?? 0 });
  const both = await Promise.all([
    etcd.swap("/test/k", first ?? 0, "a"),
    etcd.swap("/test/k", first ?? 0, "b"),
  ]);
  expect(both.filter((one) => one === undefined).length).toBe(1);
  const [one] = await etcd.list("/test/");
  expect(one?.value === "a" || one?.value === "b").toBe(true);
  await etcd.remove("/test/k", first ?? 0);
  expect(await etcd.get("/test/k")).toBeDefined();
  await etcd.remove("/test/k", one?.revision ?? 0);
  expect(await etcd.get("/test/k")).toBeUndefined();
  const lease = await etcd.grant(5);
  await etcd.swap("/test/l", 0, "x", lease);
  expect(await etcd.keep(lease)).toBe(true);
  await etcd.revoke(lease);
  expect(await etcd.get("/test/l")).toBeUndefined();
  expect(await etcd.keep(lease)).toBe(false);
});

test("whoever does not answer is left out", async () => {
  const etcd = new Etcd(["http://127.0.0.1:9", server.url]);
  await etcd.put("/test/o", "here");
  expect((await etcd.get("/test/o"))?.value).toBe("here");
  expect(new Etcd(["http://127.0.0.1:9"]).get("/test/o")).rejects.toThrow("etcd: kv/range: ");
});

test("two write one name at once through two routers: all copies are equal, whoever was last", async () => {
  await using it = await two();
  const told: string[] = [];
  await Promise.all(
    [it.a, it.b].flatMap((router, r) =>
      Array.from({ length: 15 }, async (_, i) => {
        const text = `router ${r}, write ${i}`.repeat(1 + i * 100);
        expect(await router.put("/one", text)).toBe("kept");
        told.push(text);
      }),
    ),
  );
  const [first, ...others] = it.roots.map(files);
  for (const other of others) expect(other).toEqual(first ?? {});
  const got = await it.a.get("/one");
  expect(told).toContain(got);
  expect(await it.b.get("/one")).toBe(got);
});

test("a router that is stopped in the middle of a commit for longer than its lease goes no further", async () => {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let stops = false;
  const slow = (member: Member): Member =>
    new Proxy(member, {
      get(of, key) {
        if (key === "near") return undefined;
        if (key !== "replace") {
          const value: unknown = Reflect.get(of, key);
          return typeof value === "function" ? value.bind(of) : value;
        }
        return async (...given: Parameters<Member["replace"]>): Promise<void> => {
          await of.replace(...given);
          if (!stops) return;
          reached.resolve();
          await goOn.promise;
        };
      },
    });
  await using it = await two(3, slow);
  expect(await it.a.put("/x", "first")).toBe("kept");
  stops = true;
  const stopped = it.a.put("/x", "of one who was stopped");
  await reached.promise;
  // As etcd does when the lease ends, and as the clock is when the process goes on.
  const etcd = new Etcd([server.url]);
  for (const { key, revision } of await etcd.list(`/tern/store/${it.store}/locks/`))
    await etcd.remove(key, revision);
  expect(await it.b.put("/x", "acknowledged")).toBe("kept");
  it.time.a = 60_000;
  goOn.resolve();
  expect(await stopped).toBe("away");
  expect(await it.b.get("/x")).toBe("acknowledged");
  expect(await it.a.get("/x")).toBe("acknowledged");
});

test("another idea of a stage is refused", async () => {
  await using it = await two();
  await it.a.routers.remember({ 0: it.record });
  await it.b.routers.remember({ 0: it.record });
  const place = { urls: [server.url], node: "c" };
  const other = { ...it.record, slots: it.record.slots.map((slot) => ({ ...slot, weight: 2 })) };
  const third = new Routers({
    place,
    store: it.store,
    process: "1",
    stands: true,
    clock: systemClock,
    log: silent,
  });
  expect(third.open({ 0: { ...other, slots: other.slots.slice(1) } })).rejects.toThrow(
    "as other routers have it, stage 0 has changed",
  );
  // Stages that it does not know are gone for it.
  expect(third.open({})).rejects.toThrow("stage 0 is gone");
});

test("all routers go by who is out before anything is moved, and one of them looks after copies", async () => {
  await using it = await two(4);
  let applied = false;
  const writing = it.a.routers.write({ 0: { out: ["m1"], before: [] } }).then(() => {
    expect(applied).toBe(true);
  });
  await Bun.sleep(600);
  const book = await it.b.routers.read();
  if (book !== undefined) apply(book, [it.b.shelf]);
  applied = true;
  await writing;
  expect([...it.b.shelf.standing.out]).toEqual(["m1"]);
  expect(await it.b.routers.read()).toBeUndefined();
  expect([it.a.routers.repairs, it.b.routers.repairs].filter(Boolean).length).toBe(1);
});

test("who may not look after copies leaves it to one who may", async () => {
  const parts = { store: `files${stores++}`, clock: systemClock, log: silent };
  const make = (process: string, stands: boolean): Routers =>
    new Routers({ place: { urls: [server.url], node: "a" }, process, stands, ...parts });
  const [second, first] = [make("2", false), make("1", true)];
  await second.open({});
  while (second.alive.length === 0) await Bun.sleep(20);
  await first.open({});
  while (!first.repairs) await Bun.sleep(20);
  expect(second.repairs).toBe(false);
  await Promise.all([first.close(), second.close()]);
});

test("without etcd nothing is written, and all is read; with it again, all is well", async () => {
  await using it = await two();
  expect(await it.a.put("/x", "before")).toBe("kept");
  await server.pause();
  expect(await it.a.put("/x", "lost")).toBe("away");
  expect(await it.a.get("/x")).toBe("before");
  server.resume();
  let told = "";
  for (let tries = 0; tries < 100 && told !== "kept"; tries++) {
    told = await it.a.put("/x", "after");
    await Bun.sleep(100);
  }
  expect(told).toBe("kept");
  expect(await it.b.get("/x")).toBe("after");
  for (const root of it.roots)
    expect(Object.keys(files(root)).filter((name) => name.includes(".new/"))).toEqual([]);
});

const HOUR_MS = 3_600_000;
test.each([
  { story: "one is an hour behind", walls: [[0, -HOUR_MS]] },
  { story: "one is an hour ahead", walls: [[0, HOUR_MS]] },
  {
    story: "they jump, each its own way",
    walls: [
      [-HOUR_MS, HOUR_MS],
      [24 * HOUR_MS, -24 * HOUR_MS],
      [-30 * HOUR_MS, 5],
    ],
  },
] as const)("what was written last is what both have: $story", async ({ walls }) => {
  await using it = await two();
  const { a, b, wall, roots } = it;
  for (let turn = 0; turn < 18; turn++) {
    const [forA, forB] = walls[turn % walls.length] ?? [0, 0];
    Object.assign(wall, { a: forA, b: forB });
    const writer = turn % 2 === 0 ? a : b;
    const removes = turn % 6 >= 4; // each of them, in its turn
    const said = removes ? await writer.remove("/x") : await writer.put("/x", `turn ${turn}`);
    expect(said).toBe("kept");
    for (const reader of [a, b])
      expect(await reader.get("/x")).toBe(removes ? "deleted" : `turn ${turn}`);
  }
  expect(await b.put("/x", "last")).toBe("kept");
  const name = { stage: 0, key: "/x", path: "/x" };
  for (const seat of a.shelf.seats) await mend(a.shelf, name, seat, false);
  const [first, ...others] = roots.map(files);
  for (const other of others) expect(other).toEqual(first ?? {});
});
