import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Pace } from "../../../../src/services/store/repair/pace.ts";
import { type Rig, rig } from "../rig.ts";
import { DAY_MS, done, files, OUTAGE_MS, repairOf } from "./rig.ts";

const PATHS = Array.from({ length: 12 }, (_, i) => `/d${i % 3}/file ${i}`);

async function filled(it: Rig): Promise<void> {
  for (const path of PATHS) await it.put(path, `${path} `.repeat(50));
}

function roots(it: Rig): string[] {
  return it.members.map(({ where }) => where);
}

function expectEqual(it: Rig): void {
  const [first, ...others] = roots(it).map(files);
  for (const other of others) expect(other).toEqual(first ?? {});
}

function wipe(root: string): void {
  rmSync(root, { recursive: true });
  mkdirSync(root);
}

/** Some file below a member's root whose path is like this. */
function someFile(root: string, path: RegExp): string {
  const found = (readdirSync(root, { recursive: true }) as string[]).find((name) =>
    path.test(name),
  );
  return join(root, found ?? "");
}

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

test.each([
  {
    story: "a wiped root",
    harm: (roots: string[]) => wipe(roots[1] ?? ""),
    found: { lacking: 12, damaged: 0, mended: 12, owed: 0, lost: 0 },
  },
  {
    story: "a flipped bit in data",
    harm: (roots: string[]) => flip(someFile(roots[0] ?? "", /file 3/)),
    found: { lacking: 0, damaged: 1, mended: 1, owed: 0, lost: 0 },
  },
  {
    story: "a flipped bit in a record",
    harm: (roots: string[]) => flip(someFile(roots[2] ?? "", /records\/...\/[0-9a-f]{64}$/)),
    found: { lacking: 1, damaged: 0, mended: 1, owed: 0, lost: 0 },
  },
  {
    story: "data that are gone, with the record there",
    harm: (roots: string[]) => rmSync(someFile(roots[2] ?? "", /file 7/)),
    found: { lacking: 0, damaged: 1, mended: 1, owed: 0, lost: 0 },
  },
  {
    story: "data cut short on two of three",
    harm: (roots: string[]) => {
      writeFileSync(someFile(roots[0] ?? "", /file 7/), "short");
      writeFileSync(someFile(roots[1] ?? "", /file 7/), "");
    },
    found: { lacking: 0, damaged: 2, mended: 2, owed: 0, lost: 0 },
  },
])("fsck: $story", async ({ harm, found }) => {
  await using it = await rig();
  await filled(it);
  const before = files(it.members[0]?.where ?? "");
  harm(roots(it));
  const repair = repairOf(it);
  const dry = await done(repair, { kind: "fsck", dryRun: true });
  expect(dry.tally).toMatchObject({ names: 12, damaged: found.damaged, lacking: found.lacking });
  expect(dry.tally.mended).toBe(0);
  // Every byte once, however many are looked at together.
  expect(dry.tally.read).toBeLessThanOrEqual(3 * PATHS.join(" ").length * 50 + 3 * 12 * 50);
  const job = await done(repair, { kind: "fsck" });
  expect(job.state).toBe("done");
  expect(job.tally).toMatchObject(found);
  expectEqual(it);
  expect(files(it.members[0]?.where ?? "")).toEqual(before);
});

test("fsck: data of a deleted file that came to a member late are removed", async () => {
  await using it = await rig();
  await filled(it);
  const path = PATHS[3] ?? "";
  const late = join(it.members[1]?.where ?? "", "_3fs_0", path);
  const bytes = readFileSync(late);
  await it.remove(path);
  writeFileSync(late, bytes);
  const repair = repairOf(it);
  const found = { names: 12, damaged: 1, owed: 1, lost: 0 };
  expect((await done(repair, { kind: "fsck", dryRun: true })).tally).toMatchObject(found);
  const mended = { damaged: 1, mended: 1, owed: 0, lost: 0 };
  expect((await done(repair, { kind: "fsck" })).tally).toMatchObject(mended);
  expectEqual(it);
  expect(await it.get(path)).toBe("deleted");
});

test("hints are lost, and all copies are equal all the same", async () => {
  const first = await rig();
  await filled(first);
  const [, away] = first.members;
  if (away) away.fault = "away";
  for (const path of PATHS.slice(0, 4)) expect(await first.put(path, "new")).toBe("kept");
  for (const path of PATHS.slice(4, 6)) expect(await first.remove(path)).toBe("kept");
  rmSync(join(first.dir, "hints"), { recursive: true });
  mkdirSync(join(first.dir, "hints"));
  await using it = await first.again();
  expect(it.hints.size).toBe(0);
  const job = await done(repairOf(it), { kind: "rebalance" });
  expect(job.tally).toMatchObject({ lacking: 6, mended: 6, owed: 0 });
  expectEqual(it);
  expect(String(await it.get(PATHS[0] ?? ""))).toBe("new");
  expect(await it.get(PATHS[4] ?? "")).toBe("deleted");
});

test("no copy is whole: it is told, and what is there stays", async () => {
  await using it = await rig();
  await filled(it);
  for (const root of roots(it)) flip(someFile(root, /file 5/));
  const before = roots(it).map(files);
  const job = await done(repairOf(it), { kind: "fsck" });
  expect(job.tally).toMatchObject({ damaged: 3, mended: 0, owed: 3, lost: 1 });
  expect(roots(it).map(files)).toEqual(before);
});

test("a member that is away is owed its copies, until it is back", async () => {
  await using it = await rig();
  await filled(it);
  const [, away] = it.members;
  if (away) away.fault = "away";
  const repair = repairOf(it);
  expect((await done(repair, { kind: "rebalance" })).tally).toMatchObject({ owed: 12, lost: 0 });
  expect(repair.figures.owed).toBe(12);
  if (away) away.fault = undefined;
  await it.shelf.seats[1]?.do((member) => member.probe());
  expect((await done(repair, { kind: "rebalance" })).tally).toMatchObject({ owed: 0 });
  expect(repair.figures.owed).toBe(0);
});

test("deletions are remembered for as long as somebody may be away, and then forgotten", async () => {
  await using it = await rig();
  await filled(it);
  for (const path of PATHS) await it.remove(path);
  const repair = repairOf(it);
  it.time.wall = OUTAGE_MS - DAY_MS;
  expect((await done(repair, { kind: "rebalance" })).tally.forgotten).toBe(0);
  it.time.wall = OUTAGE_MS + DAY_MS;
  const [, away] = it.members;
  if (away) away.fault = "away";
  // Who knows what it will bring back.
  expect((await done(repair, { kind: "rebalance" })).tally.forgotten).toBe(0);
  if (away) away.fault = undefined;
  await it.shelf.seats[1]?.do((member) => member.probe());
  expect((await done(repair, { kind: "rebalance" })).tally.forgotten).toBe(12);
  for (const root of roots(it)) expect(files(root)).toEqual({});
  expect(await it.get(PATHS[0] ?? "")).toBe("absent");
});

test("a clock that leaps ahead forgets nothing that an older copy could bring back", async () => {
  await using it = await rig();
  const [, , old] = it.members;
  await it.put("/a", "old");
  if (old) old.fault = "away";
  await it.remove("/a");
  await it.mend();
  if (old) old.fault = undefined;
  it.time.wall = 10 * 365 * DAY_MS;
  await it.shelf.seats[2]?.do((member) => member.probe());
  const job = await done(repairOf(it), { kind: "rebalance" });
  // First everybody hears of it, and only then nobody has to remember.
  expect(job.tally).toMatchObject({ mended: 1, forgotten: 1 });
  expect(await it.get("/a")).toBe("absent");
  for (const root of roots(it)) expect(files(root)).toEqual({});
  expectEqual(it);
});

test("a replaced member gets its own share, and nothing else moves", async () => {
  await using it = await rig({ members: 5, redundancy: 2, writeQuorum: 2 });
  await filled(it);
  const [, , replaced] = it.members;
  const before = roots(it).map(files);
  const share = Object.keys(before[2] ?? {}).filter((name) => name.includes("file")).length;
  wipe(replaced?.where ?? "");
  for (const { diary } of it.members) diary.length = 0;
  const job = await done(repairOf(it), { kind: "replace", member: "m2" });
  expect(job.tally).toMatchObject({ mended: share, owed: 0 });
  expect(roots(it).map(files)).toEqual(before);
  for (const { id, diary } of it.members)
    if (id !== "m2")
      expect(diary.filter((line) => /^(put|replace|place|remove)/.test(line))).toEqual([]);
});

test("a drained member gives its share to others, is emptied, and comes back", async () => {
  await using it = await rig({ members: 4, redundancy: 2, writeQuorum: 2 });
  await filled(it);
  const before = roots(it).map(files);
  const repair = repairOf(it);
  const dry = await done(repair, { kind: "drain", member: "m1", dryRun: true });
  const share = Object.keys(before[1] ?? {}).filter((name) => name.includes("file")).length;
  expect(dry.tally).toMatchObject({ owed: share, strays: share, mended: 0 });
  expect(roots(it).map(files)).toEqual(before);

  const job = await done(repair, { kind: "drain", member: "m1" });
  expect(job).toMatchObject({ state: "done", tally: { mended: share, owed: 0, cleared: share } });
  expect(files(it.members[1]?.where ?? "")).toEqual({});
  for (const path of PATHS) expect(String(await it.get(path))).toBe(`${path} `.repeat(50));
  await it.put("/while it is out", "x");
  expect(files(it.members[1]?.where ?? "")).toEqual({});

  const back = await done(repair, { kind: "undrain", member: "m1" });
  expect(back.state).toBe("done");
  await it.remove("/while it is out");
  for (const path of PATHS) expect(String(await it.get(path))).toBe(`${path} `.repeat(50));
  const after = roots(it).map(files);
  for (const [i, one] of after.entries())
    expect(
      Object.keys(one)
        .filter((name) => name.includes("file"))
        .toSorted(),
    ).toEqual(
      Object.keys(before[i] ?? {})
        .filter((name) => name.includes("file"))
        .toSorted(),
    );
});

test("nothing is removed from a member that is drained while others are away", async () => {
  await using it = await rig({ members: 4, redundancy: 2, writeQuorum: 1 });
  await filled(it);
  const before = files(it.members[1]?.where ?? "");
  for (const i of [0, 2, 3]) {
    const member = it.members[i];
    if (member) member.fault = "full";
  }
  const repair = repairOf(it);
  const job = await done(repair, { kind: "drain", member: "m1" });
  expect(job.state).toBe("failed");
  expect(job.tally.owed).toBeGreaterThan(0);
  expect(files(it.members[1]?.where ?? "")).toEqual(before);
  for (const path of PATHS) expect(String(await it.get(path))).toBe(`${path} `.repeat(50));
  for (const member of it.members) member.fault = undefined;
  expect((await done(repair, { kind: "drain", member: "m1" })).state).toBe("done");
  expect(files(it.members[1]?.where ?? "")).toEqual({});
  for (const path of PATHS) expect(String(await it.get(path))).toBe(`${path} `.repeat(50));
});

test("what too few would be left for is refused in words", async () => {
  await using it = await rig();
  const repair = repairOf(it);
  expect(repair.begin({ kind: "drain", member: "m1", dryRun: false })).rejects.toThrow(
    "stage 0 has 3 copies of each file, and would have 2 members",
  );
  expect(repair.begin({ kind: "drain", member: "m9", dryRun: false })).rejects.toThrow(
    'there is no member "m9"',
  );
});

test("of two that are begun at once one is", async () => {
  await using it = await rig();
  await filled(it);
  const repair = repairOf(it);
  const wish = { kind: "replace", member: "m1", dryRun: false } as const;
  const begun = await Promise.allSettled([repair.begin(wish), repair.begin(wish)]);
  expect(begun.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const refused = begun.find((one) => one.status === "rejected");
  expect(String(refused?.reason)).toContain("a replace is running; it can be stopped");
  await repair.stopJob();
  await repair.stop();
});

test("no faster than it is told", async () => {
  let now = 0;
  const pace = new Pace(
    1000,
    () => now,
    async (ms) => void (now += ms),
  );
  for (let i = 0; i < 100; i++) await pace.take(100);
  // The first tenth of a second is for nothing: nobody had taken anything before.
  expect(now).toBeCloseTo(9900);
  expect(pace.taken).toBe(10_000);
});

test("a job that was cut off goes on where it was", async () => {
  await using it = await rig();
  for (let i = 0; i < 100; i++) await it.put(`/f${i}`, "x");
  wipe(it.members[1]?.where ?? "");
  const first = repairOf(it);
  first.start();
  await first.begin({ kind: "replace", member: "m1", dryRun: false });
  while ((first.job?.at ?? 0) < 500) await Bun.sleep(2);
  await first.stop();
  expect(first.job?.state).toBe("running");
  const second = repairOf(it);
  second.start();
  expect(second.job?.at).toBeGreaterThanOrEqual(500);
  while (second.job?.state === "running") await Bun.sleep(5);
  await second.stop();
  expect(second.job).toMatchObject({ state: "done", at: 4096, tally: { owed: 0 } });
  // What was in hand then is looked at again.
  expect(second.job?.tally.mended).toBeGreaterThan(90);
  expectEqual(it);
});
