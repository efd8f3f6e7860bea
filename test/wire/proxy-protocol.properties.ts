import { expect } from "bun:test";

import fc from "fast-check";

import type { Address } from "../../src/core/address.ts";
import { parseIp, showIp } from "../../src/core/ip.ts";
import { emitV1, emitV2, MAX_V1, MAX_V2, parseProxy } from "../../src/wire/proxy-protocol.ts";
import { latin1, views } from "./canary.ts";

export const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
export const SIGNATURE = "0d0a0d0a 000d0a51 5549540a";
export const LURE = "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n".repeat(3);

export const tcp = (host: string, port: number): Address => ({ kind: "tcp", host, port });
const host = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`no address: ${text}`);
  return showIp(ip);
});
const end = fc.tuple(host, fc.nat(65535)).map(([h, port]) => tcp(h, port));

export const readsWhatIsWritten = fc.property(
  end,
  end,
  fc.constantFrom(emitV1, emitV2),
  (source, destination, emit) => {
    const bytes = emit(source, destination);
    expect(parseProxy(bytes)).toEqual({ length: bytes.length, source, destination });
    expect(bytes.length).toBeLessThanOrEqual(emit === emitV1 ? MAX_V1 : MAX_V2);
  },
);

const words = fc.array(
  fc.constantFrom("TCP4", "TCP6", "UNKNOWN", "1.2.3.4", "::1", "80", " ", "\r\n", "\n", "x"),
);
const soup = fc.oneof(
  words.map((w) => latin1(`PROXY ${w.join("")}`)),
  words.map((w) => latin1(`PROXY ${w.join(" ")}\r\n`)),
  fc.uint8Array().map((b) => Uint8Array.from([...hex(SIGNATURE), ...b])),
  fc.uint8Array(),
);

export const readsOnlyItsBytes = fc.property(soup, (bytes) => {
  const first = parseProxy(bytes);
  for (const view of views(bytes, LURE)) expect(parseProxy(view)).toEqual(first);
  if (typeof first === "object") expect(first.length).toBeLessThanOrEqual(bytes.length);
  // Once decided, more bytes change nothing.
  if (first !== "incomplete") expect(parseProxy(Uint8Array.from([...bytes, 10]))).toEqual(first);
});
