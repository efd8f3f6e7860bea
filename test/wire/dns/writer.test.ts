import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { OPTION } from "../../../src/wire/dns/edns.ts";
import { decodeMessage } from "../../../src/wire/dns/message.ts";
import { parseName, ROOT } from "../../../src/wire/dns/name.ts";
import { Query, readQuery } from "../../../src/wire/dns/query.ts";
import { CLASS, RCODE, TYPE } from "../../../src/wire/dns/types.ts";
import { FLAG, MessageWriter, QNAME, SECTION } from "../../../src/wire/dns/writer.ts";
import * as properties from "./writer.properties.ts";

const name = (text: string) => parseName(text) ?? ROOT;
const A = Uint8Array.of(192, 0, 2, 1);
const asked = Uint8Array.fromHex(
  "1234 0110 0001 0000 0000 0001 0377777707 4578616d706c65 036e6574 00 0001 0001 00 0029 04d0 00008000 000b 0008 0007 0001 18 00 c00002".replaceAll(
    " ",
    "",
  ),
);
const AT = 5;

/** A writer that has begun the answer to `asked` five bytes into a buffer. */
function begun(limit = 512): { writer: MessageWriter; query: Query; into: Uint8Array } {
  const query = new Query();
  readQuery(asked, 0, asked.length, query);
  const into = new Uint8Array(AT + limit);
  const writer = new MessageWriter();
  writer.begin(into, AT, AT + limit, asked, query, FLAG.AA);
  return { writer, query, into };
}

const done = (writer: MessageWriter, into: Uint8Array) => into.subarray(AT, AT + writer.end());

describe("an answer", () => {
  test("has the id, the flags and the question as it came", () => {
    const { writer, into } = begun();
    expect(done(writer, into).toHex()).toBe(
      "1234 8510 0001 0000 0000 0000 03777777074578616d706c65036e65740000010001".replaceAll(
        " ",
        "",
      ),
    );
  });

  test("points to names that are there, whatever their case", () => {
    const { writer, into } = begun();
    writer.addAt(SECTION.ANSWER, QNAME, TYPE.A, CLASS.IN, 300, A);
    writer.add(
      SECTION.AUTHORITY,
      name("example.NET"),
      TYPE.NS,
      CLASS.IN,
      5,
      name("ns.example.net"),
    );
    writer.add(SECTION.ADDITIONAL, name("ns.example.net"), TYPE.A, CLASS.IN, 5, A);
    expect(done(writer, into).toHex().slice(66)).toBe(
      "c00c 0001 0001 0000012c 0004 c0000201 c010 0002 0001 00000005 0005 026e73 c010 c03d 0001 0001 00000005 0004 c0000201".replaceAll(
        " ",
        "",
      ),
    );
  });

  test("keeps case in a transfer", () => {
    const { writer, into } = begun();
    writer.exactCase = true;
    writer.add(SECTION.ANSWER, name("example.NET"), TYPE.A, CLASS.IN, 5, A);
    expect(decodeMessage(done(writer, into))?.answers[0]?.name).toEqual(name("example.NET"));
  });

  test("leaves names of newer types whole (RFC 3597, 4)", () => {
    const { writer, into } = begun();
    const rdata = Uint8Array.from([0, 1, 0, 2, 0, 3, ...name("example.net")]);
    writer.addAt(SECTION.ANSWER, QNAME, TYPE.SRV, CLASS.IN, 5, rdata);
    expect(done(writer, into).toHex()).toEndWith(rdata.toHex());
  });

  test("goes back to its mark as if nothing had been", () => {
    const { writer, into } = begun();
    writer.mark();
    writer.add(SECTION.ANSWER, name("b.a"), TYPE.A, CLASS.IN, 5, A);
    writer.rewind();
    writer.add(SECTION.ANSWER, name("c.a"), TYPE.A, CLASS.IN, 5, A);
    const message = decodeMessage(done(writer, into));
    expect(message?.answers.map((rr) => rr.name)).toEqual([name("c.a")]);
    expect(writer.count(SECTION.ANSWER)).toBe(1);
  });

  test("says when a record does not fit, and has nothing of it", () => {
    const { writer, into } = begun(33 + 16 + 15);
    expect(writer.addAt(SECTION.ANSWER, QNAME, TYPE.A, CLASS.IN, 5, A)).toBe(true);
    expect(writer.addAt(SECTION.ANSWER, QNAME, TYPE.A, CLASS.IN, 5, A)).toBe(false);
    expect(writer.add(SECTION.ANSWER, name("x.y"), TYPE.A, CLASS.IN, 5, A)).toBe(false);
    writer.flag(FLAG.TC);
    const message = decodeMessage(done(writer, into));
    expect([message?.answers.length, (message?.flags ?? 0) & FLAG.TC]).toEqual([1, FLAG.TC]);
  });

  test("has its options", () => {
    const { writer, into } = begun();
    expect(writer.beginOpt(1232, RCODE.BADCOOKIE, true)).toBe(true);
    writer.option(OPTION.NSID, Uint8Array.of(1, 2));
    writer.option(OPTION.KEEPALIVE, Uint8Array.of(1, 44));
    writer.endOpt();
    const message = decodeMessage(done(writer, into));
    expect(message?.rcode).toBe(RCODE.BADCOOKIE);
    expect(message?.edns).toEqual({
      udpSize: 1232,
      version: 0,
      do: true,
      compact: false,
      options: [
        { code: OPTION.NSID, data: Uint8Array.of(1, 2) },
        { code: OPTION.KEEPALIVE, data: Uint8Array.of(1, 44) },
      ],
    });
  });

  test("has no option that there is no room for", () => {
    const { writer } = begun(33 + 11);
    expect(writer.beginOpt(1232, 0, false)).toBe(true);
    expect(writer.option(OPTION.NSID, A)).toBe(false);
    writer.endOpt();
    expect(writer.end()).toBe(33 + 11);
  });

  test("has no question when none was read", () => {
    const query = new Query();
    const bad = asked.subarray(0, 14);
    expect(readQuery(bad, 0, bad.length, query)).toBe(RCODE.FORMERR);
    const into = new Uint8Array(64);
    const writer = new MessageWriter();
    writer.begin(into, 0, 64, bad, query, 0);
    writer.rcode(RCODE.FORMERR);
    expect(into.subarray(0, writer.end()).toHex()).toBe("123481110000000000000000");
  });
});

test("never beyond its limit, always a message", () => fc.assert(properties.staysInside));
