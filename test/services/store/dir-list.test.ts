import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DirMember } from "../../../src/services/store/members/dir-member.ts";
import { temporary } from "../../fake/temporary.ts";

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

test("what is in a directory, with its facts and without", async () => {
  await using dir = await temporary();
  const member = new DirMember("a", dir.path, false);
  mkdirSync(join(dir.path, "d", "folder"), { recursive: true });
  writeFileSync(join(dir.path, "d", "file"), "12345");
  symlinkSync("file", join(dir.path, "d", "link")); // nobody's file
  const facts = (await member.list("/d")).toSorted(byName);
  expect(facts).toMatchObject([
    { name: "file", directory: false, size: 5, mtime: expect.any(Number) },
    { name: "folder", directory: true },
  ]);
  expect((await member.names("/d")).toSorted(byName)).toEqual([
    { name: "file", directory: false },
    { name: "folder", directory: true },
  ]);
  expect([await member.list("/none"), await member.names("/none")]).toEqual([[], []]);
});
