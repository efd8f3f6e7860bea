import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseCidr } from "../../../src/core/cidr.ts";
import { Allowed } from "../../../src/wire/tunnel/allowed.ts";
import { sum } from "../../../src/wire/tunnel/checksum.ts";
import { clampMss } from "../../../src/wire/tunnel/mss.ts";
import { uncut } from "./segments.ts";
import * as properties from "./tunnel.properties.ts";

const networks = (...texts: string[]) => texts.flatMap((text) => parseCidr(text) ?? []);

/** A packet of that source. */
function from(source: string): DataView {
  const cidr = parseCidr(source);
  const words = cidr?.base.words ?? [];
  const view = new DataView(new ArrayBuffer(60));
  view.setUint8(3, words.length === 1 ? 0x45 : 0x60);
  for (const [i, word] of words.entries())
    view.setUint32(3 + (words.length === 1 ? 12 : 8) + 4 * i, word);
  return view;
}

test.each([
  ["10.0.0.2", ["10.0.0.2"], true],
  ["10.0.0.3", ["10.0.0.2"], false],
  ["10.9.8.7", ["192.0.2.0/24", "10.0.0.0/8"], true],
  ["11.9.8.7", ["192.0.2.0/24", "10.0.0.0/8"], false],
  ["203.0.113.9", ["0.0.0.0/0"], true],
  ["fd00::5", ["0.0.0.0/0"], false],
  ["fd00::5", ["10.0.0.0/8", "fd00::/8"], true],
  ["fd00::5", ["fd00::4/127"], true],
  ["fd00::5", ["fd00::6/127"], false],
  ["10.0.0.2", [], false],
])("%s is let in by %p: %p", (source, list, wanted) => {
  expect(new Allowed(networks(...list)).source(from(source), 3, 57)).toBe(wanted);
});

test("what is no packet comes from nobody", () => {
  const all = new Allowed(networks("0.0.0.0/0", "::/0"));
  expect(all.source(from("10.0.0.1"), 3, 19)).toBe(false);
  expect(all.source(from("fd00::1"), 3, 39)).toBe(false);
  expect(all.source(from("10.0.0.1"), 3, 0)).toBe(false);
  expect(all.source(new DataView(new ArrayBuffer(60)), 0, 60)).toBe(false);
});

describe("the MSS of a SYN", () => {
  /** A SYN with that many bytes of other options in front of the MSS. */
  function syn(version: 4 | 6, mss: number, before: number, flags = 0x02) {
    const packet = uncut({
      version,
      layer4: "tcp",
      payload: new Uint8Array(),
      size: 1,
      options: 12,
      flags,
    });
    const bytes = packet.slice(10);
    const view = new DataView(bytes.buffer);
    const tcp = version === 4 ? 20 : 40;
    view.setUint8(tcp + 20 + before, 2);
    view.setUint8(tcp + 21 + before, 4);
    view.setUint16(tcp + 22 + before, mss);
    const field = view.getUint16(tcp + 16);
    view.setUint16(tcp + 16, ~sum(bytes, tcp, 32) & 0xffff);
    return { bytes, view, tcp, pseudo: field };
  }
  const mssOf = ({ view, tcp }: ReturnType<typeof syn>, before: number) =>
    view.getUint16(tcp + 22 + before);

  test.each([
    { story: "is what fits", version: 4 as const, mss: 1460, before: 0, is: 1340 },
    { story: "wherever it is", version: 4 as const, mss: 1460, before: 3, is: 1340 },
    { story: "over IPv6", version: 6 as const, mss: 1440, before: 1, is: 1320 },
    { story: "is left when it is less", version: 4 as const, mss: 536, before: 0, is: 536 },
  ])("$story", ({ version, mss, before, is }) => {
    const packet = syn(version, mss, before);
    expect(clampMss(packet, 0, packet.bytes.length, 1380, false)).toBe(is !== mss);
    expect(mssOf(packet, before)).toBe(is);
    // The pseudo-header stands in the field at first, so that the sum of all is as it must be.
    const { bytes, tcp, pseudo } = packet;
    expect(sum(bytes, tcp, 32, pseudo)).toBe(0xffff);
  });

  test("of other packets is nobody's", () => {
    const packet = syn(4, 1460, 0, 0x10);
    expect(clampMss(packet, 0, packet.bytes.length, 1380, false)).toBe(false);
  });

  test("no bytes throw, and none behind the packet are touched", () =>
    fc.assert(properties.clampsAnything, { numRuns: 2000 }));
});
