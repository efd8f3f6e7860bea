import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { look } from "../../../src/services/store/copy.ts";
import { BLOCK } from "../../../src/services/store/record.ts";
import { type Rig, rig } from "./rig.ts";

/** Bytes that say where they are. */
function bytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * seed + seed) & 255);
}

/** Every file of a member's tree, by path from its root. */
function files(root: string): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const name of readdirSync(root, { recursive: true }) as string[]) {
    const path = join(root, name);
    if (statSync(path).isFile()) found[name] = readFileSync(path);
  }
  return found;
}

/** All members have the same, byte for byte. */
function expectEqual({ members }: Rig): void {
  const [first, ...others] = members.map(({ where }) => files(where));
  for (const other of others) expect(other).toEqual(first ?? {});
}

test.each([0, 1, 100_003, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])(
  "%i bytes are kept as they are, and read as they were",
  async (length) => {
    await using it = await rig();
    const body = bytes(length);
    expect(await it.put("/a/b c/ä.bin", body)).toBe("kept");
    expect(Buffer.compare((await it.get("/a/b c/ä.bin")) as Uint8Array, body)).toBe(0);
    for (const { where } of it.members)
      expect(Buffer.compare(readFileSync(join(where, "_3fs_0/a/b c/ä.bin")), body)).toBe(0);
    expectEqual(it);
  },
);

test.each([
  [0, 1],
  [BLOCK - 1, BLOCK + 1],
  [BLOCK, 2 * BLOCK],
  [5, 2 * BLOCK + 5],
])("bytes from %i to %i", async (from, to) => {
  await using it = await rig();
  const body = bytes(2 * BLOCK + 9);
  await it.put("/a", body);
  const got = (await it.get("/a", from, to)) as Uint8Array;
  expect(Buffer.compare(got, body.subarray(from, to))).toBe(0);
});

test("a newer one takes the place of an older one, and a deleted one is gone", async () => {
  await using it = await rig();
  await it.put("/a", "one");
  await it.put("/a", "two");
  expect(String(await it.get("/a"))).toBe("two");
  expectEqual(it);
  expect(await it.remove("/a")).toBe("kept");
  expect(await it.get("/a")).toBe("deleted");
  expect(files(it.members[0]?.where ?? "")["_3fs_0/a"]).toBeUndefined();
  expect(await it.put("/a", "three")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("three");
  expectEqual(it);
});

test("a clock that goes back makes no older version", async () => {
  await using it = await rig();
  await it.put("/a", "one");
  it.time.wall = -86_400_000;
  await it.put("/a", "two");
  expect(String(await it.get("/a"))).toBe("two");
  await it.remove("/a");
  expect(await it.get("/a")).toBe("deleted");
});

test.each([
  { story: "one of three is away", faults: ["away"], put: "kept" },
  { story: "one is full", faults: ["full"], put: "kept" },
  { story: "one is read-only", faults: ["read-only"], put: "kept" },
  { story: "one breaks off in the middle", faults: [{ cutAfter: 150_000 }], put: "kept" },
  { story: "two are away", faults: ["away", "away"], put: "away" },
  { story: "two are full", faults: ["full", "full"], put: "full" },
  { story: "one is away, one is full", faults: ["away", "full"], put: "full" },
  { story: "two break off", faults: [{ cutAfter: 150_000 }, { cutAfter: 9 }], put: "away" },
] as const)("$story: $put", async ({ faults, put }) => {
  for (const before of [undefined, "before"]) {
    await using it = await rig();
    if (before !== undefined) await it.put("/a", before);
    for (const [i, fault] of faults.entries()) {
      const member = it.members[(i + 1) % 3];
      if (member) member.fault = fault;
    }
    expect(await it.put("/a", bytes(300_000))).toBe(put);
    for (const member of it.members) member.fault = undefined;
    it.time.waits += 60_000;
    const got = await it.get("/a");
    if (put === "kept") expect((got as Uint8Array).length).toBe(300_000);
    else expect(typeof got === "string" ? got : String(got)).toBe(before ?? "absent");
    await it.mend();
    expectEqual(it);
  }
});

test.each([
  { story: "reads no record", holds: "read", before: "old" },
  { story: "writes no record", holds: "replace", before: undefined },
  { story: "writes no record over another", holds: "replace", before: "old" },
  { story: "gives the data no name", holds: "place", before: undefined },
] as const)("one of three $story: nobody waits for it, and it is owed the copy", async (row) => {
  const { holds, before } = row;
  await using it = await rig();
  if (before !== undefined) await it.put("/a", before);
  const [, , slow] = it.members;
  if (!slow) throw new Error("three");
  const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
  slow.fault = { holds, until };
  // Would wait for ever for the slow one.
  expect(await it.put("/a", "new")).toBe("kept");
  expect(it.hints.durable).toBe(1);
  expect(String(await it.get("/a"))).toBe("new");
  // Nobody else changes the name before the slow one has ended.
  const next = it.remove("/a");
  goOn();
  slow.fault = undefined;
  expect(await next).toBe("kept");
  expect(await it.get("/a")).toBe("deleted");
  await it.mend();
  expectEqual(it);
});

test("a promise is kept by whoever comes after a crash", async () => {
  const first = await rig();
  const [, , third] = first.members;
  if (third) third.fault = "away";
  expect(await first.put("/a", "promised")).toBe("kept");
  await using it = await first.again();
  expect(it.hints.durable).toBe(1);
  await it.mend();
  expect(it.hints.size).toBe(0);
  expectEqual(it);
});

test("an older copy alone is not taken for the newest", async () => {
  await using it = await rig();
  await it.put("/a", "old");
  const [a, b, c] = it.members;
  if (!a || !b || !c) throw new Error("three");
  a.fault = "away";
  expect(await it.put("/a", "new")).toBe("kept");
  a.fault = undefined;
  b.fault = "away";
  c.fault = "away";
  it.time.waits += 60_000;
  expect(await it.get("/a")).toBe("unsure");
  c.fault = undefined;
  it.time.waits += 60_000;
  expect(String(await it.get("/a"))).toBe("new");
});

test("what came to nothing before a clock went back is not taken for newer than what was kept after", async () => {
  let partly = 0;
  for (let steps = 1; steps < 9; steps++) {
    await using it = await rig();
    const [a, b, c] = it.members;
    if (!a || !b || !c) throw new Error("three");
    c.fault = "away";
    b.stepsLeft = steps;
    if ((await it.put("/a", "first")) !== "away" || it.hints.durable === 0) continue;
    partly++;
    it.time.wall = -3_600_000;
    a.fault = "away";
    b.stepsLeft = Infinity;
    c.fault = undefined;
    it.time.waits += 60_000;
    for (const seat of it.shelf.seats) await seat.do((member) => member.probe()).catch(() => {});
    expect(await it.put("/a", "second")).toBe("kept");
    a.fault = undefined;
    await it.mend();
    expect(String(await it.get("/a"))).toBe("second");
    expectEqual(it);
  }
  expect(partly).toBeGreaterThan(0);
});

test("a disk is lost while the other one with the file is away: nobody says that it never was", async () => {
  await using it = await rig();
  const [a, b, c] = it.members;
  if (!a || !b || !c) throw new Error("three");
  c.fault = "away";
  expect(await it.put("/a", "kept")).toBe("kept");
  c.fault = undefined;
  b.fault = "away";
  for (const name of readdirSync(a.where))
    if (name.startsWith("_3fs_0")) rmSync(join(a.where, name), { recursive: true });
  it.time.waits += 60_000;
  for (const seat of it.shelf.seats) await seat.do((member) => member.probe()).catch(() => {});
  expect(await it.get("/a")).toBe("unsure");
  await it.mend();
  expect(await it.get("/a")).toBe("unsure");
  b.fault = undefined;
  await it.mend();
  expect(String(await it.get("/a"))).toBe("kept");
});

test("one copy that nobody else contradicts is read while all others are away", async () => {
  await using it = await rig();
  await it.put("/a", "here");
  for (const member of it.members.slice(1)) member.fault = "away";
  expect(String(await it.get("/a"))).toBe("here");
  expect(await it.get("/b")).toBe("unsure");
});

const DAMAGES: readonly { story: string; damage: (root: string) => void }[] = [
  {
    story: "a flipped bit",
    damage: (root) => {
      const path = join(root, "_3fs_0/a");
      const data = readFileSync(path);
      data[BLOCK + 5] = (data[BLOCK + 5] ?? 0) ^ 1;
      writeFileSync(path, data);
    },
  },
  { story: "a torso", damage: (root) => truncateSync(join(root, "_3fs_0/a"), BLOCK + 7) },
  { story: "no data", damage: (root) => rmSync(join(root, "_3fs_0/a")) },
  {
    story: "no data and no record",
    damage: (root) => {
      for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
    },
  },
  {
    story: "a damaged record",
    damage: (root) => {
      for (const name of Object.keys(files(join(root, "_3fs_0.records"))))
        truncateSync(join(root, "_3fs_0.records", name), 40);
    },
  },
];

test.each([...DAMAGES])("$story is neither sent nor left as it is", async ({ damage }) => {
  for (const damaged of [[0], [1], [2], [0, 1], [1, 2]]) {
    await using it = await rig();
    const body = bytes(2 * BLOCK + 100);
    await it.put("/a", body);
    for (const i of damaged) damage(it.members[i]?.where ?? "");
    for (let i = 0; i < 3; i++) {
      const got = await it.get("/a");
      // Two of three damaged records: nobody can say that the third is the newest. It is, and is sent.
      expect(Buffer.compare(got as Uint8Array, body)).toBe(0);
    }
    for (const member of it.members)
      it.hints.suggest({
        name: it.name("/a"),
        member: member.id,
        stamp: { time: 1, by: "" },
        suspect: true,
      });
    await it.mend();
    expectEqual(it);
  }
});

test("all copies damaged: nothing is sent of the block, and what is before it is", async () => {
  await using it = await rig();
  await it.put("/a", bytes(2 * BLOCK));
  for (const { where } of it.members) DAMAGES[0]?.damage(where);
  expect(await it.get("/a")).toBe(`cut behind ${BLOCK}`);
  expect(await it.get("/a", BLOCK)).toBe("unsure");
});

/** Stop one member for good before each step of a write, and see what the others and it have then. */
test.each([
  { story: "a new file", before: undefined, change: "put" },
  { story: "a newer file", before: "old", change: "put" },
  { story: "a deletion", before: "old", change: "remove" },
] as const)("$story, killed before any step of it, is whole or was never there", async (row) => {
  let finished = false;
  for (let steps = 0; !finished; steps++) {
    const first = await rig();
    if (row.before !== undefined) await first.put("/a", row.before);
    for (const member of first.members) member.stepsLeft = steps;
    const told = row.change === "put" ? await first.put("/a", "new") : await first.remove("/a");
    finished = first.members.every(({ stepsLeft }) => stepsLeft > 0);
    await using it = await first.again();
    const got = await it.get("/a");
    const says = typeof got === "string" ? got : String(got);
    const after = row.change === "put" ? "new" : "deleted";
    const allowed = told === "kept" ? [after] : [after, row.before ?? "absent"];
    expect(allowed).toContain(says);
    for (const member of it.members)
      it.hints.suggest({
        name: it.name("/a"),
        member: member.id,
        stamp: { time: 1, by: "" },
        suspect: true,
      });
    await it.mend();
    const settled = await it.get("/a");
    expect(allowed).toContain(typeof settled === "string" ? settled : String(settled));
    const { members, shelf } = it;
    const held = await Promise.all(
      members.map((member) => look(member, shelf.places(it.name("/a")), shelf)),
    );
    if (settled !== "absent") expect(new Set(held.map((one) => JSON.stringify(one))).size).toBe(1);
  }
});

test("files of an old 3fsd are read, replaced and deleted", async () => {
  await using it = await rig({ placement: "md5-paper", redundancy: 2, writeQuorum: 2 });
  const homes = it.shelf.homes(it.name("/old"));
  for (const { member } of homes) {
    await member.replace("/_3fs_0/old", new TextEncoder().encode("from before"), "/_3fs_0.new");
  }
  expect(String(await it.get("/old"))).toBe("from before");
  expect(await it.put("/old", "newer")).toBe("kept");
  expect(String(await it.get("/old"))).toBe("newer");
  expect(await it.remove("/old")).toBe("kept");
  expect(await it.get("/old")).toBe("deleted");
});

test("a name that no disk can have is not there, where data may be without records as well", async () => {
  await using it = await rig({ placement: "md5-paper" });
  await it.put("/a", "the stage has its directory");
  expect(await it.get(`/${"x".repeat(300)}`)).toBe("absent");
});
