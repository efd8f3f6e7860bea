import { expect, test } from "bun:test";

import fc from "fast-check";

import { noAcknowledgement, readAcknowledgement } from "../../../src/wire/udt/acknowledgement.ts";
import { parseHandshake, showHandshake, wireAddress } from "../../../src/wire/udt/handshake.ts";
import { eachLoss } from "../../../src/wire/udt/loss-report.ts";
import { emit, type Packet, parse, show } from "../../../src/wire/udt/packet.ts";
import * as formats from "./formats.properties.ts";

/** What libudt 4.11 sent, taken off a relay between its two ends; payloads of data are cut. */
const CAPTURED: readonly { story: string; hex: string; shows: string }[] = [
  {
    story: "a client asks",
    hex: "80000000000000000000000000000000000000040000000172f6db48000005dc000020000000000116bed3b5000000000100007f000000000000000000000000",
    shows: "handshake info=0 to=0 length=48",
  },
  {
    story: "the server gives a cookie",
    hex: "80000000000000000000000016bed3b5000000040000000172f6db48000005dc000020000000000116bed3b5c5d4fa600100007f000000000000000000000000",
    shows: "handshake info=0 to=381604789 length=48",
  },
  {
    story: "the first packet of a send",
    hex: "72f6db488000000100000d090afd421100070e15",
    shows: "data seq=1928780616 message=1 first to=184369681 length=4",
  },
  {
    story: "in the middle of it",
    hex: "72f6db490000000100000d710afd421111181f26",
    shows: "data seq=1928780617 message=1 middle to=184369681 length=4",
  },
  {
    story: "the last of it",
    hex: "72f6db71400000010006cf800afd4211252c333a",
    shows: "data seq=1928780657 message=1 last to=184369681 length=4",
  },
  {
    story: "one is missing",
    hex: "80030000000000000000000016bed3b572f6db4a",
    shows: "nak info=0 to=381604789 length=4",
  },
  {
    story: "two are missing",
    hex: "8003000000000000000000000471be0ae18bf240618bf241",
    shows: "nak info=0 to=74563082 length=8",
  },
  {
    story: "an acknowledgement with the speed",
    hex: "80020000000000010000000016bed3b572f6db4a000186a00000c35000001ffd00005d02000003e8",
    shows: "ack info=1 to=381604789 length=24",
  },
  {
    story: "and one without",
    hex: "80020000000000030000000016bed3b572f6db7200012c0500010ac700001feb",
    shows: "ack info=3 to=381604789 length=16",
  },
  {
    story: "an acknowledgement of that",
    hex: "8006000000000001000000000afd421100000000",
    shows: "ack2 info=1 to=184369681 length=4",
  },
  {
    story: "a message that was too old",
    hex: "8007000000000004000000001271e1d0618bf24a618bf24b",
    shows: "drop info=4 to=309453264 length=8",
  },
  {
    story: "still there",
    hex: "8001000000000000000000000471be0a00000000",
    shows: "keepalive info=0 to=74563082 length=4",
  },
  {
    story: "gone",
    hex: "8005000000000000000000000afd421100000000",
    shows: "shutdown info=0 to=184369681 length=4",
  },
];

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

test.each([...CAPTURED])("libudt: $story", ({ hex, shows }) => {
  const packet = parse(bytesOf(hex));
  expect(packet && show(packet)).toBe(shows);
  const out = new Uint8Array(2000);
  expect(Buffer.from(out.subarray(0, emit(packet as Packet, out))).toString("hex")).toBe(hex);
});

test("libudt's handshake", () => {
  const bytes = bytesOf(CAPTURED[1]!.hex);
  const hello = parseHandshake(bytes, 0, bytes.length);
  expect(hello && showHandshake(hello)).toBe(
    "handshake ask=1 id=381604789 initial=1928780616 mss=1500 window=8192",
  );
  expect(hello?.address).toEqual(wireAddress(Uint8Array.of(127, 0, 0, 1)));
});

test("libudt's acknowledgement", () => {
  const ack = noAcknowledgement();
  const bytes = bytesOf(CAPTURED[7]!.hex);
  expect(readAcknowledgement(ack, bytes, 0, bytes.length)).toBe(true);
  expect(ack).toMatchObject({
    kind: "full",
    number: 1,
    next: 1_928_780_618,
    rtt: 100_000,
    rttVariance: 50_000,
    free: 8189,
    speed: 23_810,
    capacity: 1000,
  });
});

test.each([
  { story: "nothing", hex: "" },
  { story: "a byte short", hex: "800100000000000000000000000000" },
  { story: "a kind that is none", hex: "80090000000000000000000000000000" },
])("not UDT: $story", ({ hex }) => {
  expect(parse(bytesOf(hex))).toBeUndefined();
});

test("what is read is written back", () => {
  fc.assert(formats.readsWhatIsWritten);
});
test("handshakes too", () => {
  fc.assert(formats.handshakes);
});
test("acknowledgements too", () => {
  fc.assert(formats.acknowledgements);
});

test("reports of loss: what is written is read, and noise is no range backwards", () => {
  fc.assert(formats.lossReports);
});

test.each<{ story: string; words: number[]; ranges: number[][]; whole: boolean }>([
  { story: "nothing is missing", words: [], ranges: [], whole: true },
  { story: "one packet", words: [7], ranges: [[7, 7]], whole: true },
  {
    story: "a range, then one",
    words: [0x8000_0007, 9, 12],
    ranges: [
      [7, 9],
      [12, 12],
    ],
    whole: true,
  },
  {
    story: "a range over the end of the numbers",
    words: [0xffff_ffff, 1],
    ranges: [[0x7fff_ffff, 1]],
    whole: true,
  },
  {
    story: "a range the wrong way round",
    words: [3, 0x8000_0007, 6],
    ranges: [[3, 3]],
    whole: false,
  },
  { story: "a range without an end", words: [3, 0x8000_0007], ranges: [[3, 3]], whole: false },
  {
    story: "a range that ends in a range",
    words: [0x8000_0007, 0x8000_0009],
    ranges: [],
    whole: false,
  },
])("a report of loss: $story", ({ words, ranges, whole }) => {
  const bytes = new Uint8Array(words.length * 4);
  for (const [i, one] of words.entries()) new DataView(bytes.buffer).setUint32(i * 4, one);
  const read: number[][] = [];
  expect(eachLoss(bytes, 0, bytes.length, (...range) => read.push(range) > 0)).toBe(whole);
  expect(read).toEqual(ranges);
});
