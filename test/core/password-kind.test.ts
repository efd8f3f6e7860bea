import { expect, test } from "bun:test";

import { passwordKind, weakness } from "../../src/core/password-kind.ts";

test.each([
  { story: "a placeholder", hash: "$argon2id$...", kind: undefined },
  { story: "nothing", hash: "", kind: undefined },
  { story: "DES has 13 characters", hash: "iya2/im3qjwhU", kind: "des" },
  { story: "12 are too few", hash: "iya2/im3qjwh", kind: undefined },
  { story: "a password in clear", hash: "correct horse", kind: undefined },
  { story: "MD5 cut short", hash: "$1$abcdefgh$cHJi5PXp", kind: undefined },
  { story: "no salt at all", hash: `$6$$${"a".repeat(86)}`, kind: "sha512crypt" },
  { story: "rounds", hash: `$5$rounds=535000$salt$${"a".repeat(43)}`, kind: "sha256crypt" },
  {
    story: "rounds that would take minutes",
    hash: `$5$rounds=99999999$salt$${"a".repeat(43)}`,
    kind: undefined,
  },
  { story: "bcrypt", hash: `$2b$12$${"a".repeat(53)}`, kind: "bcrypt" },
  { story: "bcrypt with a line end", hash: `$2b$12$${"a".repeat(53)}\n`, kind: undefined },
  { story: "yescrypt", hash: `$y$j9T$salt$${"a".repeat(43)}`, kind: "yescrypt" },
])("$story: $kind", ({ hash, kind }) => {
  expect(passwordKind(hash)).toBe(kind as ReturnType<typeof passwordKind>);
});

test("the old kinds are weak", () => {
  expect(weakness("des")).toContain("8 characters");
  expect(weakness("md5crypt")).toContain("$1$");
  expect([weakness("sha512crypt"), weakness("bcrypt"), weakness("argon2id")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
