import { expect, test } from "bun:test";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DirMember } from "../../../src/services/store/members/dir-member.ts";
import { DirectorySyncs } from "../../../src/services/store/members/directory-syncs.ts";
import { Nearby } from "../../../src/services/store/members/nearby.ts";
import { RecordMemory } from "../../../src/services/store/record-memory.ts";
import { emitRecord } from "../../../src/services/store/record.ts";
import { temporary } from "../../fake/temporary.ts";

function recordOf(time: number): Uint8Array {
  const stamp = { time, by: "a" };
  return emitRecord({ key: "/a", versions: [{ kind: "deleted", stamp }] });
}

test.each([
  { story: "seen just now", waits: 0 },
  { story: "remembered", waits: 10_000 },
])("a record, $story, that somebody replaces is read anew", async ({ waits }) => {
  await using dir = await temporary();
  const check = (at: string): string => join(dir.path, at);
  const near = new Nearby(
    () => {},
    check,
    () => 0,
  ); // a disk that never takes its time
  let now = 0;
  const memory = new RecordMemory(() => now);
  for (let time = 1; time < 5; time++) {
    const fresh = join(dir.path, "fresh");
    writeFileSync(fresh, recordOf(time));
    renameSync(fresh, join(dir.path, "r"));
    for (let reads = 0; reads < 3; reads++) {
      now += waits;
      expect(memory.read(near, "/r")).toEqual({
        key: "/a",
        versions: [{ kind: "deleted", stamp: { time, by: "a" } }],
      });
    }
  }
});

test("a record that is not there is said to be absent", async () => {
  await using dir = await temporary();
  const memory = new RecordMemory(() => 0);
  expect(memory.read(new DirMember("m", dir.path, false).near, "/r")).toBe("absent");
  const gone = new DirMember("m", join(dir.path, "nowhere"), false);
  expect(memory.read(gone.near, "/r")).toBeUndefined();
});

test("what is there, what is not, and what cannot be said", async () => {
  await using dir = await temporary();
  const root = join(dir.path, "root");
  mkdirSync(join(root, "d"), { recursive: true });
  mkdirSync(join(dir.path, "outside"));
  writeFileSync(join(dir.path, "outside", "a"), "no");
  symlinkSync(join(dir.path, "outside"), join(root, "link"));
  writeFileSync(join(root, "d", "a"), "one");
  const { near } = new DirMember("m", root, false);
  const seen = near.read("/d/a", 3);
  expect(typeof seen === "object" && String(Buffer.from(seen.bytes))).toBe("one");
  expect(near.read("/d/a", 2)).toBeUndefined();
  expect(near.read("/d/b", 9)).toBe("absent");
  expect(near.read("/e/b", 9)).toBe("absent");
  expect(near.read("/d", 9)).toBeUndefined();
  expect(near.read("/link/a", 9)).toBeUndefined();
  const gone = new DirMember("m", join(dir.path, "nowhere"), false);
  expect(gone.near.read("/d/a", 9)).toBeUndefined();
});

test("a disk that takes its time is left to other threads for a while", async () => {
  let now = 0;
  const near = new Nearby(
    () => {},
    String,
    () => now,
  );
  const where = (): Promise<string> =>
    near.either(
      () => {
        now += 20;
        return "here";
      },
      async () => "elsewhere",
    );
  expect(await where()).toBe("here");
  expect(await where()).toBe("elsewhere");
  now += 1000;
  expect(await where()).toBe("here");
});

test("who comes while names are brought to disk shares the next time", async () => {
  await using dir = await temporary();
  const syncs = new DirectorySyncs();
  const first = syncs.sync(dir.path);
  const second = syncs.sync(dir.path);
  expect(second).not.toBe(first);
  expect(syncs.sync(dir.path)).toBe(second);
  await Promise.all([first, second]);
  const fourth = syncs.sync(dir.path);
  expect(fourth).not.toBe(second);
  await fourth;
  await expect(syncs.sync(join(dir.path, "nowhere"))).rejects.toThrow("ENOENT");
});
