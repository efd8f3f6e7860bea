import { describe, expect, test } from "bun:test";

import { CertificateStore } from "../../../src/net/tls/store.ts";

const pem = (...names: string[]) => ({ cert: names.join(), key: "", names });

describe("which certificate answers", () => {
  const store = new CertificateStore();
  store.change({
    certificates: [
      pem("first.example"),
      pem("example.net", "*.example.net"),
      pem("www.example.net"),
      pem("example.net"),
    ],
  });

  test.each([
    { story: "the exact name", asked: "www.example.net", answers: "www.example.net" },
    {
      story: "the first of two for a name",
      asked: "example.net",
      answers: "example.net,*.example.net",
    },
    {
      story: "a wildcard for one label",
      asked: "a.example.net",
      answers: "example.net,*.example.net",
    },
    {
      story: "a wildcard is not for two labels",
      asked: "a.b.example.net",
      answers: "first.example",
    },
    {
      story: "a wildcard is not for the bare name below it",
      asked: "net",
      answers: "first.example",
    },
    { story: "nobody's name: the first", asked: "example.org", answers: "first.example" },
    { story: "no name: the first", asked: undefined, answers: "first.example" },
    { story: "an empty name: the first", asked: "", answers: "first.example" },
    { story: "a name from Object", asked: "constructor", answers: "first.example" },
  ])("$story: $asked", ({ asked, answers }) => {
    expect(store.find(asked)?.cert).toBe(answers);
  });

  test("an empty store has none", () => {
    expect(new CertificateStore().find("example.net")).toBeUndefined();
  });
});

test("proofs are found by their own key only", () => {
  const store = new CertificateStore();
  store.change({ tokens: { abc: "abc.thumb" }, challenges: { "a.example": pem("a.example") } });
  expect(store.keyAuthorization("abc")).toBe("abc.thumb");
  expect(store.keyAuthorization("constructor")).toBeUndefined();
  expect(store.challenge("a.example")?.cert).toBe("a.example");
  expect(store.challenge("__proto__")).toBeUndefined();
  expect(store.find("a.example")).toBeUndefined();
});

test("a worker's store becomes the supervisor's, through JSON", () => {
  const ours = new CertificateStore();
  ours.change({ minVersion: "1.3", certificates: [pem("a.example")], tokens: { t: "t.k" } });
  const theirs = new CertificateStore();
  theirs.load(JSON.parse(JSON.stringify(ours.snapshot())));
  expect(theirs.snapshot()).toEqual(ours.snapshot());
  expect([theirs.minVersion, theirs.find("a.example")?.cert]).toEqual(["1.3", "a.example"]);
});

test("a certificate that did not change stays the same object", () => {
  const store = new CertificateStore();
  store.change({ certificates: [pem("a.example"), pem("b.example")] });
  const kept = store.find("b.example");
  store.load({ ...store.snapshot(), certificates: [pem("c.example"), pem("b.example")] });
  expect(store.find("b.example")).toBe(kept);
});

test("the version goes up with every change, even when the sender has started again", () => {
  const store = new CertificateStore();
  const seen = [store.version];
  store.change({ tokens: {} });
  seen.push(store.version);
  store.load({ ...store.snapshot(), version: 0 });
  seen.push(store.version);
  store.load({ ...store.snapshot(), version: 40 });
  seen.push(store.version);
  expect(seen).toEqual([0, 1, 2, 40]);
});
