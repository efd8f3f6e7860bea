import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Stat } from "../../src/sys/stat.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-stat-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "file");
const link = join(dir, "link");
writeFileSync(file, "12345");
symlinkSync("file", link);

describe("agrees with node:fs", () => {
  test.each([
    { story: "a file", path: file },
    { story: "a directory", path: dir },
    { story: "through a link", path: link },
    { story: "a device", path: "/dev/null" },
    { story: "a socket's kin in /proc", path: "/proc/self/fd" },
  ])("$story", ({ path }) => {
    const stat = new Stat();
    const theirs = statSync(path, { bigint: true });
    expect(stat.path(path)).toBe("ok");
    expect([stat.size, stat.mode]).toEqual([Number(theirs.size), Number(theirs.mode)]);
    expect(BigInt(stat.mtimeSeconds) * 1_000_000_000n + BigInt(stat.mtimeNanos)).toBe(
      theirs.mtimeNs,
    );
    expect([stat.isFile, stat.isDirectory]).toEqual([theirs.isFile(), theirs.isDirectory()]);
    expect(stat.identity.split(":")[2]).toBe(String(theirs.ino));
  });

  test("of the link itself, and of an open file", () => {
    const stat = new Stat();
    expect([stat.link(link), stat.isLink, stat.size]).toEqual(["ok", true, lstatSync(link).size]);
    const fd = openSync(file, "r");
    expect([stat.fd(fd), stat.isFile, stat.size]).toEqual(["ok", true, 5]);
    closeSync(fd);
    expect(stat.fd(fd)).toBe("EBADF");
  });

  test("beyond 4 GiB and before 1970", () => {
    const big = join(dir, "big");
    writeFileSync(big, "");
    truncateSync(big, 5 * 2 ** 32 + 7);
    const before1970 = new Date(-100_500);
    utimesSync(big, before1970, before1970);
    const stat = new Stat();
    stat.path(big);
    expect([stat.size, stat.mtimeMs]).toEqual([5 * 2 ** 32 + 7, -100_500]);
  });
});

test.each([
  { path: "/no/such", says: "ENOENT" },
  { path: join(file, "x"), says: "ENOTDIR" },
  { path: "x".repeat(5000), says: "ENAMETOOLONG" },
])("$says", ({ path, says }) => {
  expect(String(new Stat().path(path))).toBe(says);
});

test("a NUL hides nothing behind it", () => {
  expect(new Stat().path(`${file}\0hidden`)).toBe("ENOENT");
});

test("a change of content changes the identity, even when size and time are put back", () => {
  const stat = new Stat();
  stat.path(file);
  const before = stat.identity;
  const { atime, mtime } = statSync(file);
  Bun.sleepSync(10); // one tick of the kernel's clock
  writeFileSync(file, "54321");
  utimesSync(file, atime, mtime);
  stat.path(file);
  expect([stat.size, stat.identity === before]).toEqual([5, false]);
});
