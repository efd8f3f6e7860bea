import { expect } from "bun:test";

import fc from "fast-check";

import { decodeMessage } from "../../../src/wire/dns/message.ts";
import { hashName, lower } from "../../../src/wire/dns/name.ts";
import { ANSWER, COOKIE_ONLY, DROP, Query, readQuery } from "../../../src/wire/dns/query.ts";
import { OPCODE } from "../../../src/wire/dns/types.ts";
import { amidst } from "../canary.ts";
import queries from "./golden/queries.json";

/** Real queries, with some bytes changed, cut or doubled: most stay near what is well-formed. */
export const nearQuery: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(...queries.map(({ hex }) => Uint8Array.fromHex(hex))),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    fc.oneof(fc.constant(undefined), fc.nat(120)),
    fc.uint8Array({ maxLength: 3 }),
  )
  .map(([real, changes, cut, tail]) => {
    const bytes = Uint8Array.from([...real.slice(0, cut), ...tail]);
    for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });

const RCODES = [1, 4, 16];
const used = new Query();

/** Everything a query says, its buffers cut to what is used and its offsets from its beginning. */
function said(query: Query, from: number): unknown {
  const { key, hashes, labelStarts, edns, ...plain } = query;
  const offset = (at: number) => (at > 0 ? at - from : at);
  return {
    ...plain,
    qnameStart: offset(query.qnameStart),
    qnameEnd: offset(query.qnameEnd),
    questionEnd: offset(query.questionEnd),
    tsigAt: offset(query.tsigAt),
    key: key.slice(0, query.keyLength),
    hashes: query.keyLength > 0 ? hashes.slice(0, query.labels + 1) : [],
    labelStarts: query.keyLength > 0 ? labelStarts.slice(0, query.labels + 1) : [],
    edns: {
      ...edns,
      ecsAddress: edns.ecsAt < 0 ? [] : [...edns.ecsAddress],
      optionsStart: offset(edns.optionsStart),
      optionsEnd: offset(edns.optionsEnd),
      cookieAt: offset(edns.cookieAt),
      ecsAt: offset(edns.ecsAt),
    },
  };
}

export const readsOnlyItsBytes = fc.property(fc.oneof(nearQuery, fc.uint8Array()), (bytes) => {
  const query = new Query();
  const verdict = readQuery(bytes, 0, bytes.length, query);
  expect([ANSWER, DROP, COOKIE_ONLY, ...RCODES]).toContain(verdict);
  for (const { bytes: all, from, to } of amidst(bytes, "\0\0\x29\x10\0\0\0\0\0\0\0")) {
    // One that has read other queries says the same.
    expect(readQuery(all, from, to, used)).toBe(verdict);
    if (verdict !== DROP) expect(said(used, from)).toEqual(said(query, 0));
  }
});

export const agreesWithTheDecoder = fc.property(nearQuery, (bytes) => {
  const query = new Query(5);
  if (readQuery(bytes, 0, bytes.length, query) !== ANSWER) return;
  const message = decodeMessage(bytes);
  if (message === undefined) {
    // It does not look into records that it passes by.
    const records = bytes.subarray(6, 12).some((count) => count > 0);
    expect(records).toBe(true);
    return;
  }
  const [question] = message.questions;
  expect([message.id, message.opcode]).toEqual([query.id, query.opcode]);
  expect([OPCODE.QUERY, OPCODE.NOTIFY] as number[]).toContain(query.opcode);
  expect(question?.name).toEqual(bytes.slice(query.qnameStart, query.qnameEnd));
  expect([question?.type, question?.class]).toEqual([query.qtype, query.qclass]);
  expect(question && lower(question.name)).toEqual(query.key.slice(0, query.keyLength));
  for (let i = 0; i <= query.labels; i++) {
    const above = query.key.slice(query.labelStarts[i], query.keyLength);
    expect(query.hashes[i]).toBe(hashName(above, 5));
  }
  expect(message.edns !== undefined).toBe(query.edns.present);
  if (message.edns) {
    const { udpSize, version } = message.edns;
    expect([udpSize, version, message.edns.do]).toEqual([
      query.edns.udpSize,
      query.edns.version,
      query.edns.do,
    ]);
  }
});
