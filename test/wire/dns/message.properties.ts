import { expect } from "bun:test";

import fc from "fast-check";

import { decodeMessage, encodeMessage, type Message } from "../../../src/wire/dns/message.ts";
import type { Rr } from "../../../src/wire/dns/rr.ts";
import { views } from "../canary.ts";
import answers from "./golden/answers.json";
import { wireName } from "./name.properties.ts";
import { goodRdata } from "./rdata/rdata.properties.ts";

const OPT = 41;
const rr: fc.Arbitrary<Rr> = fc
  .tuple(wireName, goodRdata, fc.nat(0xffff), fc.nat(0xffff_ffff))
  .filter(([, { type }]) => type !== OPT)
  .map(([name, { type, rdata }, klass, ttl]) => ({
    name,
    type,
    class: klass,
    ttl,
    rdata: new Uint8Array(rdata),
  }));
const question = fc.record({ name: wireName, type: fc.nat(0xffff), class: fc.nat(0xffff) });
const option = fc.record({ code: fc.nat(0xffff), data: fc.uint8Array({ maxLength: 20 }) });
const edns = fc.record({
  udpSize: fc.integer({ min: 512, max: 0xffff }),
  version: fc.nat(255),
  do: fc.boolean(),
  compact: fc.boolean(),
  options: fc.array(option, { maxLength: 3 }),
});

export const message: fc.Arbitrary<Message> = fc
  .record({
    id: fc.nat(0xffff),
    flags: fc.nat(0xffff).map((flags) => flags & 0x87b0),
    opcode: fc.nat(15),
    rcode: fc.nat(0xfff),
    questions: fc.array(question, { maxLength: 2 }),
    answers: fc.array(rr, { maxLength: 6 }),
    authorities: fc.array(rr, { maxLength: 3 }),
    additionals: fc.array(rr, { maxLength: 3 }),
    edns: fc.option(edns, { nil: undefined }),
  })
  .map((m) => (m.edns ? m : { ...m, rcode: m.rcode & 15 }));

export const readsWhatIsWritten = fc.property(message, (written) => {
  const bytes = encodeMessage(written);
  expect(bytes && decodeMessage(bytes)).toEqual(written);
  if (bytes === undefined) return;
  // It fits what it needs, and nothing less.
  expect(encodeMessage(written, bytes.length)).toEqual(bytes);
  expect(encodeMessage(written, bytes.length - 1)).toBeUndefined();
});

const near = fc
  .tuple(
    fc.constantFrom(
      ...answers.filter((a) => a.story !== "AXFR").map(({ hex }) => Uint8Array.fromHex(hex)),
    ),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    fc.option(fc.nat(300), { nil: undefined }),
  )
  .map(([real, changes, cut]) => {
    const bytes = real.slice(0, cut);
    for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });

export const readsOnlyItsBytes = fc.property(fc.oneof(near, fc.uint8Array()), (bytes) => {
  const read = decodeMessage(bytes);
  for (const view of views(bytes, "\0\0\x29\x10\0\0\0\0\0\0\0"))
    expect(decodeMessage(view)).toEqual(read);
  if (read === undefined) return;
  const again = encodeMessage(read);
  expect(again && decodeMessage(again)).toEqual(read);
});
