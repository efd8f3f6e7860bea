import { expect, test } from "bun:test";

import { BasicAuth } from "../../src/net/basic-auth.ts";
import { canVerify, verifyPassword } from "../../src/net/password.ts";

const DES = "iya2/im3qjwhU";
const YES = "$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.";
const BCRYPT = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const ARGON = await Bun.password.hash("secret", {
  algorithm: "argon2id",
  memoryCost: 8,
  timeCost: 1,
});

test.each([DES, YES, BCRYPT, ARGON])("%s", async (hash) => {
  expect(canVerify(hash)).toBe(true);
  expect(await verifyPassword("secret", hash)).toBe(true);
  expect(await verifyPassword("secreT", hash)).toBe(false);
  expect(await verifyPassword("", hash).catch(() => false)).toBe(false);
});

test("what is no hash verifies nothing", async () => {
  expect(canVerify("secret")).toBe(false);
  expect(await verifyPassword("secret", "secret").catch(() => "rejected")).toBe("rejected");
});

test("Basic takes them all side by side", async () => {
  const auth = new BasicAuth("x", { des: DES, yes: YES, bcrypt: BCRYPT, argon: ARGON });
  const shown = (user: string, password: string) =>
    auth.check(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`, 0);
  for (const user of ["des", "yes", "bcrypt", "argon"]) {
    expect(await shown(user, "secret")).toEqual({ user });
    expect(await shown(user, "other")).toBe("denied");
  }
  expect(await shown("nobody", "secret")).toBe("denied");
});
