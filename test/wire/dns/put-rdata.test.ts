import { expect, test } from "bun:test";

import { Compression } from "../../../src/wire/dns/compression.ts";
import { putRdata } from "../../../src/wire/dns/put-rdata.ts";
import { TYPE } from "../../../src/wire/dns/types.ts";

/** `a.b`, and the message behind twelve bytes of header that already has it. */
const NAME = "0161016200";

test.each([
  { story: "a name that is known", type: TYPE.NS, rdata: NAME, is: "c00c" },
  { story: "a label before it", type: TYPE.CNAME, rdata: `0163${NAME}`, is: "0163c00c" },
  { story: "a number, then a name", type: TYPE.MX, rdata: `000a${NAME}`, is: "000ac00c" },
  {
    story: "two names, then numbers",
    type: TYPE.SOA,
    rdata: `${NAME}${NAME}00000001`,
    is: "c00cc00c00000001",
  },
  { story: "no name of RFC 1035", type: TYPE.SRV, rdata: `000000000050${NAME}`, is: "same" },
  { story: "bytes", type: TYPE.A, rdata: "c0000207", is: "same" },
  { story: "a name without an end", type: TYPE.NS, rdata: "0161", is: "same" },
  {
    story: "half a number where a number and a name should be",
    type: TYPE.MX,
    rdata: "07",
    is: "same",
  },
  { story: "nothing where a name should be", type: TYPE.NS, rdata: "", is: "same" },
])("$story", ({ type, rdata, is }) => {
  const wanted = is === "same" ? rdata : is;
  const write = (limit: number): string | undefined => {
    const out = new Uint8Array(64);
    out.set(Uint8Array.fromHex(NAME), 12);
    const names = new Compression();
    names.begin(out, 0, 12);
    const bytes = Uint8Array.fromHex(`ff${rdata}ff`);
    const end = putRdata(names, type, bytes, 1, bytes.length - 1, out, 20, limit);
    return end < 0 ? undefined : out.subarray(20, end).toHex();
  };
  expect(write(64)).toBe(wanted);
  expect(write(20 + wanted.length / 2)).toBe(wanted);
  if (wanted !== "") expect(write(20 + wanted.length / 2 - 1)).toBeUndefined();
});
