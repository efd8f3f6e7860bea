import { describe, expect, test } from "bun:test";

import { Catalog } from "../../../src/services/dns/catalog.ts";
import { question, RANDOM_SEED, wire } from "./zone/ask.ts";

function catalogOf(...names: string[]): Catalog<string> {
  const catalog = new Catalog<string>(RANDOM_SEED);
  for (const name of names) catalog.set(wire(name), name);
  return catalog;
}

describe("who answers", () => {
  const catalog = catalogOf("example.", "Sub.Example.", "a.b.example.", "test.");

  test.each([
    { ask: "example A", by: "example." },
    { ask: "www.EXAMPLE A", by: "example." },
    { ask: "sub.example A", by: "Sub.Example." },
    { ask: "x.y.z.sub.example A", by: "Sub.Example." },
    { ask: "b.example A", by: "example." },
    { ask: "a.b.example A", by: "a.b.example." },
    { ask: "xsub.example A", by: "example." },
    { ask: "notexample A", by: undefined },
    { ask: "com A", by: undefined },
    { ask: ". NS", by: undefined },
  ])("$ask: $by", ({ ask, by }) => {
    expect(catalog.find(question(ask).query)).toBe(by as string);
    expect(catalog.responsible(question(ask).query)).toBe(by as string);
  });

  test.each([
    { story: "the parent where both are here", ask: "sub.example DS", by: "example." },
    { story: "us where the parent is not", ask: "test DS", by: "test." },
    { story: "the zone in between", ask: "a.b.example DS", by: "example." },
    { story: "below the apex it is as ever", ask: "www.sub.example DS", by: "Sub.Example." },
  ])("DS: $story: $ask", ({ ask, by }) => {
    expect(catalog.responsible(question(ask).query)).toBe(by);
  });
});

test("the root is at or above all", () => {
  const catalog = catalogOf(".", "example.");
  expect(catalog.find(question(". SOA").query)).toBe(".");
  expect(catalog.find(question("www.test A").query)).toBe(".");
  expect(catalog.find(question("www.example A").query)).toBe("example.");
  expect(catalog.responsible(question(". DS").query)).toBe(".");
});

test("the new takes the place of the old", () => {
  const catalog = catalogOf("example.");
  catalog.set(wire("EXAMPLE."), "newer");
  expect(catalog.size).toBe(1);
  expect(catalog.find(question("www.example A").query)).toBe("newer");
});

test("ten thousand zones", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `zone-${i}.test.`);
  const catalog = catalogOf(...names);
  expect(catalog.size).toBe(10_000);
  for (const i of [0, 1, 4999, 9999])
    expect(catalog.find(question(`www.zone-${i}.test A`).query)).toBe(`zone-${i}.test.`);
  expect(catalog.find(question("www.zone-10000.test A").query)).toBeUndefined();
});

test("another seed finds nothing by accident", () => {
  const catalog = new Catalog<string>(RANDOM_SEED + 1);
  catalog.set(wire("example."), "x");
  expect(catalog.find(question("example A").query)).toBeUndefined();
});
