import { describe, expect, test } from "bun:test";

import { readPair } from "../../../src/net/tls/certificate.ts";
import { certificate } from "../../fake/certificate.ts";

const one = await certificate({ names: ["one.example"] });
const other = await certificate({ names: ["other.example"] });

describe("names of a certificate", () => {
  test.each([
    {
      story: "the alternative names",
      wish: { names: ["A.example", "*.b.example"] },
      names: ["a.example", "*.b.example"],
    },
    {
      story: "with alternatives the common name counts for nothing",
      wish: { common: "c.example", names: ["a.example"] },
      names: ["a.example"],
    },
    {
      story: "the common name when it is alone",
      wish: { common: "Old.example" },
      names: ["old.example"],
    },
    { story: "an address", wish: { names: ["127.0.0.1"] }, names: ["127.0.0.1"] },
  ])("$story", async ({ wish, names }) => {
    const made = await certificate(wish);
    expect(readPair(made.cert, made.key).certificate).toEqual({ ...made, names });
  });
});

test("its time is milliseconds since 1970", async () => {
  const made = await certificate({ names: ["a.example"], from: -30, to: 60 });
  const { notBefore, notAfter } = readPair(made.cert, made.key);
  expect((notAfter - notBefore) / 86_400_000).toBeCloseTo(90, 1);
});

describe("what cannot be served says why", () => {
  test.each([
    { story: "no certificate", cert: "hello", key: one.key, why: "not a PEM certificate" },
    { story: "no key", cert: one.cert, key: "hello", why: "not an unencrypted PEM private key" },
    { story: "swapped", cert: one.key, key: one.cert, why: "not a PEM certificate" },
    {
      story: "the key of another",
      cert: one.cert,
      key: other.key,
      why: "the key is not that of the first certificate in the file",
    },
    {
      story: "a chain in the wrong order",
      cert: other.cert + one.cert,
      key: one.key,
      why: "the key is not that of the first certificate in the file",
    },
  ])("$story", ({ cert, key, why }) => {
    expect(() => readPair(cert, key)).toThrow(why);
  });

  test("for no name", async () => {
    const made = await certificate({});
    expect(() => readPair(made.cert, made.key)).toThrow("the certificate is for no name");
  });
});
