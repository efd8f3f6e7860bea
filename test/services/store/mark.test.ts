import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { DirMember } from "../../../src/services/store/members/dir-member.ts";
import { Mark } from "../../../src/services/store/members/mark.ts";
import { type Member, MemberError } from "../../../src/services/store/members/member.ts";
import { temporary } from "../../fake/temporary.ts";

/** A disk at `root`, as a process sees it that knows it by the note `note`. */
function disk(dir: string, root = join(dir, "mnt"), note = join(dir, "state", "marks", "a")) {
  mkdirSync(root, { recursive: true });
  const mark = new Mark(root, note);
  return { root, mark, member: new DirMember("a", root, false, mark) };
}

/** Everything that is asked of members, and what became of it: undefined is "nothing is there". */
async function troubles(member: Member): Promise<string[]> {
  const asked = {
    facts: () => member.facts("/d/x"),
    read: () => member.read("/d/x", 0, 1),
    list: () => member.list("/d"),
    names: () => member.names?.("/d"),
    remove: () => member.remove("/d/x"),
    put: () => member.replace("/d/new", new Uint8Array(1), "/tmp"),
    probe: () => member.probe(),
  };
  const told: string[] = [];
  for (const [what, run] of Object.entries(asked))
    try {
      await run();
    } catch (error) {
      told.push(error instanceof MemberError ? `${what} ${error.trouble}` : `${what} ${error}`);
    }
  return told;
}

const ALL_AWAY = ["facts", "read", "list", "names", "remove", "put", "probe"].map(
  (what) => `${what} away`,
);

test.each([
  { story: "by a process that has used it", again: false },
  { story: "by a process that was started without it", again: true },
])("an empty mount point is nobody's disk: seen $story", async ({ again }) => {
  await using dir = await temporary();
  const first = disk(dir.path);
  await first.mark.take();
  await first.member.replace("/d/old", new Uint8Array(1), "/tmp");
  expect(await troubles(first.member)).toEqual([]);

  renameSync(first.root, join(dir.path, "unmounted"));
  mkdirSync(first.root);
  const { member } = again ? disk(dir.path) : first;
  expect(await troubles(member)).toEqual(ALL_AWAY);
  expect(member.near?.read("/d/old", 9)).toBeUndefined();
  expect(readdirSync(first.root)).toEqual([]);

  rmSync(first.root, { recursive: true });
  renameSync(join(dir.path, "unmounted"), first.root);
  expect(await troubles(member)).toEqual([]);
  expect(await member.facts("/d/old")).toMatchObject({ size: 1 });
});

test("nor is the disk of another", async () => {
  await using dir = await temporary();
  const { root, mark, member } = disk(dir.path);
  await mark.take();
  const other = disk(dir.path, join(dir.path, "other"), join(dir.path, "state", "marks", "b"));
  await other.mark.take();
  renameSync(root, join(dir.path, "unmounted"));
  renameSync(other.root, root);
  expect(await troubles(member)).toEqual(ALL_AWAY);
});

test.each([
  { story: "a wiped one", with: "nothing" },
  { story: "another one", with: "other" },
])("the operator may say that it is the right one: $story", async ({ with: what }) => {
  await using dir = await temporary();
  const { root, mark, member } = disk(dir.path);
  await mark.take();
  const worker = disk(dir.path).member;
  const other = disk(dir.path, join(dir.path, "other"), join(dir.path, "state", "marks", "b"));
  await other.mark.take();
  rmSync(root, { recursive: true });
  if (what === "nothing") mkdirSync(root);
  else renameSync(other.root, root);
  expect(await troubles(member)).toEqual(ALL_AWAY);
  expect(await troubles(worker)).toEqual(ALL_AWAY);
  await member.renew();
  expect(await troubles(member)).toEqual([]);
  expect(await troubles(worker)).toEqual([]);
  expect(await troubles(disk(dir.path).member)).toEqual([]);
});

test("processes that begin together agree", async () => {
  await using dir = await temporary();
  const all = Array.from({ length: 8 }, () => disk(dir.path));
  await Promise.all(all.map(({ mark }) => mark.take()));
  const mark = readFileSync(join(dir.path, "mnt", "_tern.member"), "utf8");
  expect(readFileSync(join(dir.path, "state", "marks", "a"), "utf8")).toBe(mark);
  for (const { member } of all) expect(await troubles(member)).toEqual([]);
});

test("what is not marked yet is any directory, and is marked when it comes", async () => {
  await using dir = await temporary();
  const { root, mark, member } = disk(dir.path);
  rmSync(root, { recursive: true });
  expect(mark.take()).rejects.toThrow("ENOENT");
  expect(await troubles(member)).toEqual(ALL_AWAY);
  mkdirSync(root);
  expect(await troubles(member)).toEqual([]);
  expect(existsSync(join(root, "_tern.member"))).toBe(true);
});
