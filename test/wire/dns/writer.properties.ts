import { expect } from "bun:test";

import fc from "fast-check";

import { decodeMessage } from "../../../src/wire/dns/message.ts";
import type { Rr } from "../../../src/wire/dns/rr.ts";
import { MessageWriter, type Section } from "../../../src/wire/dns/writer.ts";
import { wireName } from "./name.properties.ts";
import { goodRdata } from "./rdata/rdata.properties.ts";

/** Records in few names, so that there is much to compress. */
const record = fc
  .tuple(wireName, goodRdata, fc.nat(2), fc.boolean())
  .filter(([, { type }]) => type !== 41)
  .map(([name, { type, rdata }, section, kept]) => ({
    name,
    type,
    rdata: new Uint8Array(rdata),
    section: section as Section,
    kept,
  }));

export const staysInside = fc.property(
  fc.array(record, { maxLength: 12 }),
  fc.integer({ min: 12, max: 900 }),
  fc.boolean(),
  (records, limit, opt) => {
    const around = 16;
    const out = new Uint8Array(limit + 2 * around).fill(0xaa);
    const writer = new MessageWriter();
    writer.exactCase = true;
    writer.beginMessage(out, around, around + limit, 7, 0x8400);
    const written: Rr[][] = [[], [], []];
    for (const section of [0, 1, 2] as const)
      for (const rr of records.filter((r) => r.section === section)) {
        writer.mark();
        if (!writer.add(section, rr.name, rr.type, 1, 5, rr.rdata)) continue;
        if (rr.kept)
          written[section]?.push({
            name: rr.name,
            type: rr.type,
            class: 1,
            ttl: 5,
            rdata: rr.rdata,
          });
        else writer.rewind();
      }
    const begun = opt && writer.beginOpt(1232, 0, false);
    if (begun) writer.endOpt();
    const length = writer.end();
    expect(length).toBeLessThanOrEqual(limit);
    const outside = [...out.subarray(0, around), ...out.subarray(around + limit)];
    expect(outside.every((byte) => byte === 0xaa)).toBe(true);
    const message = decodeMessage(out.subarray(around, around + length));
    expect([message?.answers, message?.authorities, message?.additionals]).toEqual(written);
    expect(message?.edns !== undefined).toBe(begun);
  },
);
