import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  compactNsec,
  successor,
} from "../../../../../src/services/dns/zone/signing/compact-nsec.ts";
import { compareCanonical, lower, showName } from "../../../../../src/wire/dns/name.ts";
import { showRdata } from "../../../../../src/wire/dns/rdata/show.ts";
import { TYPE } from "../../../../../src/wire/dns/types.ts";
import { wire } from "../ask.ts";

/** A name of `bytes` bytes, its first label `first` repeated `length` times. */
function long(first: string, length: number, bytes: number): string {
  let rest = "";
  for (let left = bytes - 2 - length; left > 0;) {
    const label = Math.min(63, left - 1);
    rest += `.${"x".repeat(label)}`;
    left -= label + 1;
  }
  return `${first.repeat(length)}${rest}.`;
}

test.each([
  { story: "a name below it", name: "example.", next: "\\000.example." },
  { story: "the root", name: ".", next: "\\000." },
  {
    story: "no room for a label: a byte more",
    name: long("a", 3, 254),
    next: long("a", 3, 254).replace("aaa", "aaa\\000"),
  },
  {
    story: "no room at all: the last byte",
    name: long("a", 3, 255),
    next: long("a", 3, 255).replace("aaa", "aab"),
  },
  { story: "a full label", name: long("a", 63, 254), next: long("a", 63, 254).replace("a.", "b.") },
  {
    story: "upper case is not in between",
    name: long("@", 3, 255).replaceAll("@", "\\@"),
    next: long("@", 3, 255).replace("@@@", "\\@\\@["),
  },
  {
    story: "255 is the last",
    name: long("z", 3, 255).replace("zzz", "z\\255\\255"),
    next: long("z", 3, 255).replace("zzz", "{"),
  },
])("$story", ({ name, next }) => {
  expect(showName(successor(wire(name)))).toBe(next);
});

const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
const name = fc
  .array(label, { maxLength: 20 })
  .map((labels) => Uint8Array.of(...labels.flatMap((one) => [one.length, ...one]), 0))
  .filter((wireName) => wireName.length <= 255)
  .map(lower);

test("the next name is behind it, and a name", () => {
  fc.assert(
    fc.property(name, (one) => {
      const next = successor(one);
      expect(next.length).toBeLessThanOrEqual(255);
      expect(compareCanonical(one, next)).toBeLessThan(0);
    }),
  );
});

test("an NSEC of it", () => {
  const rdata = compactNsec(wire("www.example."), [TYPE.A, TYPE.RRSIG, TYPE.NSEC, TYPE.AAAA]);
  expect(showRdata(TYPE.NSEC, rdata)).toBe("\\000.www.example. A AAAA RRSIG NSEC");
});
