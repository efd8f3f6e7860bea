import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BLOCK } from "../../../src/services/store/record.ts";
import type { Fault } from "./faulty-member.ts";
import { type Rig, rig } from "./rig.ts";

setDefaultTimeout(60_000);

/** So many of everything that can happen, for each seed. */
const OPERATIONS = Number(process.env["STORE_OPERATIONS"] ?? 300);
const SEEDS = process.env["STORE_SEED"] ? [Number(process.env["STORE_SEED"])] : [1, 2, 3];
const PATHS = ["/a", "/b", "/c/d", "/c/e", "/f g"];
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
  return typeof got === "string" ? got : Bun.hash(got).toString(36);
}

test.each(SEEDS.map((seed) => ({ seed })))(
  "what was acknowledged is there, whatever happens: seed $seed",
  async ({ seed }) => {
    const roll = dice(seed);
    let it: Rig = await rig();
    /** What a read may find: what was acknowledged last, and what came to nothing afterwards. */
    const allowed = new Map(PATHS.map((path) => [path, new Set(["absent"])]));
    const diary: string[] = [];
    const all = <T>(list: readonly T[]): T => list[roll(list.length)] ?? (list[0] as T);
    const heal = async (): Promise<void> => {
      for (const member of it.members) {
        member.fault = undefined;
        member.stepsLeft = Infinity;
      }
      await it.mend();
    };
    const check = (path: string, got: string, sure: boolean): void => {
      if (!sure && (got === "unsure" || got.startsWith("cut"))) return;
      if (!allowed.get(path)?.has(got))
        throw new Error(
          `${path}: ${got}, not ${[...(allowed.get(path) ?? [])]}\n${diary.join("\n")}`,
        );
    };
    try {
      for (let i = 0; i < OPERATIONS; i++) {
        const path = all(PATHS);
        const what = roll(20);
        if (what < 8) {
          const body = new Uint8Array(all([0, 10, 100_000, BLOCK + 7])).fill(roll(256));
          body.set(new TextEncoder().encode(String(i)).subarray(0, body.length));
          const told = await it.put(path, body);
          diary.push(`${i} put ${path} ${show(body)}: ${told}`);
          if (told === "kept") allowed.set(path, new Set([show(body)]));
          else allowed.get(path)?.add(show(body));
        } else if (what < 10) {
          const told = await it.remove(path);
          diary.push(`${i} remove ${path}: ${told}`);
          if (told === "kept") allowed.set(path, new Set(["deleted"]));
          else allowed.get(path)?.add("deleted");
        } else if (what < 14) {
          const got = show(await it.get(path));
          diary.push(`${i} get ${path}: ${got}`);
          check(path, got, false);
        } else if (what < 16) {
          const member = all(it.members);
          member.fault = all(FAULTS);
          diary.push(`${i} ${member.id} is ${JSON.stringify(member.fault)}`);
        } else if (what < 17) {
          const member = all(it.members);
          member.stepsLeft = roll(12);
          diary.push(`${i} ${member.id} dies in ${member.stepsLeft}`);
        } else if (what < 18) {
          it = await it.again();
          diary.push(`${i} another router`);
        } else if (what < 19) {
          it.time.wall = (roll(3) - 1) * 3_600_000;
          diary.push(`${i} clock ${it.time.wall}`);
          await heal();
        } else {
          // Damage to one member when all others are whole, as a scrubber leaves them.
          await heal();
          suspectAll(it);
          await it.mend();
          const member = all(it.members);
          diary.push(`${i} ${damage(member.where, roll)} ${member.id}`);
        }
      }
      await heal();
      for (const path of PATHS) {
        check(path, show(await it.get(path)), true);
      }
      suspectAll(it);
      await it.mend();
      for (const path of PATHS) check(path, show(await it.get(path)), true);
      const [first, ...others] = it.members.map(({ where }) => tree(where));
      for (const other of others) expect(other).toEqual(first ?? {});
    } finally {
      await it[Symbol.asyncDispose]();
    }
  },
);

function suspectAll(it: Rig): void {
  const stamp = { time: 1, by: "" };
  for (const path of PATHS)
    for (const { id } of it.members)
      it.hints.suggest({ name: it.name(path), member: id, stamp, suspect: true });
}

function damage(root: string, roll: (n: number) => number): string {
  if (roll(3) === 0) {
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
    return "wiped:";
  }
  for (const path of PATHS) {
    const file = join(root, "_3fs_0", path);
    if (!existsSync(file) || roll(2) === 0) continue;
    const bytes = readFileSync(file);
    if (bytes.length === 0) continue;
    const at = roll(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8));
    writeFileSync(file, bytes);
  }
  return "bits flipped:";
}

function tree(root: string): Record<string, string> {
  return Object.fromEntries(
    PATHS.map((path) => {
      const file = join(root, "_3fs_0", path);
      return [path, existsSync(file) ? show(readFileSync(file)) : "none"];
    }),
  );
}
