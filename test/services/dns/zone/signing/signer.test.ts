import { describe, expect, test } from "bun:test";

import { KeyRing } from "../../../../../src/services/dns/zone/signing/key-ring.ts";
import { Signer } from "../../../../../src/services/dns/zone/signing/signer.ts";
import { ZoneKey } from "../../../../../src/services/dns/zone/signing/zone-key.ts";
import { showRdata } from "../../../../../src/wire/dns/rdata/show.ts";
import { TYPE } from "../../../../../src/wire/dns/types.ts";
import { wire } from "../ask.ts";

const NOON = Date.UTC(2024, 5, 7, 12);
const A = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)];

describe("a signer", () => {
  let now = NOON;
  const signer = new Signer(wire("example."), new KeyRing(ZoneKey.generate()), () => now);
  const sign = (rdatas: readonly Uint8Array[], owner = "www.example."): string =>
    showRdata(TYPE.RRSIG, signer.sign(wire(owner), TYPE.A, 300, rdatas)[0] as Uint8Array);

  test("says what it signs, for how long", () => {
    const { tag } = signer.keys.current;
    expect(sign(A)).toStartWith(`A 13 2 300 20240615000000 20240606230000 ${tag} example. `);
  });

  test("counts no asterisk (RFC 4034, 3.1.3)", () => {
    expect(sign(A, "*.example.")).toStartWith("A 13 1 300 ");
    expect(sign(A, "a.*.example.")).toStartWith("A 13 3 300 ");
  });

  test("does not sign again what is the same, in whatever order", () => {
    expect(sign(A.toReversed())).toBe(sign(A));
    expect(sign(A.slice(1))).not.toBe(sign(A));
  });

  test("signs anew the next day", () => {
    now = NOON;
    const before = sign(A);
    const midnight = Date.UTC(2024, 5, 8);
    now = midnight - 1;
    expect(sign(A)).toBe(before);
    now = midnight;
    expect(sign(A)).toStartWith("A 13 2 300 20240616000000 20240607230000 ");
  });
});
