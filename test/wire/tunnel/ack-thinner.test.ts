import { describe, expect, test } from "bun:test";

import { AckThinner } from "../../../src/wire/tunnel/ack-thinner.ts";

const TRAILER = 16;
const RTT = 30_000;
const GAP = 10_000;

interface Ack {
  readonly number?: number;
  readonly port?: number;
  readonly flags?: number;
  readonly options?: readonly number[];
  readonly data?: number;
  readonly six?: boolean;
  readonly fragment?: number;
}

/** A packet with TCP's header, and a trailer of zeros. */
function ack({ number = 1, port = 80, flags = 0x10, options = [], data = 0, six, fragment }: Ack) {
  const own = six === true ? 40 : 20;
  const length = own + 20 + options.length + data + TRAILER;
  const bytes = new Uint8Array(new ArrayBuffer(length));
  const view = new DataView(bytes.buffer);
  bytes[0] = six === true ? 0x60 : 0x45;
  bytes[six === true ? 6 : 9] = 6;
  if (fragment !== undefined) view.setUint16(6, fragment);
  view.setUint16(own, port);
  view.setUint32(own + 8, number);
  view.setUint16(own + 12, ((20 + options.length) << 10) | flags);
  bytes.set(options, own + 20);
  return { bytes, view };
}

function thinner() {
  const one = new AckThinner();
  return {
    one,
    keep: (what: Ack, now: number): boolean => {
      const memory = ack(what);
      return one.keep(memory, 0, memory.bytes.length, TRAILER, RTT, now);
    },
    /** The number that the next says that is due; undefined: none is. */
    due: (now: number): number | undefined => {
      const into = ack({ data: 100 });
      return one.take(now, into, 0) === 0 ? undefined : into.view.getUint32(28);
    },
  };
}

describe("acknowledgements of a stream", () => {
  test("the first goes at once, and then the newest once in a third of a round trip", () => {
    const { one, keep, due } = thinner();
    expect(keep({ number: 1 }, 0)).toBe(false);
    expect([2, 3, 4].map((number) => keep({ number }, number * 1000))).toEqual([true, true, true]);
    expect(one.wakeAt).toBe(GAP);
    expect(due(GAP - 1)).toBeUndefined();
    expect(due(GAP)).toBe(4);
    expect([one.wakeAt, one.thinned, due(GAP)]).toEqual([Infinity, 2, undefined]);
    expect(keep({ number: 5 }, GAP + 1)).toBe(true);
    expect(due(2 * GAP)).toBe(5);
    expect(keep({ number: 6 }, 3 * GAP)).toBe(false);
  });

  const timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
  const sack = [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2];
  test.each<{ story: string; what: Ack; kept: boolean }>([
    { story: "with timestamps", what: { number: 3, options: timestamps }, kept: true },
    { story: "after number 2^32", what: { number: 0x8000_0000 }, kept: true },
    { story: "the same again, since something is missing", what: { number: 2 }, kept: false },
    { story: "an older one", what: { number: 1 }, kept: false },
    { story: "of another stream", what: { number: 3, port: 81 }, kept: false },
    { story: "with SACK", what: { number: 3, options: sack }, kept: true },
    { story: "with data", what: { number: 3, data: 1 }, kept: false },
    { story: "with FIN", what: { number: 3, flags: 0x11 }, kept: false },
    { story: "with RST", what: { number: 3, flags: 0x14 }, kept: false },
    { story: "with SYN", what: { number: 3, flags: 0x12 }, kept: false },
    { story: "with PSH", what: { number: 3, flags: 0x18 }, kept: false },
    { story: "with ECE", what: { number: 3, flags: 0x50 }, kept: false },
    { story: "with accurate ECN", what: { number: 3, flags: 0x110 }, kept: false },
    { story: "in fragments", what: { number: 3, fragment: 0x2000 }, kept: false },
    { story: "an option of no length", what: { number: 3, options: [8, 0, 0, 0] }, kept: true },
  ])("$story: kept is $kept", ({ what, kept }) => {
    const { keep } = thinner();
    keep({ number: 2 }, 0);
    expect(keep(what, 1)).toBe(kept);
  });

  test("over IPv6", () => {
    const { keep } = thinner();
    expect(keep({ number: 2, six: true }, 0)).toBe(false);
    expect(keep({ number: 3, six: true }, 1)).toBe(true);
  });

  test("of many streams none waits for longer than that", () => {
    const { one, keep, due } = thinner();
    for (let port = 1; port <= 40; port++) keep({ port }, port * 100);
    for (let port = 40; port >= 1; port--) keep({ port, number: 2 }, 5000);
    for (let i = 0; i < 40; i++) {
      expect(one.wakeAt).toBeLessThanOrEqual(5000 + GAP);
      expect(due(5000 + GAP)).toBe(2);
    }
    expect(due(Infinity)).toBeUndefined();
  });
});
