import { expect, test } from "bun:test";

import fc from "fast-check";

import { Member } from "../../../../src/services/dns/names/member.ts";
import { ReadyRecords } from "../../../../src/services/dns/names/ready-records.ts";
import { encodeMessage } from "../../../../src/wire/dns/message.ts";
import { parseName } from "../../../../src/wire/dns/name.ts";
import { HEADER, Query, readQuery } from "../../../../src/wire/dns/query.ts";
import { TYPE } from "../../../../src/wire/dns/types.ts";
import { MessageWriter, QNAME, SECTION } from "../../../../src/wire/dns/writer.ts";

function member(type: number, rdata: Uint8Array): Member {
  return new Member({ label: "", type, rdata, weight: 1, host: undefined, port: undefined });
}

const question = encodeMessage({
  id: 1,
  flags: 0,
  opcode: 0,
  rcode: 0,
  questions: [{ name: parseName("www.example.") as Uint8Array, type: TYPE.A, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [],
}) as Uint8Array;

const rdatas = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), {
  minLength: 1,
  maxLength: 12,
});

test("records that stand ready are what would be written, whichever are picked", () => {
  const query = new Query();
  readQuery(question, 0, question.length, query);
  const out = new Uint8Array(4096);
  const writer = new MessageWriter();
  fc.assert(
    fc.property(
      rdatas,
      fc.array(fc.nat(11), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      (all, wanted, inOrder) => {
        const members = all.map((rdata) => member(TYPE.TXT, rdata));
        const first = wanted[0] as number;
        const some = wanted.map((n, i) => (inOrder ? first + i : n) % all.length);
        const picks = Uint16Array.from(new Set(some)); // each once, as every order has them
        const ready = ReadyRecords.of({ type: TYPE.TXT, ttl: 77, members });
        const tail = ready?.tail(picks, picks.length);
        writer.begin(out, 0, out.length, question, query, 0);
        for (const pick of picks)
          writer.addAt(SECTION.ANSWER, QNAME, TYPE.TXT, 1, 77, all[pick] as Uint8Array);
        const written = out.slice(question.length, writer.end());
        const copied = new Uint8Array(4096);
        const end = tail?.copy(copied, HEADER, tail.length) ?? 0;
        expect(copied.subarray(HEADER, end)).toEqual(written);
        expect([tail?.answers, tail?.requiredLength, tail?.authoritative]).toEqual([
          picks.length,
          written.length,
          true,
        ]);
      },
    ),
  );
});

test("aliases are written, since their names can be made shorter", () => {
  const members = [member(TYPE.CNAME, parseName("x.example.") as Uint8Array)];
  expect(ReadyRecords.of({ type: TYPE.CNAME, ttl: 1, members })).toBeUndefined();
});
