import { afterAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  closeSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import type { DotfilePolicy, SymlinkPolicy } from "../../../src/services/web/config.ts";
import { disk } from "../../../src/services/web/disk.ts";
import { Tree } from "../../../src/services/web/tree.ts";
import { decodeTarget } from "../../../src/wire/http/path.ts";

const base = mkdtempSync(join(tmpdir(), "tern-tree-"));
const root = join(base, "www");
afterAll(() => rmSync(base, { recursive: true }));

for (const [file, text] of Object.entries({
  "secret.txt": "outside",
  "other/secret.txt": "outside",
  "www-twin/secret.txt": "outside",
  "www/a.txt": "inside",
  "www/dir/b.txt": "inside",
  "www/.hidden": "hidden",
  "www/.well-known/acme": "inside",
})) {
  mkdirSync(join(base, file, ".."), { recursive: true });
  writeFileSync(join(base, file), text);
}
for (const [link, target] of Object.entries({
  "www/in": "dir",
  "www/in.txt": "dir/b.txt",
  "www/dir/up": "..",
  "www/out": "../other",
  "www/out.txt": "../secret.txt",
  "www/twin": "../www-twin",
  "www/absolute": "/etc",
  "www/root": "/",
  "www/loop": "loop",
  "www/dangling": "../nothing",
  "www/chain": "in",
  "www/chainout": "out",
}))
  symlinkSync(target, join(base, link));
Bun.spawnSync(["mkfifo", join(root, "pipe")]);

const tree = (symlinks: SymlinkPolicy, dotfiles: DotfilePolicy = "hide") =>
  new Tree(root, { symlinks, dotfiles });

/** The text of a file as the origin opens it, or why not. */
function opened(of: Tree, path: string): string {
  const got = disk(of).open(path);
  if (typeof got === "string") return got;
  if (got.kind === "bytes") return "bytes";
  const text = readFileSync(`/proc/self/fd/${got.fd}`, "utf8");
  closeSync(got.fd);
  return text;
}

describe("symbolic links", () => {
  test.each([
    { path: "/a.txt", beneath: "inside", follow: "inside", never: "inside" },
    { path: "/in.txt", beneath: "inside", follow: "inside", never: "outside" },
    { path: "/in/b.txt", beneath: "inside", follow: "inside", never: "outside" },
    { path: "/dir/up/a.txt", beneath: "inside", follow: "inside", never: "outside" },
    { path: "/dir/up/dir/up/in.txt", beneath: "inside", follow: "inside", never: "outside" },
    { path: "/chain/b.txt", beneath: "inside", follow: "inside", never: "outside" },
    { path: "/in", beneath: "directory", follow: "directory", never: "outside" },
    { path: "/out.txt", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/out/secret.txt", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/chainout/secret.txt", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/twin/secret.txt", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/absolute/passwd", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/root/etc/passwd", beneath: "outside", follow: "outside file", never: "outside" },
    { path: "/out", beneath: "outside", follow: "directory", never: "outside" },
    { path: "/loop", beneath: "missing", follow: "missing", never: "missing" },
    { path: "/dangling", beneath: "missing", follow: "missing", never: "missing" },
    { path: "/pipe", beneath: "missing", follow: "missing", never: "missing" },
    { path: "/a.txt/x", beneath: "missing", follow: "missing", never: "missing" },
  ])("$path", ({ path, ...want }) => {
    for (const policy of ["beneath", "follow", "never"] as const) {
      const got = opened(tree(policy), path);
      // Following has no limits: that is what the operator asked for.
      if (want[policy] === "outside file")
        expect(["outside", "missing", "hidden", "denied"]).not.toContain(
          got === "outside" ? "" : got,
        );
      else expect(got).toBe(want[policy]);
    }
  });

  test.skipIf(process.getuid?.() !== 0)(
    "owner: a link is followed when it belongs to whom its target does",
    () => {
      const mine = join(base, "mine");
      mkdirSync(join(mine, "dir"), { recursive: true });
      writeFileSync(join(mine, "file"), "inside");
      writeFileSync(join(mine, "dir/file"), "inside");
      for (const [name, target, owner] of [
        ["same", "file", 1234],
        ["other", "file", 4321],
        ["dirsame", "dir", 1234],
        ["dirother", "dir", 4321],
      ] as const) {
        symlinkSync(target, join(mine, name));
        lchownSync(join(mine, name), owner, owner);
      }
      for (const name of ["file", "dir"]) chownSync(join(mine, name), 1234, 1234);
      const owned = new Tree(mine, { symlinks: "owner", dotfiles: "hide" });
      const got = ["/file", "/same", "/other", "/dirsame/file", "/dirother/file"].map((path) =>
        opened(owned, path),
      );
      expect(got).toEqual(["inside", "inside", "outside", "inside", "outside"]);
    },
  );
});

describe("locate", () => {
  test.each([
    { path: "/", file: "", there: true, slash: true },
    { path: "/a.txt", file: "/a.txt", there: true, slash: false },
    { path: "/dir/", file: "/dir", there: true, slash: true },
    { path: "/new.txt", file: "/new.txt", there: false, slash: false },
    { path: "/in/new.txt", file: "/dir/new.txt", there: false, slash: false },
    { path: "/in.txt", file: "/in.txt", there: true, slash: false, real: "/dir/b.txt" },
  ])("$path is $file", ({ file, path, real, slash, there }) => {
    const got = tree("beneath").locate(path);
    if (typeof got === "string") throw new Error(got);
    expect(got.file).toBe(root + file);
    expect(got.slash).toBe(slash);
    expect(got.real).toBe(there ? root + (real ?? file) : undefined);
    expect(got.stats !== undefined).toBe(there);
    expect(got.link).toBe(real !== undefined);
  });

  test.each([
    { path: "/no/such", why: "missing" },
    { path: "/a.txt/x", why: "missing" },
    { path: "/out/new.txt", why: "outside" },
    { path: "/out.txt", why: "outside" },
    { path: "/dangling", why: "outside" },
    { path: "/.hidden", why: "hidden" },
    { path: "/.tern-x", why: "hidden" },
  ])("$path is $why", ({ path, why }) => {
    expect(tree("beneath").locate(path)).toBe(why as "missing");
  });
});

describe("whatever is asked for", () => {
  const segment = fc.oneof(
    fc.constantFrom(
      "a.txt",
      "dir",
      "in",
      "in.txt",
      "up",
      "out",
      "out.txt",
      "twin",
      "absolute",
      "root",
      "loop",
      "chain",
      "chainout",
      "etc",
      "passwd",
      "secret.txt",
      "b.txt",
    ),
    fc.constantFrom(
      "..",
      ".",
      "%2e%2e",
      "%2E.",
      "..%2f",
      "%5c..",
      "....",
      "%252e%252e",
      "..%00",
      "%c0%ae%c0%ae",
      "..;",
      "~",
      "proc",
      "self",
    ),
    fc.string({ maxLength: 5 }),
  );
  const target = fc
    .array(segment, { minLength: 1, maxLength: 8 })
    .map((parts) => `/${parts.join("/")}`);

  test.each(["beneath", "never"] as const)(
    "%s: nothing from outside the root is ever opened",
    (symlinks) => {
      const strict = tree(symlinks, "allow");
      fc.assert(
        fc.property(target, (asked) => {
          const path = decodeTarget(asked)?.path;
          if (path === undefined) return;
          const got = opened(strict, path);
          expect(["inside", "hidden", "outside", "missing", "denied", "directory"]).toContain(got);
          const at = strict.locate(path);
          if (typeof at !== "string") {
            expect(at.file === root || at.file.startsWith(`${root}/`)).toBe(true);
            expect(
              at.real === undefined || at.real === root || at.real.startsWith(`${root}/`),
            ).toBe(true);
          }
        }),
        { numRuns: 2000 },
      );
    },
  );

  test("a directory exchanged for a link at any moment leads nowhere", async () => {
    mkdirSync(join(root, "real"));
    writeFileSync(join(root, "real/secret.txt"), "inside");
    symlinkSync("../other", join(root, "link"));
    const exchange = `
      const { renameSync } = require("node:fs");
      for (const end = Date.now() + 600; Date.now() < end; ) {
        renameSync("real", "swap"); renameSync("swap", "real");
        renameSync("link", "swap"); renameSync("swap", "link");
      }`;
    const swapping = Bun.spawn([process.execPath, "-e", exchange], { cwd: root });
    const strict = tree("beneath");
    const seen = new Set<string>();
    while (swapping.exitCode === null) {
      for (let i = 0; i < 100; i++) seen.add(opened(strict, "/swap/secret.txt"));
      await Bun.sleep(0);
    }
    expect([...seen].filter((got) => !["missing", "outside", "inside"].includes(got))).toEqual([]);
    expect(seen.size).toBeGreaterThan(1);
  });
});
