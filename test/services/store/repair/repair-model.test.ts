import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Fault } from "../faulty-member.ts";
import { type Rig, rig } from "../rig.ts";
import { DAY_MS, done, files, repairOf, StandingsInMemory } from "./rig.ts";

setDefaultTimeout(60_000);

/** Rounds of harm and repair, and what is done in each. */
const ROUNDS = Number(process.env["STORE_ROUNDS"] ?? 6);
const STEPS = 25;
const SEEDS = process.env["STORE_SEED"] ? [Number(process.env["STORE_SEED"])] : [1, 2, 3];
const PATHS = ["/a", "/b", "/c/d", "/c/e", "/f g", "/h"];
const FAULTS: readonly Fault[] = ["away", "full", "read-only", { cutAfter: 70_000 }];

/** Numbers from 0 to below `n`, the same ones for a seed. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % n;
  };
}

function show(got: Uint8Array | string): string {
  if (got === "deleted") return "absent"; // long ago enough it is the same
  return typeof got === "string" ? got : Bun.hash(got).toString(36);
}

/** Somebody's disk, of one member in a round: more than that no number of copies is for. */
function harm(root: string, roll: (n: number) => number): string {
  const all = (readdirSync(root, { recursive: true }) as string[]).filter((name) =>
    statSync(join(root, name)).isFile(),
  );
  if (roll(3) === 0 || all.length === 0) {
    rmSync(root, { recursive: true });
    mkdirSync(root);
    return "wiped";
  }
  for (const name of all) {
    if (roll(2) === 0) continue;
    const path = join(root, name);
    const bytes = readFileSync(path);
    const at = roll(Math.max(1, bytes.length));
    if (roll(4) === 0) rmSync(path);
    else if (roll(3) === 0) writeFileSync(path, bytes.subarray(0, at));
    else writeFileSync(path, new Uint8Array(bytes).with(at, (bytes[at] ?? 0) ^ 4));
  }
  return "rotten";
}

test.each(
  SEEDS.flatMap((seed) => [
    { seed, redundancy: 3, members: 3 },
    { seed, redundancy: 2, members: 4 },
  ]),
)(
  "disks rot, hints are lost, clocks jump, members leave and come back: $redundancy copies, seed $seed",
  async ({ seed, redundancy, members }) => {
    const roll = dice(seed);
    const standings = new StandingsInMemory();
    const it: Rig = await rig({ members, redundancy, writeQuorum: 2 });
    await using _ = it;
    const allowed = new Map(PATHS.map((path) => [path, new Set(["absent"])]));
    const diary: string[] = [];
    const repair = repairOf(it, standings);
    let out: string | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < STEPS; i++) {
        const path = PATHS[roll(PATHS.length)] ?? "";
        const what = roll(10);
        if (what < 5) {
          const body = new Uint8Array(roll(3) * 60_000 + 8).fill(roll(256));
          const told = await it.put(path, body);
          diary.push(`${round} put ${path} ${show(body)}: ${told}`);
          if (told === "kept") allowed.set(path, new Set([show(body)]));
          else allowed.get(path)?.add(show(body));
        } else if (what < 7) {
          const told = await it.remove(path);
          diary.push(`${round} remove ${path}: ${told}`);
          if (told === "kept") allowed.set(path, new Set(["absent"]));
          else allowed.get(path)?.add("absent");
        } else if (what < 9) {
          for (const member of it.members) member.fault = undefined;
          const member = it.members[roll(members)];
          if (member) member.fault = FAULTS[roll(FAULTS.length)];
        } else {
          it.time.wall = (roll(3) - 1) * DAY_MS * roll(20);
          it.time.waits += 10_000;
        }
      }
      // Whose copies are not owed anything may rot; of others nobody promised that.
      for (const member of it.members) member.fault = undefined;
      it.time.waits += 60_000;
      for (const seat of it.shelf.seats) await seat.do((member) => member.probe());
      if (roll(2) === 0) {
        // The journal of hints is gone: only looking at everything tells what is owed.
        const due = it.hints.due();
        for (const hint of due) await it.hints.done(hint);
        diary.push(`${round} ${due.length} hints are lost`);
        await done(repair, { kind: "rebalance" });
      } else await it.mend();
      const victim = it.members[roll(members)];
      if (victim) diary.push(`${round} ${victim.id} is ${harm(victim.where, roll)}`);
      if (members > redundancy && roll(2) === 0) {
        const kind = out === undefined ? "drain" : "undrain";
        const member = out ?? `m${roll(members)}`;
        await done(repair, { kind: "fsck" });
        const job = await done(repair, { kind, member });
        diary.push(`${round} ${kind} ${member}: ${job.state}`);
        out = kind === "drain" ? member : undefined;
      }
      it.time.wall += roll(2) * 100 * DAY_MS;
      const job = await done(repair, { kind: "fsck" });
      if (job.tally.owed + job.tally.lost > 0)
        throw new Error(`${JSON.stringify(job.tally)}\n${diary.join("\n")}`);
      await done(repair, { kind: "rebalance" });
      for (const path of PATHS) {
        const got = show(await it.get(path));
        if (!allowed.get(path)?.has(got))
          throw new Error(
            `${path}: ${got}, not ${[...(allowed.get(path) ?? [])]}\n${diary.join("\n")}`,
          );
        allowed.set(path, new Set([got]));
        const name = it.name(path);
        const copies = it.shelf.homes(name).map(({ member }) => {
          const { data, record } = it.shelf.places(name);
          const all = files(member.where);
          return [all[data.slice(1)], all[record.slice(1)]];
        });
        for (const copy of copies) expect(copy).toEqual(copies[0] ?? []);
      }
      const kept = it.members.flatMap(({ where }) => Object.keys(files(where)));
      const there = [...allowed.values()].filter((set) => !set.has("absent")).length;
      const data = kept.filter((name) => name.startsWith("_3fs_0/"));
      expect(data.length).toBe(there * redundancy);
    }
  },
);
