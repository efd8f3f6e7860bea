import { expect, test } from "bun:test";

import fc from "fast-check";

import { applyDifference } from "../../../../src/services/dns/secondary/difference.ts";
import type { Step } from "../../../../src/services/dns/secondary/transfer-reader.ts";
import { RecordPacker, unpack } from "../../../../src/services/dns/transfer/packed-records.ts";
import { showName } from "../../../../src/wire/dns/name.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { showType } from "../../../../src/wire/dns/types.ts";
import { a, ns, soa, wire } from "./records.ts";

function pack(records: readonly Rr[]): Uint8Array {
  const packer = new RecordPacker();
  for (const record of records) packer.add(record);
  return packer.finish();
}

const line = ({ name, type, rdata }: Rr) => `${showName(name)} ${showType(type)} ${rdata.at(-1)}`;

function after(before: readonly Rr[], steps: readonly Step[]): string[] | undefined {
  const packed = applyDifference(pack(before), steps);
  return packed && [...unpack(packed)].slice(1).map(line).sort();
}

const www = a("www.example.net", 10);
const other = a("www.example.net", 11);
const mail = a("mail.example.net", 25);
const zone = [soa(1), ns(), www, mail];
const step = (from: number, removed: Rr[], added: Rr[]): Step => ({
  from,
  to: from + 1,
  removed: [soa(from), ...removed],
  added: [soa(from + 1), ...added],
});

test.each<{ story: string; steps: Step[]; has: Rr[] | undefined }>([
  { story: "an address changes", steps: [step(1, [www], [other])], has: [ns(), other, mail] },
  { story: "one comes besides", steps: [step(1, [], [other])], has: [ns(), www, other, mail] },
  { story: "only the serial", steps: [step(1, [], [])], has: [ns(), www, mail] },
  {
    story: "there and back",
    steps: [step(1, [www], []), step(2, [], [www])],
    has: [ns(), www, mail],
  },
  {
    story: "names are the same in any case",
    steps: [step(1, [{ ...www, name: wire("WWW.Example.NET") }], [])],
    has: [ns(), mail],
  },
  {
    story: "in rdata, too",
    steps: [step(1, [{ ...ns(), rdata: wire("NS1.example.net") }], [])],
    has: [www, mail],
  },
  { story: "takes away what is not there", steps: [step(1, [other], [])], has: undefined },
  { story: "adds what is there", steps: [step(1, [], [www])], has: undefined },
  { story: "from another serial", steps: [step(7, [www], [])], has: undefined },
  { story: "no step at all", steps: [], has: undefined },
])("$story", ({ steps, has }) => {
  expect(after(zone, steps)).toEqual(has?.map(line).sort());
});

test("the SOA is the first record, the last step's", () => {
  const packed = applyDifference(pack(zone), [step(1, [www], []), step(2, [mail], [])]);
  expect([...unpack(packed as Uint8Array)].map(line)).toEqual([soa(3), ns()].map(line));
});

test("what has been packed is unpacked; cut anywhere, whole records are", () => {
  const records = fc.array(
    fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}$/).map((label) => wire(`${label}.example.net`)),
      type: fc.nat(0xffff),
      class: fc.nat(0xffff),
      ttl: fc.nat(0xffff_ffff),
      rdata: fc.uint8Array({ maxLength: 40 }),
    }),
    { maxLength: 8 },
  );
  const bytes = (rr: Rr) => ({ ...rr, name: [...rr.name], rdata: [...rr.rdata] });
  fc.assert(
    fc.property(records, fc.nat(1000), (all, cut) => {
      const packed = pack(all);
      expect([...unpack(packed)].map(bytes)).toEqual(all.map(bytes));
      const some = [...unpack(packed.subarray(0, Math.min(cut, packed.length)))];
      expect(some.map(bytes)).toEqual(all.slice(0, some.length).map(bytes));
    }),
  );
});
