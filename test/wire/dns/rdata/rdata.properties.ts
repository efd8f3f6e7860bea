import { expect } from "bun:test";

import fc from "fast-check";

import { canonicalRdata } from "../../../../src/wire/dns/rdata/canonical.ts";
import { checkRdata } from "../../../../src/wire/dns/rdata/check.ts";
import { type Field, layoutOf } from "../../../../src/wire/dns/rdata/layout.ts";
import { parseRdata } from "../../../../src/wire/dns/rdata/parse.ts";
import { showRdata } from "../../../../src/wire/dns/rdata/show.ts";
import { typeBitmap } from "../../../../src/wire/dns/rdata/type-bitmap.ts";
import { TYPE } from "../../../../src/wire/dns/types.ts";
import { latin1, views } from "../../canary.ts";
import { wireName } from "../name.properties.ts";

const LURE = "\x01a\0\x01a\0\x01a\0";
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const counted = (most: number, least = 0) =>
  bytes(least, most).map((text) => Uint8Array.from([text.length, ...text]));
const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const joined = (...parts: fc.Arbitrary<Uint8Array>[]) => fc.tuple(...parts).map(join);
const target = (kind: number): fc.Arbitrary<Uint8Array> =>
  kind === 0 ? bytes(0) : kind === 3 ? wireName : bytes(kind === 1 ? 4 : 16);
const parameter = (key: number, value: fc.Arbitrary<Uint8Array>) =>
  value.map((v) => Uint8Array.from([key >>> 8, key & 255, v.length >>> 8, v.length & 255, ...v]));
const size = fc
  .option(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)))
  .map((pair) => Uint8Array.of(pair ? (pair[0] << 4) | pair[1] : 0));

/** Any good field; the properties make records of them. */
const FIELDS: { readonly [F in Field]: fc.Arbitrary<Uint8Array> } = {
  u8: bytes(1),
  u16: bytes(2),
  u32: bytes(4),
  ttl: bytes(4),
  time: bytes(4),
  algorithm: bytes(1),
  certificate: bytes(2),
  type: bytes(2),
  ip4: bytes(4),
  ip6: fc.oneof(
    bytes(16),
    bytes(4).map((low) => join([new Uint8Array(12), low])),
  ),
  name: wireName,
  string: counted(255),
  tag: fc
    .constantFrom("issue", "IODEF", "x9")
    .map((tag) => latin1(`${String.fromCharCode(tag.length)}${tag}`)),
  strings: fc.array(counted(80), { minLength: 1, maxLength: 4 }).map(join),
  "string?": fc.oneof(bytes(0), counted(80)),
  text: bytes(0, 80),
  hex: bytes(1, 80),
  base64: bytes(1, 80),
  "base64?": bytes(0, 80),
  salt: counted(255),
  hash: counted(255, 1),
  types: fc.array(fc.nat(0xffff)).map(typeBitmap),
  eui48: bytes(6),
  eui64: bytes(8),
  node: bytes(8),
  nsap: bytes(1, 20),
  location: joined(
    fc.constant(Uint8Array.of(0)),
    size,
    size,
    size,
    fc.nat(648_000_000).map((n) => word(2 ** 31 - 324_000_000 + n)),
    fc.nat(1_296_000_000).map((n) => word(2 ** 31 - 648_000_000 + n)),
    bytes(4),
  ),
  prefixes: fc
    .array(
      fc
        .tuple(fc.constantFrom(4, 16), fc.boolean(), fc.nat(128), bytes(0, 4))
        .map(([width, not, prefix, address]) => {
          const kept = address.slice(0, address.findLastIndex((byte) => byte > 0) + 1);
          const bits = Math.min(prefix, width * 8);
          return Uint8Array.of(
            0,
            width === 4 ? 1 : 2,
            bits,
            (not ? 0x80 : 0) | kept.length,
            ...kept,
          );
        }),
      { maxLength: 4 },
    )
    .map(join),
  parameters: joined(
    fc.constantFrom(latin1(""), Uint8Array.of(0, 0, 0, 2, 0, 1)),
    parameter(1, fc.array(counted(20, 1), { minLength: 1, maxLength: 4 }).map(join)),
    fc.constantFrom(latin1(""), Uint8Array.of(0, 2, 0, 0)),
    parameter(3, bytes(2)),
    parameter(4, fc.array(bytes(4), { minLength: 1, maxLength: 3 }).map(join)),
    parameter(5, bytes(1, 40)),
    parameter(6, fc.array(bytes(16), { minLength: 1, maxLength: 3 }).map(join)),
    parameter(7, bytes(0, 40)),
    parameter(0xabcd, bytes(0, 40)),
  ),
  gateway: fc
    .nat(3)
    .chain((kind) => joined(bytes(1), fc.constant(Uint8Array.of(kind)), bytes(1), target(kind))),
  relay: fc
    .tuple(fc.nat(3), fc.boolean())
    .chain(([kind, d]) =>
      joined(bytes(1), fc.constant(Uint8Array.of(kind | (d ? 128 : 0))), target(kind)),
    ),
  "host identity": fc
    .tuple(bytes(1, 40), bytes(1, 40), bytes(1), fc.array(wireName, { maxLength: 2 }))
    .map(([hit, key, algorithm, servers]) =>
      join([Uint8Array.of(hit.length, algorithm[0] ?? 0, 0, key.length), hit, key, ...servers]),
    ),
};

function word(n: number): Uint8Array {
  return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
}

const TYPES = [...Object.values(TYPE), 65280];

/** A type and rdata that is its own. */
export const goodRdata: fc.Arbitrary<{ type: number; rdata: Uint8Array }> = fc
  .constantFrom(...TYPES)
  .chain((type) =>
    joined(...(layoutOf(type)?.map((field) => FIELDS[field]) ?? [bytes(0, 40)])).map((rdata) => ({
      type,
      rdata,
    })),
  );

export const readsWhatIsShown = fc.property(goodRdata, ({ type, rdata }) => {
  expect(checkRdata(type, rdata)).toBe(true);
  expect(parseRdata(type, showRdata(type, rdata))).toEqual({
    ok: true,
    rdata: new Uint8Array(rdata),
  });
  expect(checkRdata(type, canonicalRdata(type, rdata))).toBe(true);
});

/** Good rdata with some bytes changed, cut or doubled, and noise. */
const near = fc.oneof(
  fc
    .tuple(
      goodRdata,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.option(fc.nat(60)),
      bytes(0, 2),
    )
    .map(([good, changes, cut, tail]) => {
      const rdata = join([good.rdata.slice(0, cut ?? undefined), tail]);
      for (const [at, byte] of changes) if (rdata.length > 0) rdata[at % rdata.length] = byte;
      return { type: good.type, rdata };
    }),
  fc.tuple(fc.constantFrom(...TYPES), fc.uint8Array()).map(([type, rdata]) => ({ type, rdata })),
);

export const readsOnlyItsBytes = fc.property(near, ({ type, rdata }) => {
  const good = checkRdata(type, rdata);
  for (const view of views(rdata, LURE)) {
    expect(checkRdata(type, view)).toBe(good);
    expect(showRdata(type, view)).toBe(showRdata(type, rdata));
  }
  const again = parseRdata(type, showRdata(type, rdata));
  // What is no rdata of its type is shown by its bytes, and may not come back in.
  if (good) expect(again).toEqual({ ok: true, rdata: new Uint8Array(rdata) });
  else expect(again.ok).toBe(false);
});

const words = fc.array(
  fc.oneof(
    fc.constantFrom(
      "1",
      "10",
      "300",
      "65536",
      "a.b.",
      ".",
      "192.0.2.1",
      "2001:db8::1",
      "::",
      '"text"',
      '"',
      "\\#",
      "4",
      "c0000201",
    ),
    fc.constantFrom(
      "AQ==",
      "alpn=h2",
      'alpn="h2,h3"',
      "mandatory=alpn",
      "N",
      "-",
      "A NS",
      "20261122120000",
      "(",
      ")",
      ";",
      "\\300",
      "1:10.0.0.0/8",
    ),
    fc.string({ maxLength: 6 }),
  ),
  { maxLength: 8 },
);

export const anyText = fc.property(fc.constantFrom(...TYPES), words, (type, text) => {
  const read = parseRdata(type, text.join(" "));
  if (!read.ok) {
    expect(read.problem).not.toBe("");
    return;
  }
  expect(checkRdata(type, read.rdata)).toBe(true);
  expect(parseRdata(type, showRdata(type, read.rdata))).toEqual(read);
});
