import { describe, expect, test } from "bun:test";

import { Nsec3Hash, readHash } from "../../../../src/services/dns/zone/nsec3-hash.ts";
import { wire } from "./ask.ts";

const AABBCCDD = Uint8Array.of(1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd);

function labelOf(words: Uint32Array): string {
  let bits = "";
  for (const word of words) bits += word.toString(2).padStart(32, "0");
  return (bits.match(/.{5}/g) ?? []).map((five) => parseInt(five, 2).toString(32)).join("");
}

describe("the hashes of RFC 5155, appendix A", () => {
  test.each([
    ["example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"],
    ["a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"],
    ["ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"],
    ["ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"],
    ["ns2.example.", "q04jkcevqvmu85r014c7dkba38o0ji5r"],
    ["w.example.", "k8udemvp1j2f7eg6jebps17vp3n8i58h"],
    ["*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"],
    ["x.w.example.", "b4um86eghhds6nea196smvmlo4ors995"],
    ["y.w.example.", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"],
    ["x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"],
    ["xx.example.", "t644ebqk9bibcna874givr6joj62mlhv"],
  ])("%s", (name, label) => {
    const hash = new Nsec3Hash(AABBCCDD);
    hash.of(wire(name), 0, wire(name).length);
    expect(labelOf(hash.words)).toBe(label);
    const read = new Uint32Array(5);
    expect(readHash(new TextEncoder().encode(label.toUpperCase()), 0, read)).toBe(true);
    expect(read).toEqual(hash.words);
  });
});

test("a label that is no hash", () => {
  const words = new Uint32Array(5);
  expect(readHash(new TextEncoder().encode("z".repeat(32)), 0, words)).toBe(false);
  expect(readHash(new TextEncoder().encode("-".repeat(32)), 0, words)).toBe(false);
});

test.each([
  { story: "the same", rdata: [1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 20], fits: true },
  { story: "more iterations", rdata: [1, 1, 0, 13, 4, 0xaa, 0xbb, 0xcc, 0xdd, 20], fits: false },
  { story: "other salt", rdata: [1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xde, 20], fits: false },
  { story: "less salt", rdata: [1, 1, 0, 12, 3, 0xaa, 0xbb, 0xcc, 20], fits: false },
  { story: "another algorithm", rdata: [2, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 20], fits: false },
])("an NSEC3 of $story", ({ rdata, fits }) => {
  expect(new Nsec3Hash(AABBCCDD).fits(Uint8Array.from(rdata), 0)).toBe(fits);
});
