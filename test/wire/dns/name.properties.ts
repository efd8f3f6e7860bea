import { expect } from "bun:test";

import fc from "fast-check";

import {
  compareCanonical,
  hashName,
  isUnder,
  labelCount,
  lower,
  nameKey,
  nameLength,
  parseName,
  readName,
  sameName,
  showName,
  skipName,
} from "../../../src/wire/dns/name.ts";
import { amidst, latin1 } from "../canary.ts";

/** Labels of any bytes, of a few often, so that names meet. */
const label = fc.oneof(
  fc.constantFrom("a", "B", "www", "example", "*", "x".repeat(63)).map(latin1),
  fc.uint8Array({ minLength: 1, maxLength: 63 }),
);

/** Any wire name. */
export const wireName: fc.Arbitrary<Uint8Array> = fc
  .array(label, { maxLength: 8 })
  .map((labels) => Uint8Array.from([...labels.flatMap((l) => [l.length, ...l]), 0]))
  .filter((name) => name.length <= 255);

export const readsWhatIsShown = fc.property(wireName, (name) => {
  expect(parseName(showName(name))).toEqual(name);
  expect(readName(name, 0)).toEqual({ name, next: name.length });
  expect(nameLength(name, 0, name.length)).toBe(name.length);
  expect(hashName(name, 3)).toBe(hashName(lower(name), 3));
});

const scribble = fc.oneof(
  fc.string(),
  fc
    .array(fc.constantFrom(".", "\\", "a", "\\1", "\\065", "\\256", "é", "@", "x".repeat(40)))
    .map((s) => s.join("")),
);

export const anyText = fc.property(scribble, (text) => {
  const name = parseName(text, latin1("\x01o\0"));
  if (name === undefined) return;
  expect(nameLength(name, 0, name.length)).toBe(name.length);
  expect(parseName(showName(name))).toEqual(name);
});

/** Bytes in which lengths and pointers are likely. */
const soup = fc.array(
  fc.oneof(fc.nat(12), fc.constantFrom(0xc0, 0xc1, 0xff, 0x40, 0), fc.nat(255)),
  { maxLength: 80 },
);

export const readsOnlyItsBytes = fc.property(soup, fc.nat(79), (numbers, at) => {
  const bytes = Uint8Array.from(numbers);
  const first = readName(bytes, at);
  const skipped = skipName(bytes, at, bytes.length);
  for (const { bytes: all, from, to } of amidst(bytes, "\x01a\0\xc0\0")) {
    const again = readName(all, from + at, to, from);
    expect(again && { ...again, next: again.next - from }).toEqual(first);
    expect(skipName(all, from + at, to)).toBe(skipped < 0 ? -1 : from + skipped);
  }
  if (first === undefined) return;
  expect(first.next).toBe(skipped);
  expect(nameLength(first.name, 0, first.name.length)).toBe(first.name.length);
});

const labelsOf = (name: Uint8Array) => split(nameKey(name));

function split(key: string): string[] {
  const labels: string[] = [];
  for (let at = 0; key.charCodeAt(at) > 0; at += 1 + key.charCodeAt(at))
    labels.push(key.slice(at + 1, at + 1 + key.charCodeAt(at)));
  return labels.reverse();
}

export const comparesAsPlainly = fc.property(wireName, wireName, (a, b) => {
  const left = labelsOf(a);
  const right = labelsOf(b);
  const shared = left.findIndex((l, i) => l !== right[i]);
  const i = shared < 0 ? left.length : shared;
  const plain =
    i < left.length && i < right.length
      ? (left[i] ?? "") < (right[i] ?? "")
        ? -1
        : 1
      : left.length - right.length;
  expect(Math.sign(compareCanonical(a, b))).toBe(Math.sign(plain));
  expect(compareCanonical(a, b) === 0).toBe(sameName(a, b));
  expect(isUnder(a, b)).toBe(right.every((l, n) => l === left[n]));
  expect(labelCount(a)).toBe(left.length);
});
