import { encodeMessage, type Message } from "../../../../src/wire/dns/message.ts";
import { parseName } from "../../../../src/wire/dns/name.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { CLASS, TYPE } from "../../../../src/wire/dns/types.ts";
import { FLAG } from "../../../../src/wire/dns/writer.ts";

export const ORIGIN = wire("example.net");

export function wire(name: string): Uint8Array {
  return parseName(name) as Uint8Array;
}

/** Seconds of an SOA's timers. */
export interface Timers {
  readonly refresh?: number;
  readonly retry?: number;
  readonly expire?: number;
}

export function soa(serial: number, timers: Timers = {}): Rr {
  const { refresh = 3600, retry = 900, expire = 604_800 } = timers;
  const names = [...wire("ns1.example.net"), ...wire("admin.example.net")];
  const rdata = new Uint8Array(names.length + 20);
  rdata.set(names);
  const view = new DataView(rdata.buffer, names.length);
  for (const [i, number] of [serial, refresh, retry, expire, 300].entries())
    view.setUint32(4 * i, number);
  return { name: ORIGIN, type: TYPE.SOA, class: CLASS.IN, ttl: 300, rdata };
}

export function ns(): Rr {
  const rdata = wire("ns1.example.net");
  return { name: ORIGIN, type: TYPE.NS, class: CLASS.IN, ttl: 300, rdata };
}

/** `192.0.2.last` under `name`. */
export function a(name: string, last: number, more: Partial<Rr> = {}): Rr {
  const rdata = Uint8Array.of(192, 0, 2, last);
  return { name: wire(name), type: TYPE.A, class: CLASS.IN, ttl: 300, rdata, ...more };
}

/** A message of a transfer. */
export function part(
  id: number,
  type: number,
  answers: readonly Rr[],
  more: Partial<Message> = {},
): Uint8Array {
  return encodeMessage({
    id,
    flags: FLAG.QR | FLAG.AA,
    opcode: 0,
    rcode: 0,
    questions: [{ name: ORIGIN, type, class: CLASS.IN }],
    answers,
    authorities: [],
    additionals: [],
    ...more,
  }) as Uint8Array;
}
