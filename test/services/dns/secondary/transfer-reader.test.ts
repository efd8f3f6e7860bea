import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  type Outcome,
  TransferReader,
} from "../../../../src/services/dns/secondary/transfer-reader.ts";
import { appendTsig } from "../../../../src/services/dns/signatures.ts";
import { unpack } from "../../../../src/services/dns/transfer/packed-records.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { type TsigKey, tsigKey, TsigSigner, TsigVerifier } from "../../../../src/wire/dns/tsig.ts";
import { RCODE, TYPE } from "../../../../src/wire/dns/types.ts";
import { FLAG } from "../../../../src/wire/dns/writer.ts";
import { a, ns, ORIGIN, part, soa, wire } from "./records.ts";

const ID = 4711;
const NOW = 1_700_000_000;
const KEY = tsigKey("key1.", "hmac-sha256", new Uint8Array(32).fill(7)) as TsigKey;
const OTHER_KEY = tsigKey("key1.", "hmac-sha256", new Uint8Array(32).fill(8)) as TsigKey;

type Asked = typeof TYPE.AXFR | typeof TYPE.IXFR;

function reader(type: Asked, serial?: number, verifier?: TsigVerifier, mostBytes = 1e6) {
  return new TransferReader({
    origin: ORIGIN,
    type,
    id: ID,
    serial,
    verifier,
    seconds: () => NOW,
    mostBytes,
  });
}

/** In a line: what a table can say. */
function told(outcome: Outcome | undefined): string {
  switch (outcome?.kind) {
    case undefined:
      return "more";
    case "full":
      return `full ${[...unpack(outcome.packed)].length}`;
    case "steps":
      return outcome.steps
        .map((s) => `${s.from}>${s.to} -${s.removed.length - 1} +${s.added.length - 1}`)
        .join(", ");
    case "current":
      return "current";
    case "refused":
      return `refused: ${outcome.why}`;
  }
}

const www = a("www.example.net", 10);
const mail = a("mail.example.net", 25);

test.each<{ story: string; messages: Rr[][]; says: string; serial?: number }>([
  { story: "whole in one message", messages: [[soa(2), ns(), www, soa(2)]], says: "full 3" },
  { story: "a record to a message", messages: [[soa(2)], [ns()], [www], [soa(2)]], says: "full 3" },
  { story: "no end", messages: [[soa(2), ns(), www]], says: "more" },
  { story: "nothing at all", messages: [[]], says: "more" },
  {
    story: "begins with something else",
    messages: [[ns(), soa(2)]],
    says: "refused: it does not begin with the SOA",
  },
  {
    story: "ends with another SOA",
    messages: [[soa(2), ns(), soa(3)]],
    says: "refused: it does not end with the SOA it began with",
  },
  {
    story: "goes on behind the end",
    messages: [[soa(2), ns(), soa(2), www]],
    says: "refused: there are records behind the end",
  },
  {
    story: "only two SOAs",
    messages: [[soa(2), soa(2)]],
    says: "refused: there is nothing between its SOAs",
  },
  {
    story: "a stranger's name",
    messages: [[soa(2), a("www.example.org", 1)]],
    says: "refused: www.example.org. is not in the zone",
  },
  {
    story: "the parent's name",
    messages: [[soa(2), a("net", 1)]],
    says: "refused: net. is not in the zone",
  },
  {
    story: "an SOA below the top",
    messages: [[soa(2), { ...soa(2), name: wire("sub.example.net") }]],
    says: "refused: sub.example.net. SOA is not at the top of the zone",
  },
  {
    story: "class CH",
    messages: [[soa(2), a("www.example.net", 1, { class: 3 })]],
    says: "refused: www.example.net. is not of class IN",
  },
  {
    story: "a type that only questions have",
    messages: [[soa(2), a("www.example.net", 1, { type: TYPE.ANY })]],
    says: "refused: www.example.net. ANY is no data",
  },
])("AXFR: $story: $says", ({ messages, says }) => {
  const read = reader(TYPE.AXFR);
  let last: Outcome | undefined;
  for (const records of messages) last = read.read(part(ID, TYPE.AXFR, records));
  expect(told(last)).toBe(says);
});

test.each<{ story: string; messages: Rr[][]; says: string }>([
  { story: "nothing new", messages: [[soa(1)]], says: "current" },
  { story: "the primary is behind", messages: [[soa(0)]], says: "current" },
  { story: "whole all the same", messages: [[soa(2), ns(), www, soa(2)]], says: "full 3" },
  { story: "a step", messages: [[soa(2), soa(1), www, soa(2), mail, soa(2)]], says: "1>2 -1 +1" },
  {
    story: "a step in pieces",
    messages: [[soa(2)], [soa(1), www], [soa(2), mail], [soa(2)]],
    says: "1>2 -1 +1",
  },
  {
    story: "two steps",
    messages: [[soa(3), soa(1), www, soa(2), mail, soa(2), soa(3), www, soa(3)]],
    says: "1>2 -1 +1, 2>3 -0 +1",
  },
  { story: "half of a step", messages: [[soa(2), soa(1), www, soa(2), mail]], says: "more" },
  {
    story: "from another serial",
    messages: [[soa(3), soa(2), soa(3), soa(3)]],
    says: "refused: the difference is not from the serial we have",
  },
  {
    story: "a gap",
    messages: [[soa(4), soa(1), soa(2), soa(3), soa(4), soa(4)]],
    says: "refused: there is a gap between two differences",
  },
  {
    story: "backwards",
    messages: [[soa(4), soa(1), soa(0)]],
    says: "refused: the serials of the difference are out of order",
  },
  {
    story: "beyond the end",
    messages: [[soa(2), soa(1), soa(3)]],
    says: "refused: the serials of the difference are out of order",
  },
  {
    story: "another end of the same serial",
    messages: [[soa(2), soa(1), soa(2), soa(2, { expire: 1 })]],
    says: "refused: it does not end with the SOA it began with",
  },
])("IXFR from 1: $story: $says", ({ messages, says }) => {
  const read = reader(TYPE.IXFR, 1);
  let last: Outcome | undefined;
  for (const records of messages) last = read.read(part(ID, TYPE.IXFR, records));
  expect(told(last)).toBe(says);
});

const whole = [soa(2), ns(), www, soa(2)];
test.each([
  {
    story: "another id",
    bytes: part(ID + 1, TYPE.AXFR, whole),
    says: "refused: what came is no answer to the question",
  },
  {
    story: "a question",
    bytes: part(ID, TYPE.AXFR, whole, { flags: 0 }),
    says: "refused: what came is no answer to the question",
  },
  {
    story: "REFUSED",
    bytes: part(ID, TYPE.AXFR, [], { rcode: RCODE.REFUSED }),
    says: "refused: it says REFUSED",
  },
  {
    story: "cut off",
    bytes: part(ID, TYPE.AXFR, whole, { flags: FLAG.QR | FLAG.TC }),
    says: "refused: the answer is cut off",
  },
  {
    story: "without its question",
    bytes: part(ID, TYPE.AXFR, whole, { questions: [] }),
    says: "refused: the answer is without its question",
  },
  {
    story: "to another question",
    bytes: part(ID, TYPE.IXFR, whole),
    says: "refused: the answer is to another question",
  },
  {
    story: "half a message",
    bytes: part(ID, TYPE.AXFR, whole).slice(0, 60),
    says: "refused: what came is no DNS message",
  },
  { story: "nothing", bytes: new Uint8Array(0), says: "refused: what came is no DNS message" },
])("a message that is wrong: $story", ({ bytes, says }) => {
  expect(told(reader(TYPE.AXFR).read(bytes))).toBe(says);
});

test("a refusal is for good", () => {
  const read = reader(TYPE.AXFR);
  read.read(part(ID + 1, TYPE.AXFR, whole));
  expect(told(read.read(part(ID, TYPE.AXFR, whole)))).toStartWith("refused");
});

test("a zone without end is not taken", () => {
  const read = reader(TYPE.AXFR, undefined, undefined, 1000);
  read.read(part(ID, TYPE.AXFR, [soa(2), ns()]));
  let last: Outcome | undefined;
  for (let i = 0; last === undefined; i++)
    last = read.read(part(ID, TYPE.AXFR, [a(`h${i}.example.net`, i)]));
  expect(told(last)).toBe("refused: the zone is larger than 1000 bytes");
});

test("a TTL above 2^31 is 0 (RFC 2181, 8)", () => {
  const huge = a("www.example.net", 1, { ttl: 0x8000_0000 });
  const outcome = reader(TYPE.AXFR).read(part(ID, TYPE.AXFR, [soa(2), huge, soa(2)]));
  expect(outcome?.kind === "full" && [...unpack(outcome.packed)][1]?.ttl).toBe(0);
});

/** Messages as a primary with `key` signs them; not from the one numbered `unsigned` on. */
function signed(messages: readonly Uint8Array[], key: TsigKey, unsigned = Infinity): Uint8Array[] {
  const signer = new TsigSigner(key, REQUEST_MAC);
  return messages.map((message, i) => {
    if (i >= unsigned) return message;
    const into = new Uint8Array(0xffff);
    into.set(message);
    const length = appendTsig(signer.sign(message, NOW), into, 0, message.length);
    return into.slice(0, length);
  });
}
const REQUEST_MAC = new Uint8Array(32).fill(1);
const three = [[soa(2), ns()], [www], [soa(2)]].map((records) => part(ID, TYPE.AXFR, records));

test.each([
  { story: "signed", messages: signed(three, KEY), says: "full 3" },
  { story: "unsigned", messages: three, says: "refused: it is not signed" },
  {
    story: "by another secret",
    messages: signed(three, OTHER_KEY),
    says: "refused: its signature is wrong: BADSIG",
  },
  {
    story: "its end unsigned",
    messages: signed(three, KEY, 2),
    says: "refused: its end is not signed",
  },
  {
    story: "one left out",
    messages: signed(three, KEY).toSpliced(1, 1),
    says: "refused: its signature is wrong: BADSIG",
  },
  {
    story: "two exchanged",
    messages: swapped(signed(three, KEY)),
    says: "refused: its signature is wrong: BADSIG",
  },
  {
    story: "one record more",
    messages: tampered(signed(three, KEY)),
    says: "refused: its signature is wrong: BADSIG",
  },
])("TSIG: $story: $says", ({ messages, says }) => {
  const read = reader(TYPE.AXFR, undefined, new TsigVerifier(KEY, REQUEST_MAC));
  let last: Outcome | undefined;
  for (const message of messages) last ??= read.read(message);
  expect(told(last)).toBe(says);
});

function swapped(messages: Uint8Array[]): Uint8Array[] {
  const [first, second, third] = messages;
  return [first, third, second] as Uint8Array[];
}

/** The address of `www` is another. */
function tampered(messages: Uint8Array[]): Uint8Array[] {
  return messages.map((message) => {
    const copy = Buffer.from(message);
    const at = copy.indexOf(Buffer.from(www.rdata));
    if (at >= 0) copy[at + 3] = 66;
    return new Uint8Array(copy);
  });
}

const record = fc.constantFrom<Rr>(
  soa(1),
  soa(2),
  soa(3),
  ns(),
  www,
  mail,
  a("x.example.net", 1),
  a("www.example.org", 1),
  a("y.example.net", 1, { class: 3 }),
);
const messages = fc.array(fc.array(record, { maxLength: 6 }), { maxLength: 5 });

test("never throws, and never accepts a torn zone, whatever comes", () => {
  fc.assert(
    fc.property(fc.constantFrom<Asked>(TYPE.AXFR, TYPE.IXFR), messages, (type, all) => {
      const read = reader(type, type === TYPE.IXFR ? 1 : undefined);
      const flat: Rr[] = [];
      for (const records of all) {
        flat.push(...records);
        const outcome = read.read(part(ID, type, records));
        if (outcome === undefined) continue;
        if (outcome.kind === "refused" || outcome.kind === "current") return;
        // Accepted: it began and ended with the same SOA, and nothing in between was lost or added.
        expect(flat.at(0)?.rdata).toEqual(flat.at(-1)?.rdata as Uint8Array);
        expect(flat.length).toBeGreaterThan(2);
        if (outcome.kind === "full")
          expect([...unpack(outcome.packed)].map(({ name, rdata }) => [...name, ...rdata])).toEqual(
            flat.slice(0, -1).map(({ name, rdata }) => [...name, ...rdata]),
          );
        else
          expect(outcome.steps.flatMap(({ removed, added }) => [...removed, ...added]).length).toBe(
            flat.length - 2,
          );
        return;
      }
    }),
    { numRuns: 2000 },
  );
});

test("never throws for bytes that are wrong anywhere", () => {
  const good = part(ID, TYPE.IXFR, [soa(2), soa(1), www, soa(2), mail, soa(2)]);
  const wrong = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(wrong, fc.nat(good.length), (changes, length) => {
      const bytes = good.slice(0, length);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      const verifier = length % 2 ? new TsigVerifier(KEY, REQUEST_MAC) : undefined;
      reader(TYPE.IXFR, 1, verifier).read(bytes);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void reader(TYPE.AXFR).read(bytes)),
  );
});
