import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { FlowOrder } from "../../../src/wire/tunnel/flow-order.ts";
import { flowOf, FLOWS, UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import { NUMBERS } from "../../../src/wire/tunnel/fragment.ts";

const PATIENCE = 1000;

function order() {
  const got: number[] = [];
  const broken: number[] = [];
  const take = (packet: Uint8Array): void => void got.push(packet[0] ?? -1);
  const out = { deliver: take, late: take, broken: (flow: number) => void broken.push(flow) };
  return { got, broken, flows: new FlowOrder(PATIENCE, out) };
}

describe("packets of one flow", () => {
  test.each([
    { story: "in a row", came: [0, 1, 2], got: [0, 1, 2] },
    { story: "one late", came: [1, 2, 0, 3], got: [0, 1, 2, 3] },
    { story: "one missing holds up the rest", came: [0, 2, 3], got: [0] },
    { story: "one twice while it waits", came: [1, 1, 0], got: [0, 1] },
  ])("$story", ({ came, got }) => {
    const one = order();
    for (const number of came as readonly number[])
      one.flows.take(7, number, Uint8Array.of(number), 0);
    expect(one.got).toEqual([...got]);
  });

  test("one that never comes is not waited for any longer", () => {
    const { flows, got, broken } = order();
    flows.take(7, 0, Uint8Array.of(0), 0);
    flows.take(7, 2, Uint8Array.of(2), 10);
    flows.take(7, 4, Uint8Array.of(4), 20);
    expect(flows.wakeAt).toBe(10 + PATIENCE);
    flows.expire(9 + PATIENCE);
    expect(got).toEqual([0]);
    flows.expire(10 + PATIENCE);
    expect(got).toEqual([0, 2]);
    flows.expire(10 + 2 * PATIENCE);
    expect([got, broken]).toEqual([
      [0, 2, 4],
      [7, 7],
    ]);
    flows.take(7, 1, Uint8Array.of(1), 5000); // better late than never
    expect([got, flows.bytes, flows.wakeAt]).toEqual([[0, 2, 4, 1], 0, Infinity]);
  });

  test("other flows go on", () => {
    const { flows, got } = order();
    flows.take(7, 1, Uint8Array.of(1), 0);
    flows.take(8, 0, Uint8Array.of(80), 0);
    flows.take(UNORDERED, 9, Uint8Array.of(99), 0);
    expect(got).toEqual([80, 99]);
  });

  test("numbers begin again after the last", () => {
    const { flows, got } = order();
    flows.take(7, NUMBERS - 2, Uint8Array.of(1), 0); // before the first: late
    flows.take(7, NUMBERS / 2 - 1, Uint8Array.of(2), 0);
    flows.expire(PATIENCE);
    flows.take(7, NUMBERS - 2, Uint8Array.of(3), PATIENCE);
    flows.expire(2 * PATIENCE);
    flows.take(7, 0, Uint8Array.of(5), 2 * PATIENCE);
    flows.take(7, NUMBERS - 1, Uint8Array.of(4), 2 * PATIENCE);
    expect(got).toEqual([1, 2, 3, 4, 5]);
  });

  test("whatever comes how, all of it is delivered, in order, once", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...Array(40).keys()], { minLength: 40 }),
        (came: number[]) => {
          const { flows, got } = order();
          for (const number of came) flows.take(1, number, Uint8Array.of(number), 0);
          expect([got, flows.bytes]).toEqual([came.toSorted((a, b) => a - b), 0]);
        },
      ),
    );
  });
});

describe("the flow of", () => {
  const ip4 = (protocol: number, ports: number, { flags = 0x10, data = 0, fragment = 0 } = {}) => {
    const bytes = new Uint8Array(new ArrayBuffer(40 + data));
    const view = new DataView(bytes.buffer);
    bytes[0] = 0x45;
    view.setUint16(6, fragment);
    bytes[9] = protocol;
    view.setUint32(12, 0x0a00_0001);
    view.setUint32(16, 0x0a00_0002);
    view.setUint32(20, ports);
    bytes[32] = 0x50;
    bytes[33] = flags;
    return flowOf({ bytes, view }, 0, bytes.length);
  };
  test.each([
    { story: "an acknowledgement of TCP", flow: ip4(6, 1), unordered: true },
    { story: "data of TCP", flow: ip4(6, 1, { data: 1 }), unordered: false },
    { story: "SYN", flow: ip4(6, 1, { flags: 2 }), unordered: false },
    { story: "FIN", flow: ip4(6, 1, { flags: 0x11 }), unordered: false },
    { story: "UDP", flow: ip4(17, 1), unordered: false },
    { story: "a fragment", flow: ip4(6, 1, { fragment: 100 }), unordered: false },
  ])("$story", ({ flow, unordered }) => {
    expect(flow === UNORDERED).toBe(unordered);
    if (!unordered) expect(flow).toBeLessThan(FLOWS);
  });

  test("connections is another for each, mostly", () => {
    const flows = new Set([...Array(100).keys()].map((port) => ip4(17, port)));
    expect(flows.size).toBeGreaterThan(90);
    expect(ip4(17, 5)).toBe(ip4(17, 5, { data: 30 }));
  });

  test("anything is a number", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (given) => {
        const bytes = new Uint8Array(new ArrayBuffer(given.length));
        bytes.set(given);
        const flow = flowOf({ bytes, view: new DataView(bytes.buffer) }, 0, bytes.length);
        expect(flow === UNORDERED || flow < FLOWS).toBe(true);
      }),
    );
  });
});
