import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { CannotWrite, saveFile } from "../../src/app/save-file.ts";
import { temporary } from "../fake/temporary.ts";

const isRoot = process.geteuid?.() === 0;

test("the file is another one with the same mode, and nothing is left beside it", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  writeFileSync(path, "old");
  for (const mode of [0o600, 0o640, 0o664]) {
    chmodSync(path, mode);
    const before = statSync(path).ino;
    await saveFile(path, `new ${mode}`);
    expect(readFileSync(path, "utf8")).toBe(`new ${mode}`);
    expect(statSync(path).mode & 0o7777).toBe(mode);
    expect(statSync(path).ino).not.toBe(before);
  }
  expect(readdirSync(dir.path)).toEqual(["tern.yaml"]);
});

test.skipIf(!isRoot)("its owner stays its owner", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  writeFileSync(path, "old");
  chownSync(path, 12, 34);
  await saveFile(path, "new");
  const { uid, gid } = statSync(path);
  expect([uid, gid]).toEqual([12, 34]);
});

test("a link stays a link, and the file behind it is written", async () => {
  await using dir = await temporary();
  const real = join(dir.path, "real", "x.yaml");
  mkdirSync(join(dir.path, "real"));
  writeFileSync(real, "old");
  const path = join(dir.path, "tern.yaml");
  symlinkSync("real/x.yaml", path);
  await saveFile(path, "new");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toBe("new");
});

test("whoever reads meanwhile has the old one or the new one, whole", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  const text = (n: number) => `${n}`.repeat(100_000);
  writeFileSync(path, text(0));
  linkSync(path, join(dir.path, "other")); // the old file itself is not touched
  let over = false;
  const reader = (async () => {
    while (!over) {
      const seen = readFileSync(path, "utf8");
      if (seen !== text(Number(seen[0]))) throw new Error("a piece of a file");
      await Bun.sleep(0);
    }
  })();
  for (let i = 1; i < 10; i++) await saveFile(path, text(i));
  over = true;
  await reader;
  expect(readFileSync(join(dir.path, "other"), "utf8")).toBe(text(0));
});

test("why not, in words", async () => {
  await using dir = await temporary();
  expect(saveFile(join(dir.path, "none"), "x")).rejects.toThrow("none: no such file");
  expect(saveFile(join(dir.path, "none"), "x")).rejects.toBeInstanceOf(CannotWrite);
  expect(saveFile("/proc/version", "x")).rejects.toThrow("cannot write /proc/version");
});
