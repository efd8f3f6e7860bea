import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { systemClock } from "../../../../src/core/clock.ts";
import type { Entry } from "../../../../src/net/cluster/etcd.ts";
import { type Among, SharedUsage } from "../../../../src/services/store/usage/shared-usage.ts";

const BASE = "/tern/store/s";
const LIMITS = { "/kim/": 1000 };
const PLACES = 2;

/** Keys as etcd has them. */
class Keys {
  readonly #kept = new Map<string, Entry>();
  #revision = 0;
  /** Of the changes to come this one fails (0: the next), before or after it is made. */
  failing: { at: number; made: boolean } | undefined;

  /** Another one is always faster. */
  rival = false;

  async list(prefix: string): Promise<Entry[]> {
    return [...this.#kept.values()].filter(({ key }) => key.startsWith(prefix));
  }

  async put(key: string, value: string): Promise<void> {
    this.#change(() => this.#kept.set(key, { key, value, revision: ++this.#revision }));
  }

  async swap(key: string, revision: number, value: string): Promise<number | undefined> {
    if (this.rival || (this.#kept.get(key)?.revision ?? 0) !== revision) return undefined;
    await this.put(key, value);
    return this.#revision;
  }

  async remove(key: string, revision: number): Promise<void> {
    if (this.#kept.get(key)?.revision === revision) this.#change(() => this.#kept.delete(key));
  }

  #change(make: () => void): void {
    const { failing } = this;
    if (failing === undefined || failing.at-- > 0) return make();
    this.failing = undefined;
    if (failing.made) make();
    throw new Error("etcd does not answer");
  }
}

interface Router {
  readonly usage: SharedUsage;
  readonly among: { repairs: boolean; alive: string[]; readonly self: string };
}

/** Routers of one store, each on a machine of its own. */
class Routers implements Disposable {
  readonly keys = new Keys();
  readonly #dir = mkdtempSync(join(tmpdir(), "tern-usage-"));
  readonly routers: Router[] = [];
  /** Bytes by place and prefix, and files. */
  readonly truth = new Map<string, { bytes: number; files: number }>();
  wall = 1000;
  #made = 0;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.routers.push(this.#make(i, i === 0));
    this.hear();
  }

  #make(machine: number, repairs: boolean): Router {
    const among = { repairs, alive: [], self: `m${machine}.${++this.#made}` };
    const of: Among = Object.assign(among, { etcd: this.keys, base: BASE });
    const usage = new SharedUsage({
      directory: join(this.#dir, `m${machine}`),
      limits: LIMITS,
      among: of,
      places: PLACES,
      clock: systemClock,
      wall: () => this.wall,
    });
    return { usage, among };
  }

  of(at: number): Router {
    const router = this.routers[at % this.routers.length];
    if (router === undefined) throw new Error("no router");
    return router;
  }

  /** All know who is alive. */
  hear(): void {
    for (const { among } of this.routers)
      among.alive = this.routers.map((router) => router.among.self);
  }

  write(at: number, partition: number, path: string, bytes: number): void {
    this.wall++;
    const key = `${partition} ${path}`;
    const was = this.truth.get(key);
    this.truth.set(key, { bytes, files: bytes > 0 ? 1 : 0 });
    const more = {
      bytes: bytes - (was?.bytes ?? 0),
      files: (bytes > 0 ? 1 : 0) - (was?.files ?? 0),
    };
    const digits = `00${partition}`;
    const record = `/_3fs_0.records/${digits}/${digits}${"0".repeat(61)}`;
    this.of(at).usage.changed(0, record, path, more, this.wall);
  }

  /** Whoever looks after copies looks at a partition. */
  visit(partition: number): void {
    this.wall++;
    const there = [...this.truth]
      .filter(([key, { files }]) => key.startsWith(`${partition} `) && files > 0)
      .map(([key, { bytes }]) => ({ path: key.slice(2), size: bytes }));
    for (const { usage, among } of this.routers)
      if (among.repairs) usage.count(0, partition, there, this.wall);
    this.wall++;
  }

  async again(at: number): Promise<void> {
    const machine = at % this.routers.length;
    const { usage, among } = this.of(machine);
    await usage.close();
    this.routers[machine] = this.#make(machine, among.repairs);
    this.hear();
  }

  /** All hear all. */
  async turns(): Promise<void> {
    this.keys.failing = undefined;
    this.hear();
    for (let turn = 0; turn < 3; turn++) for (const { usage } of this.routers) await usage.turn();
  }

  /** All hear all, and what has changed since it was counted is counted. */
  async settle(): Promise<void> {
    await this.turns();
    const holder = this.routers.find(({ among }) => among.repairs);
    for (let partition = 0; partition < PLACES; partition++)
      if (holder?.usage.isCounted(0, partition) === false) this.visit(partition);
    await this.turns();
  }

  sum(prefix: string): { bytes: number; files: number } {
    const within = [...this.truth].filter(([key]) => key.slice(2).startsWith(prefix));
    return {
      bytes: within.reduce((sum, [, { bytes }]) => sum + bytes, 0),
      files: within.reduce((sum, [, { files }]) => sum + files, 0),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true });
  }
}

test("what one router stores takes room from the others, and deletion gives it back", async () => {
  using it = new Routers(2);
  const [a, b] = [it.of(0).usage, it.of(1).usage];
  it.write(0, 0, "/kim/a", 600);
  expect([a.room("/kim/x"), b.room("/kim/x")]).toEqual([400, 1000]);
  await a.turn();
  await b.turn();
  expect([a.room("/kim/x"), b.room("/kim/x")]).toEqual([400, 400]);
  it.write(1, 0, "/kim/a", 0);
  expect(b.room("/kim/x")).toBe(1000);
  await b.turn();
  await a.turn();
  expect([a.room("/kim/x"), b.room("/kim/x")]).toEqual([1000, 1000]);
  expect(a.room("/elsewhere")).toBe(Infinity);
});

test("who was alone brings what it has counted, and who begins knows at once", async () => {
  using it = new Routers(1);
  it.write(0, 0, "/kim/a", 600);
  await it.settle();
  await it.of(0).usage.close();
  using others = new Routers(2);
  for (const { key, value } of await it.keys.list(BASE)) await others.keys.put(key, value);
  await others.of(1).usage.turn();
  expect(others.of(1).usage.figures).toEqual({
    "/": { bytes: 600, files: 1 },
    "/kim/": { bytes: 600, files: 1, quota_bytes: 1000 },
  });
});

test("what nobody told is known when it is looked at", async () => {
  using it = new Routers(2);
  await it.settle();
  it.truth.set("0 /kim/found", { bytes: 300, files: 1 });
  it.truth.set("1 /kim/too", { bytes: 200, files: 1 });
  it.visit(0);
  await it.turns();
  expect(it.of(1).usage.of("/kim/")).toEqual({ bytes: 300, files: 1 });
  it.visit(1);
  await it.turns();
  expect(it.of(1).usage.of("/kim/")).toEqual({ bytes: 500, files: 2 });
});

test("a new one that looks after copies carries on what was known until it has counted all", async () => {
  using it = new Routers(2);
  it.write(0, 0, "/kim/a", 600);
  it.write(0, 1, "/kim/b", 100);
  await it.settle();
  it.of(0).among.repairs = false;
  it.of(1).among.repairs = true;
  it.visit(0);
  it.write(1, 0, "/kim/c", 50);
  await it.turns();
  expect(it.of(0).usage.of("/kim/")).toEqual({ bytes: 750, files: 3 });
  await it.settle();
  expect(it.of(0).usage.of("/kim/")).toEqual({ bytes: 750, files: 3 });
});

test("logs of those who are gone are removed, when they are counted", async () => {
  using it = new Routers(2);
  it.write(1, 0, "/kim/a", 600);
  await it.of(1).usage.turn();
  it.routers.pop();
  it.hear();
  const logs = async () => (await it.keys.list(`${BASE}/usage/told/`)).length;
  expect(await logs()).toBe(1);
  await it.settle();
  expect(await logs()).toBe(0);
  expect(it.of(0).usage.of("/kim/").bytes).toBe(600);
});

test("what cannot be read in etcd is as if it were not there", async () => {
  using it = new Routers(2);
  for (const text of [
    "",
    "{",
    "[]",
    "null",
    '{"by":1}',
    '[{"seq":"x"}]',
    '[{"seq":1,"places":[]}]',
  ])
    for (const key of ["counted", "told/m1.2", "told/x"]) {
      await it.keys.put(`${BASE}/usage/${key}`, text);
      await it.of(0).usage.turn();
    }
  it.write(1, 0, "/kim/a", 600);
  await it.settle();
  expect(it.of(0).usage.of("/kim/")).toEqual({ bytes: 600, files: 1 });
});

test("a burst is told in parts", async () => {
  using it = new Routers(2);
  const { usage } = it.of(0);
  for (let i = 0; i < 4096; i++) {
    const digits = i.toString(16).padStart(3, "0");
    for (const stage of [0, 1, 2, 3])
      usage.changed(stage, `/r/${digits}/${digits}00`, "/kim/x", { bytes: 1, files: 1 }, 1);
  }
  expect(usage.of("/kim/").bytes).toBe(4096 * 4);
  await usage.turn();
  for (const { value } of await it.keys.list(`${BASE}/usage/told/`))
    expect(value.length).toBeLessThan(2 ** 19);
  for (let turn = 0; turn < 6; turn++) await usage.turn();
  await it.of(1).usage.turn();
  for (const router of it.routers) expect(router.usage.of("/kim/").bytes).toBe(4096 * 4);
});

test("a count that etcd did not take is taken once, later", async () => {
  using it = new Routers(2);
  await it.settle();
  it.write(1, 0, "/kim/a", 600);
  await it.of(1).usage.turn();
  it.keys.failing = { at: 0, made: false };
  await expect(it.of(0).usage.turn()).rejects.toThrow("etcd does not answer");
  await it.turns();
  for (const { usage } of it.routers) expect(usage.of("/kim/").bytes).toBe(600);
});

test("what is told after it was counted is counted once", async () => {
  using it = new Routers(2);
  await it.settle();
  it.write(1, 0, "/kim/a", 600);
  it.visit(0);
  await it.turns();
  for (const { usage } of it.routers) expect(usage.of("/kim/").bytes).toBe(600);
  expect(it.of(0).usage.isCounted(0, 0)).toBe(true);
});

test("who was not heard of, and lives, is counted once", async () => {
  using it = new Routers(2);
  it.write(1, 0, "/kim/a", 600);
  await it.of(1).usage.turn();
  for (const { among } of it.routers) among.alive = [it.of(0).among.self];
  for (let turn = 0; turn < 4; turn++) await it.of(0).usage.turn();
  expect(await it.keys.list(`${BASE}/usage/told/`)).toEqual([]);
  await it.turns();
  for (const { usage } of it.routers) expect(usage.of("/kim/").bytes).toBe(600);
});

test("two that take themselves for the one that counts, at once", async () => {
  using it = new Routers(3);
  await it.turns();
  it.of(1).among.repairs = true;
  for (let i = 0; i < 5; i++) {
    it.write(2, 0, `/kim/${i}`, 100);
    await it.of(2).usage.turn();
    await Promise.all([it.of(0).usage.turn(), it.of(1).usage.turn()]);
    it.write(2, 1, `/kim/and ${i}`, 10);
    await Promise.all(it.routers.map(async ({ usage }) => usage.turn()));
  }
  it.of(0).among.repairs = false;
  await it.turns();
  for (const { usage } of it.routers) expect(usage.of("/kim/")).toEqual({ bytes: 550, files: 10 });
});

test("a log is not removed before what is in it is counted for certain", async () => {
  using it = new Routers(3);
  await it.turns();
  it.write(2, 0, "/kim/a", 100);
  await it.of(2).usage.turn();
  it.routers.pop();
  it.hear();
  it.of(1).among.repairs = true;
  it.keys.rival = true;
  await it.of(0).usage.turn();
  it.keys.rival = false;
  await it.turns();
  for (const { usage } of it.routers) expect(usage.of("/kim/").bytes).toBe(100);
});

const who = fc.nat(2);
const partition = fc.nat(1);
const steps = {
  write: fc.record({ is: fc.constant("write"), who, partition, name: fc.nat(5), bytes: fc.nat(9) }),
  turn: fc.record({ is: fc.constant("turn"), who }),
  fails: fc.record({ is: fc.constant("fails"), who, at: fc.nat(2), made: fc.boolean() }),
  again: fc.record({ is: fc.constant("again"), who }),
  repairs: fc.record({ is: fc.constant("repairs"), who }),
  unheard: fc.record({ is: fc.constant("unheard"), who }),
  rivals: fc.record({ is: fc.constant("rivals"), who }),
};
const visit = fc.record({ is: fc.constant("visit"), partition });

interface Step {
  readonly is: string;
  readonly who?: number;
  readonly partition?: number;
  readonly name?: number;
  readonly bytes?: number;
  readonly at?: number;
  readonly made?: boolean;
}

async function go(it: Routers, step: Step): Promise<void> {
  const { is, who = 0, partition = 0, name = 0, bytes = 0, at = 0, made = false } = step;
  const { usage, among } = it.of(who);
  switch (is) {
    case "write":
      return it.write(who, partition, `${name < 3 ? "/kim" : ""}/${name}`, bytes);
    case "turn":
      return usage.turn();
    case "fails":
      it.keys.failing = { at, made };
      await usage.turn().catch(() => {});
      it.keys.failing = undefined;
      return;
    case "again":
      return it.again(who);
    case "repairs":
      for (const one of it.routers) one.among.repairs = one === it.of(who);
      return;
    case "rivals":
      for (const one of it.routers) one.among.repairs = true;
      await Promise.all(it.routers.map(async (one) => one.usage.turn()));
      return go(it, { is: "repairs", who });
    case "unheard":
      for (const one of it.routers)
        one.among.alive = one.among.alive.filter((self) => self !== among.self);
      return;
    case "visit":
      return it.visit(partition);
    default:
      throw new Error(is);
  }
}

const { write, turn, ...rare } = steps;
const often = [
  { weight: 6, arbitrary: write },
  { weight: 6, arbitrary: turn },
  ...Object.values(rare).map((arbitrary) => ({ weight: 1, arbitrary })),
];

test.each([
  { story: "nobody counts: by what all tell alone", all: often, end: "turns" },
  {
    story: "it is counted meanwhile",
    all: [...often, { weight: 2, arbitrary: visit }],
    end: "settle",
  },
] as const)(
  "in whatever order it happens, all know in the end what there is: $story",
  async ({ all, end }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...all), { maxLength: 60 }), async (happens) => {
        using it = new Routers(3);
        for (const step of happens) await go(it, step);
        await it[end]();
        for (const prefix of ["/", "/kim/"])
          for (const { usage } of it.routers) expect(usage.of(prefix)).toEqual(it.sum(prefix));
      }),
      { numRuns: 100 },
    );
  },
  120_000,
);
