import { describe, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { KeyFiles } from "../../../../../src/services/dns/zone/signing/key-file.ts";
import { ZoneKey } from "../../../../../src/services/dns/zone/signing/zone-key.ts";
import { showRdata } from "../../../../../src/wire/dns/rdata/show.ts";
import { TYPE } from "../../../../../src/wire/dns/types.ts";
import { temporary } from "../../../../fake/temporary.ts";
import { wire } from "../ask.ts";

/** The private key of RFC 6605, 6.1, put into PKCS #8. */
const RFC_6605 = `-----BEGIN PRIVATE KEY-----
${Buffer.concat([
  Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex"),
  Buffer.from("GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=", "base64"),
]).toString("base64")}
-----END PRIVATE KEY-----`;

describe("the key of RFC 6605, 6.1", () => {
  const key = ZoneKey.fromPem(RFC_6605);

  test("as DNSKEY", () => {
    expect(showRdata(TYPE.DNSKEY, key.dnskey)).toBe(
      "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
    );
    expect(key.tag).toBe(55648);
  });

  test("as DS", () => {
    expect(showRdata(TYPE.DS, key.ds(wire("example.net."))).toLowerCase()).toBe(
      "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
    );
  });

  test("it signs what others verify", () => {
    const data = new TextEncoder().encode("data");
    const [x, y] = [key.dnskey.subarray(4, 36), key.dnskey.subarray(36)].map((half) =>
      Buffer.from(half).toString("base64url"),
    );
    const jwk = { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" };
    const open = createPublicKey({ format: "jwk", key: jwk });
    expect(verify("sha256", data, { key: open, dsaEncoding: "ieee-p1363" }, key.sign(data))).toBe(
      true,
    );
  });

  test("there and back", () => {
    expect(ZoneKey.fromPem(key.pem).dnskey).toEqual(key.dnskey);
  });
});

test("another curve is not taken", () => {
  const p384 = `-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBLk2Drn5t5t4ncH2hK
-----END PRIVATE KEY-----`;
  expect(() => ZoneKey.fromPem(p384)).toThrow();
  expect(() => ZoneKey.fromPem("no key")).toThrow();
});

describe("keys on disk", () => {
  test("one is made, and stays", async () => {
    await using directory = await temporary();
    const path = join(directory.path, "keys");
    const made = (await new KeyFiles(path, "example.net").read()).current;
    expect((await stat(join(path, "example.net.key"))).mode & 0o777).toBe(0o600);
    expect((await new KeyFiles(path, "example.net").read()).current.dnskey).toEqual(made.dnskey);
    expect((await new KeyFiles(path, "example.org").read()).current.dnskey).not.toEqual(
      made.dnskey,
    );
  });

  test("of several at once all have the same", async () => {
    await using directory = await temporary();
    const keys = await Promise.all(
      Array.from({ length: 5 }, () => new KeyFiles(directory.path, "example.net").read()),
    );
    expect(new Set(keys.map(({ current }) => current.tag)).size).toBe(1);
  });

  test("a name of strange bytes is still one file", async () => {
    await using directory = await temporary();
    await new KeyFiles(directory.path, "0/25.2.0.192.in-addr.arpa").read();
    expect((await stat(join(directory.path, "0%2F25.2.0.192.in-addr.arpa.key"))).isFile()).toBe(
      true,
    );
  });

  test("what is no key is left alone", async () => {
    await using directory = await temporary();
    await writeFile(join(directory.path, "example.net.key"), "something else");
    expect(new KeyFiles(directory.path, "example.net").read()).rejects.toThrow(
      "is no key to sign with",
    );
  });
});
