import { afterAll, describe, expect, test } from "bun:test";
import {
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { O, open, openBeneath, openStepwise, pread } from "../../src/sys/file.ts";
import { block } from "../../src/sys/memory.ts";
import { close } from "../../src/sys/socket.ts";

const base = mkdtempSync(join(tmpdir(), "tern-file-"));
const root = join(base, "root");
mkdirSync(join(root, "in/deep"), { recursive: true });
writeFileSync(join(base, "secret"), "secret");
writeFileSync(join(root, "in/page"), "page");
symlinkSync("in/page", join(root, "inward"));
symlinkSync("../secret", join(root, "outward"));
symlinkSync("/etc/passwd", join(root, "absolute"));
symlinkSync("..", join(root, "in/up"));
symlinkSync("loop", join(root, "loop"));
symlinkSync("/proc/self/fd/0", join(root, "magic"));
const at = open(root, O.PATH | O.DIRECTORY) as number;
afterAll(() => {
  close(at);
  rmSync(base, { recursive: true });
});

/** What opening answers: the inode's content, or why not. */
function outcome(opened: number | string): string {
  if (typeof opened === "string") return opened;
  const into = block(16);
  const what = fstatSync(opened).isDirectory() ? "directory" : undefined;
  const text =
    what ?? new TextDecoder().decode(into.bytes.subarray(0, pread(opened, into.at, 16, 0)));
  close(opened);
  return text;
}

describe("beneath a directory", () => {
  test.each([
    { path: "in/page", follow: "page", refuse: "page", stepwise: "page" },
    { path: "./in//page", follow: "page", refuse: "page", stepwise: "page" },
    { path: "in", follow: "directory", refuse: "directory", stepwise: "directory" },
    { path: ".", follow: "directory", refuse: "directory", stepwise: "directory" },
    { path: "in/page/", follow: "ENOTDIR", refuse: "ENOTDIR", stepwise: "ENOTDIR" },
    { path: "in/page/x", follow: "ENOTDIR", refuse: "ENOTDIR", stepwise: "ENOTDIR" },
    { path: "missing", follow: "ENOENT", refuse: "ENOENT", stepwise: "ENOENT" },
    { path: "inward", follow: "page", refuse: "ELOOP", stepwise: "ELOOP" },
    { path: "in/up/in/page", follow: "page", refuse: "ELOOP", stepwise: "ENOTDIR" },
    { path: "../secret", follow: "EXDEV", refuse: "EXDEV", stepwise: "EXDEV" },
    { path: "in/../../secret", follow: "EXDEV", refuse: "EXDEV", stepwise: "EXDEV" },
    { path: "in/up/../secret", follow: "EXDEV", refuse: "ELOOP", stepwise: "EXDEV" },
    { path: "/etc/passwd", follow: "EXDEV", refuse: "EXDEV", stepwise: "EXDEV" },
    { path: "outward", follow: "EXDEV", refuse: "ELOOP", stepwise: "ELOOP" },
    { path: "absolute", follow: "EXDEV", refuse: "ELOOP", stepwise: "ELOOP" },
    { path: "loop", follow: "ELOOP", refuse: "ELOOP", stepwise: "ELOOP" },
    { path: "magic", follow: "EXDEV", refuse: "ELOOP", stepwise: "ELOOP" },
  ])("$path", ({ path, follow, refuse, stepwise }) => {
    expect(outcome(openBeneath(at, path, O.RDONLY, "follow"))).toBe(follow);
    expect(outcome(openBeneath(at, path, O.RDONLY, "refuse"))).toBe(refuse);
    // Without openat2, ".." is refused even where it would stay inside.
    expect(outcome(openStepwise(at, path, O.RDONLY))).toBe(stepwise);
  });

  test("a NUL hides nothing behind it", () => {
    expect(openBeneath(at, "in/page\0x", O.RDONLY, "follow")).toBe("ENOENT");
    expect(openStepwise(at, "in/page\0x", O.RDONLY)).toBe("ENOENT");
  });

  test("whatever the path, what is outside stays outside", () => {
    const step = fc.constantFrom(
      "in",
      "up",
      "..",
      ".",
      "",
      "page",
      "outward",
      "absolute",
      "inward",
    );
    const paths = fc.array(step, { maxLength: 6 }).map((steps) => steps.join("/"));
    fc.assert(
      fc.property(paths, (path) => {
        for (const way of [
          openBeneath(at, path, O.RDONLY, "follow"),
          openBeneath(at, path, O.RDONLY, "refuse"),
          openStepwise(at, path, O.RDONLY),
        ])
          expect(["page", "directory"]).toContain(outcome(way).replace(/^E[A-Z]+$/, "page"));
      }),
      { numRuns: 500 },
    );
  });
});

test("open says why not", () => {
  expect(open("/no/such", O.RDONLY)).toBe("ENOENT");
  expect(open("/etc\0/passwd", O.RDONLY)).toBe("ENOENT");
  expect(open(join(root, "inward"), O.RDONLY | O.NOFOLLOW)).toBe("ELOOP");
  expect(open(join(root, "in/page"), O.RDONLY | O.DIRECTORY)).toBe("ENOTDIR");
  expect(outcome(open(join(root, "in/page"), O.RDONLY))).toBe("page");
});

test("reads at an offset, and nothing past the end", () => {
  const fd = open(join(root, "in/page"), O.RDONLY) as number;
  const into = block(8);
  expect([pread(fd, into.at, 8, 2), into.bytes[0], into.bytes[1], into.bytes[2]]).toEqual([
    2, 103, 101, 0,
  ]);
  expect(pread(fd, into.at, 8, 4)).toBe(0);
  expect(pread(fd, into.at, 8, 2 ** 40)).toBe(0);
  close(fd);
  expect(() => pread(fd, into.at, 8, 0)).toThrow(`pread fd ${fd}: EBADF`);
});

test("the flags are what node:fs says of this machine", () => {
  const { DIRECTORY, NOFOLLOW, NONBLOCK, CREAT, EXCL, TRUNC, APPEND } = O;
  const theirs = Object.entries(constants).filter(([name]) => name.slice(2) in O);
  expect(Object.fromEntries(theirs)).toMatchObject({
    O_DIRECTORY: DIRECTORY,
    O_NOFOLLOW: NOFOLLOW,
    O_NONBLOCK: NONBLOCK,
    O_CREAT: CREAT,
    O_EXCL: EXCL,
    O_TRUNC: TRUNC,
    O_APPEND: APPEND,
  });
});
