import { expect, test } from "bun:test";

import { passwordKind } from "../../src/core/password-kind.ts";
import { canCrypt, crypt } from "../../src/sys/crypt.ts";

// Made by other programs: perl's crypt(), openssl passwd -1 -5 -6, mkpasswd -m yescrypt.
const GOLDEN = [
  { kind: "des", hash: "iya2/im3qjwhU" },
  { kind: "md5crypt", hash: "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1" },
  { kind: "sha256crypt", hash: "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM." },
  {
    kind: "sha512crypt",
    hash: "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
  },
  { kind: "bcrypt", hash: "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" },
  {
    kind: "yescrypt",
    hash: "$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
  },
] as const;

test.each(GOLDEN)("$kind: the hash that others make of the same password", ({ kind, hash }) => {
  expect(passwordKind(hash)).toBe(kind);
  expect(canCrypt(kind)).toBe(true);
  expect(crypt("secret", hash)).toBe(hash);
  expect(crypt("Secret", hash)).not.toBe(hash);
});

test("DES sees eight characters, and bytes beyond ASCII are bytes", () => {
  expect(crypt("secretlonger", "iy")).toBe("iyKHxTypxS3FI");
  expect(crypt("secretlo", "iy")).toBe("iyKHxTypxS3FI");
  expect(crypt("pässword", "$6$abc$")).toBe(
    "$6$abc$We/zNc8oYCOt9Gy7wjQNaIZrsfcArOZgXUJBix2o20WroMAFqNTB8UqGL792.xnxbJDEdGcXwRAMK/zy7svCJ/",
  );
});

test.each([
  { story: "a kind nobody knows", password: "x", setting: "$zz$" },
  { story: "an empty setting", password: "x", setting: "" },
  { story: "half a password, as C would see it", password: "x\0y", setting: "iy" },
  { story: "longer than any password", password: "x".repeat(10_000), setting: "$6$abc$" },
])("$story: no hash", ({ password, setting }) => {
  expect(crypt(password, setting)).toBeUndefined();
});

test("argon2id is not the C library's", () => {
  expect(canCrypt("argon2id")).toBe(false);
});
