import { expect, test } from "bun:test";

import fc from "fast-check";

import { applyDifference } from "../../../../src/services/dns/secondary/difference.ts";
import { isNewer, soaNumbers } from "../../../../src/services/dns/secondary/soa.ts";
import { incremental } from "../../../../src/services/dns/transfer/incremental.ts";
import { Journal } from "../../../../src/services/dns/transfer/journal.ts";
import { RecordPacker, unpack } from "../../../../src/services/dns/transfer/packed-records.ts";
import { recordsOf } from "../../../../src/services/dns/transfer/zone-records.ts";
import { loadZone } from "../../../../src/services/dns/zone/zone-builder.ts";
import type { Zone } from "../../../../src/services/dns/zone/zone.ts";
import { parseName, showName } from "../../../../src/wire/dns/name.ts";
import { showRdata } from "../../../../src/wire/dns/rdata/show.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { showType, TYPE } from "../../../../src/wire/dns/types.ts";

const ORIGIN = parseName("example.net") as Uint8Array;
/** So that a difference is less than the zone. */
const REST = Array.from({ length: 50 }, (_, i) => `rest${i} TXT "${"x".repeat(100)}"`).join("\n");

function zone(serial: number, body: string): Zone {
  const text = `$TTL 300\n@ SOA ns1 admin ${serial} 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n${REST}\n${body}\n`;
  const built = loadZone(text, { file: "example.net.zone", origin: ORIGIN });
  if (!built.ok) throw new Error(built.problems[0]?.message);
  return built.zone;
}

/** A journal of these versions, one after the other. */
function journalOf(versions: readonly Zone[]): Journal {
  const journal = new Journal();
  for (const [i, next] of versions.entries()) {
    const before = versions[i - 1];
    if (before) for (const _ of journal.follow(before, next));
  }
  return journal;
}

const line = ({ name, type, ttl, rdata }: Rr) =>
  `${showName(name)} ${ttl} ${showType(type)} ${showRdata(type, rdata)}`;

/** What is told to who has `from`: SOAs by their serial alone. */
function told(versions: readonly Zone[], from: number): string[] | string {
  const latest = versions.at(-1) as Zone;
  const answer = incremental(latest, journalOf(versions), from);
  if (answer.kind === "whole") return "whole";
  return [...answer.records].map((rr) =>
    rr.type === TYPE.SOA ? `SOA ${soaNumbers(rr.rdata).serial}` : line(rr),
  );
}

const [W10, W11] = ["www A 192.0.2.10", "www A 192.0.2.11"];
const [A10, A11] = ["www.example.net. 300 A 192.0.2.10", "www.example.net. 300 A 192.0.2.11"];

test.each([
  {
    story: "an address changes",
    bodies: [W10, W11],
    from: 1,
    is: ["SOA 2", "SOA 1", A10, "SOA 2", A11, "SOA 2"],
  },
  {
    story: "one comes besides",
    bodies: [W10, `${W10}\n${W11}`],
    from: 1,
    is: ["SOA 2", "SOA 1", "SOA 2", A11, "SOA 2"],
  },
  {
    story: "only the serial",
    bodies: [W10, W10],
    from: 1,
    is: ["SOA 2", "SOA 1", "SOA 2", "SOA 2"],
  },
  {
    story: "a TTL",
    bodies: [W10, "www 60 A 192.0.2.10"],
    from: 1,
    is: ["SOA 2", "SOA 1", A10, "SOA 2", A10.replace("300", "60"), "SOA 2"],
  },
  {
    story: "the same in another order",
    bodies: [`${W10}\n${W11}`, `${W11}\n${W10}`],
    from: 1,
    is: ["SOA 2", "SOA 1", "SOA 2", "SOA 2"],
  },
  {
    story: "a name comes and goes",
    bodies: ["", W10, ""],
    from: 1,
    is: ["SOA 3", "SOA 1", "SOA 3", "SOA 3"],
  },
  {
    story: "two changes are one",
    bodies: [W10, W11, "www A 192.0.2.12"],
    from: 1,
    is: ["SOA 3", "SOA 1", A10, "SOA 3", A10.replace("10", "12"), "SOA 3"],
  },
  {
    story: "the last of two",
    bodies: ["", W10, W11],
    from: 2,
    is: ["SOA 3", "SOA 2", A10, "SOA 3", A11, "SOA 3"],
  },
  { story: "who has the latest", bodies: ["", W10], from: 2, is: ["SOA 2"] },
  { story: "who has a later one", bodies: ["", W10], from: 9, is: ["SOA 2"] },
  { story: "who has one that nobody knows", bodies: ["", W10], from: 0, is: "whole" },
] as { story: string; bodies: string[]; from: number; is: string[] | string }[])(
  "$story",
  ({ bodies, from, is }) => {
    const versions = bodies.map((body, i) => zone(i + 1, body));
    expect(told(versions, from)).toEqual(is);
  },
);

test("a difference as large as the zone is none", () => {
  const all = (word: string) =>
    Array.from({ length: 200 }, (_, i) => `many${i} TXT "${word.repeat(50)}"`).join("\n");
  expect(told([zone(1, all("a")), zone(2, all("b"))], 1)).toBe("whole");
});

test("a serial that stays, or goes back, ends what is known", () => {
  expect(told([zone(1, ""), zone(2, W10), zone(2, W11), zone(3, "")], 1)).toBe("whole");
  expect(told([zone(1, ""), zone(2, W10), zone(2, W11), zone(3, "")], 2)).toHaveLength(5);
  expect(told([zone(5, ""), zone(6, W10), zone(1, "")], 5)).toEqual(["SOA 1"]);
  const around = [zone(0xffff_ffff, W10), zone(1, W11)];
  expect(told(around, 0xffff_ffff)).toEqual([
    "SOA 1",
    "SOA 4294967295",
    A10,
    "SOA 1",
    A11,
    "SOA 1",
  ]);
});

test("a hundred steps are kept, the last ones", () => {
  const versions = Array.from({ length: 151 }, (_, i) => zone(i + 1, `www A 192.0.2.${i}`));
  const journal = journalOf(versions);
  expect(journal.length).toBe(100);
  expect(journal.between(50, 151)).toBeUndefined();
  expect(journal.between(51, 151)).toHaveLength(100);
});

const label = fc.constantFrom("a", "b", "c", "a.b", "x.a.b", "*.c", "@");
const row = fc.record({
  label,
  ttl: fc.constantFrom(60, 300),
  rest: fc.constantFrom(
    "A 192.0.2.1",
    "A 192.0.2.2",
    "TXT one",
    "TXT two",
    "MX 5 a",
    "CAA 0 issue x",
  ),
});
const version = fc.array(row, { maxLength: 12 });

test("whatever changes, whoever applies what is told has the zone", () => {
  fc.assert(
    fc.property(fc.array(version, { minLength: 2, maxLength: 6 }), fc.nat(), (bodies, which) => {
      const versions = bodies.map((rows, i) =>
        zone(i + 1, rows.map((one) => `${one.label} ${one.ttl} ${one.rest}`).join("\n")),
      );
      const latest = versions.at(-1) as Zone;
      const from = versions[which % (versions.length - 1)] as Zone;
      const answer = incremental(latest, journalOf(versions), from.serial);
      if (answer.kind !== "changes") throw new Error(answer.kind);
      const [, first, ...records] = [...answer.records];
      const second = records.findIndex(({ type }) => type === TYPE.SOA);
      const removed = [first as Rr, ...records.slice(0, second)];
      const added = records.slice(second, -1);
      const step = { from: from.serial, to: latest.serial, removed, added };
      const packed = applyDifference(packedOf(from), [step]);
      expect(packed && [...unpack(packed)].map(line).sort()).toEqual(
        [...unpack(packedOf(latest))].map(line).sort(),
      );
      expect(isNewer(latest.serial, from.serial)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** All records, the SOA the first of them and nowhere else. */
function packedOf(one: Zone): Uint8Array {
  const packer = new RecordPacker();
  for (const record of [...recordsOf(one)].slice(0, -1)) packer.add(record);
  return packer.finish();
}
