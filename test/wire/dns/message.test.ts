import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import fc from "fast-check";

import { decodeMessage, encodeMessage } from "../../../src/wire/dns/message.ts";
import { lower, parseName, ROOT, showName } from "../../../src/wire/dns/name.ts";
import { canonicalRdata } from "../../../src/wire/dns/rdata/canonical.ts";
import type { Rr } from "../../../src/wire/dns/rr.ts";
import answers from "./golden/answers.json";
import * as properties from "./message.properties.ts";
import { parseZone } from "./parse-zone.ts";

const single = answers.filter(({ story }) => story !== "AXFR");
const transfers = answers.filter(({ story }) => story === "AXFR");

/** What the three left out: types they do not know. */
const LEFT_OUT: Record<string, readonly string[]> = {
  "NSD 4.6.1": ["HIP", "AMTRELAY"],
  "Knot 3.2.6": ["HIP", "AMTRELAY", "PX", "X25", "ISDN", "NSAP"],
  "BIND 9.18.49": [],
};

/**
 * `golden/answers.json`: what the three servers said about `golden/golden.zone`, and its transfer
 * from each of them.
 */
describe("answers of others", () => {
  test.each(single)("$server: $story", ({ hex }) => {
    const bytes = Uint8Array.fromHex(hex);
    const message = decodeMessage(bytes);
    const again = message && encodeMessage(message);
    expect(again && decodeMessage(again)).toEqual(message);
    // BIND also compresses against the name in a DNAME, 13 bytes of one answer.
    expect(again?.length).toBeLessThanOrEqual(bytes.length + 13);
    for (let cut = 0; cut < bytes.length; cut++)
      expect(decodeMessage(bytes.subarray(0, cut))).toBeUndefined();
  });

  test("most are what we would have written, to the byte", () => {
    const same = single.filter(({ hex }) => {
      const message = decodeMessage(Uint8Array.fromHex(hex));
      return message && encodeMessage(message)?.toHex() === hex;
    });
    // OPT stands behind the other additional records there, in front of a TSIG here.
    expect(same.length).toBeGreaterThanOrEqual(26);
  });

  test.each(transfers)(
    "$server: the zone in its transfer is the zone in the file",
    async ({ server, hex }) => {
      const file = join(import.meta.dir, "golden/golden.zone");
      const origin = parseName("golden.example") ?? ROOT;
      const zone = parseZone(await Bun.file(file).bytes(), { file, origin });
      if (!zone.ok) throw new Error(JSON.stringify(zone.problems));
      const theirs = stream(Uint8Array.fromHex(hex)).flatMap(
        (message) => decodeMessage(message)?.answers ?? [],
      );
      // SOA at both ends.
      expect(theirs.length).toBeGreaterThan(60);
      const left = new Set(LEFT_OUT[server]?.flatMap((type) => [TYPES[type]]));
      const ours = zone.records.filter(({ type }) => !left.has(type));
      expect([...new Set(theirs.map(line))].sort()).toEqual([...new Set(ours.map(line))].sort());
    },
  );
});

const TYPES: Record<string, number> = {
  HIP: 55,
  AMTRELAY: 260,
  PX: 26,
  X25: 19,
  ISDN: 20,
  NSAP: 22,
};

/** NSD and Knot lower-case names: all are compared so. */
function line(rr: Rr): string {
  const { type, ttl, rdata } = rr;
  return `${showName(lower(rr.name))} ${ttl} ${type} ${canonicalRdata(type, rdata).toHex()}`;
}

/** Messages behind their lengths, as over TCP. */
function stream(bytes: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    messages.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return messages;
}

describe("by hand", () => {
  const HEAD = "1234 8400 0001 0001 0000 0000 0161 00 0001 0001";
  test.each([
    { story: "rdata shorter than its type", bytes: `${HEAD} c00c 0001 0001 00000005 0003 c00002` },
    {
      story: "rdata longer than its type",
      bytes: `${HEAD} c00c 0001 0001 00000005 0005 c000020100`,
    },
    { story: "an MX whose name runs out", bytes: `${HEAD} c00c 000f 0001 00000005 0004 000a 0161` },
    {
      story: "a name that points to itself",
      bytes: `${HEAD} c013 0001 0001 00000005 0004 c0000201`,
    },
    { story: "a DNAME compressed", bytes: `${HEAD} c00c 0027 0001 00000005 0002 c00c` },
    {
      story: "bytes behind the last record",
      bytes: `${HEAD} c00c 0001 0001 00000005 0004 c0000201 00`,
    },
    { story: "a count beyond the bytes", bytes: "1234 8400 0001 ffff 0000 0000 0161 00 0001 0001" },
    { story: "an OPT among the answers", bytes: `${HEAD} 00 0029 04d0 00000000 0000` },
    {
      story: "an OPT with half an option",
      bytes: "1234 8400 0000 0000 0000 0001 00 0029 04d0 00000000 0002 0003",
    },
  ])("$story is no message", ({ bytes }) => {
    expect(decodeMessage(Uint8Array.fromHex(bytes.replaceAll(" ", "")))).toBeUndefined();
  });

  test("an SRV compressed, which its RFC forbids and RFC 3597 would have read", () => {
    const bytes = `${HEAD} c00c 0021 0001 00000005 0008 0001 0002 0003 c00c`.replaceAll(" ", "");
    expect(decodeMessage(Uint8Array.fromHex(bytes))?.answers[0]?.rdata.toHex()).toBe(
      "000100020003016100",
    );
  });
});

test("what is written is read", () => fc.assert(properties.readsWhatIsWritten));
test("only its bytes count", () => fc.assert(properties.readsOnlyItsBytes, { numRuns: 300 }));
