import { expect, test } from "bun:test";
import { join } from "node:path";

import { readConfig, reread } from "../../src/app/config-text.ts";
import { temporary } from "../fake/temporary.ts";

test("a worker reads what the supervisor has read, whatever became of the files", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  const hash = await Bun.password.hash("x", { algorithm: "argon2id", memoryCost: 8, timeCost: 2 });
  await Bun.write(join(dir.path, "hash"), `${hash}\n`);
  await Bun.write(
    path,
    "admin: { users: [{ name: kim, password: 'file:./hash' }] }\nweb: { site: { root: ./www } }\n",
  );
  const read = readConfig({ kind: "file", path });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  const { source, root, sections } = read.config;
  const sent = JSON.parse(JSON.stringify(source)) as typeof source;

  await Bun.write(join(dir.path, "hash"), "changed");
  await Bun.write(path, "web: [");
  const again = reread(sent);
  expect(again.root.admin.users[0]?.password.reveal()).toBe(hash);
  expect(again.root.state).toBe(root.state);
  expect(Bun.deepEquals(again.sections, sections)).toBe(true);
});

test("relative paths of a config without a file are from its base", () => {
  const place = { kind: "text", name: "built in", text: "state: ./x", base: "/srv" } as const;
  const read = readConfig(place);
  expect(read.ok && read.config.root.state).toBe("/srv/x");
});

test.each([
  { story: "no file", path: "/nowhere/tern.yaml", why: "no such file" },
  { story: "a directory", path: "/tmp", why: "it is a directory" },
])("$story is said in words", ({ path, why }) => {
  expect(() => readConfig({ kind: "file", path })).toThrow(`${path}: ${why}`);
});

test("a section of a later version is refused by that name", () => {
  const read = readConfig({ kind: "text", name: "x", text: "stack: {}", base: "/" });
  expect(!read.ok && read.problems[0]?.message).toContain("not available in this version");
});
