import { Answers } from "../../../../src/services/dns/answers.ts";
import type { Tail } from "../../../../src/services/dns/tail.ts";
import { ZoneAnswerer } from "../../../../src/services/dns/zone/zone-answerer.ts";
import { loadZone } from "../../../../src/services/dns/zone/zone-builder.ts";
import type { Zone } from "../../../../src/services/dns/zone/zone.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../../src/wire/dns/message.ts";
import { parseName, showName } from "../../../../src/wire/dns/name.ts";
import { ANSWER, HEADER, Query, readQuery } from "../../../../src/wire/dns/query.ts";
import { showRdata } from "../../../../src/wire/dns/rdata/show.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { parseType, showRcode, showType } from "../../../../src/wire/dns/types.ts";
import { FLAG } from "../../../../src/wire/dns/writer.ts";

/** That of the questions made here. */
export const RANDOM_SEED = 0x5eed;

/** A wire name, from one a test wrote. */
export function wire(text: string): Uint8Array {
  const name = parseName(text);
  if (name === undefined) throw new Error(`no name: ${text}`);
  return name;
}

/** The zone of a master file that is good; four spaces of indentation are the test's. */
export function zoneOf(origin: string, text: string): Zone {
  const built = loadZone(text.replace(/^ {4}/gm, ""), { file: "test.zone", origin: wire(origin) });
  if (!built.ok) throw new Error(built.problems.map((p) => `${p.line}: ${p.message}`).join("\n"));
  return built.zone;
}

/** A question as a message: with EDNS, and room for answers of 4096 bytes. */
export function questionMessage(
  id: number,
  name: string,
  type: number,
  dnssec: boolean,
): Uint8Array {
  const bytes = encodeMessage({
    id,
    flags: 0,
    opcode: 0,
    rcode: 0,
    questions: [{ name: wire(name), type, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: { udpSize: 4096, version: 0, do: dnssec, compact: false, options: [] },
  });
  if (bytes === undefined) throw new Error(`too long: ${name}`);
  return bytes;
}

/** A question read from its message: `www.example.net A`, `+do` behind it for DNSSEC. */
export function question(text: string): { bytes: Uint8Array; query: Query } {
  const [name = "", type = "", ...more] = text.split(" ");
  const number = parseType(type);
  if (number === undefined) throw new Error(`no type: ${text}`);
  const bytes = questionMessage(4711, name, number, more.includes("+do"));
  const query = new Query(RANDOM_SEED);
  if (readQuery(bytes, 0, bytes.length, query) !== ANSWER) throw new Error(`refused: ${text}`);
  return { bytes, query };
}

/** The message that has this tail, whole, read again by another's reader. */
export function messageOf(bytes: Uint8Array, query: Query, tail: Tail): Message {
  const out = new Uint8Array(0xffff);
  const view = new DataView(out.buffer);
  view.setUint16(0, query.id);
  view.setUint16(2, FLAG.QR | (tail.authoritative ? FLAG.AA : 0) | tail.rcode);
  view.setUint16(4, 1);
  view.setUint16(6, tail.answers);
  view.setUint16(8, tail.authorities);
  view.setUint16(10, tail.additionals);
  out.set(bytes.subarray(query.qnameStart, query.questionEnd), HEADER);
  const end = tail.copy(out, HEADER + query.questionEnd - query.qnameStart, tail.length);
  const message = decodeMessage(out.subarray(0, end));
  if (message === undefined) throw new Error("the answer cannot be read");
  return message;
}

const answerer = new ZoneAnswerer();

/** An answer as people read it. */
export interface Said {
  readonly status: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

/** What `zone` says; the answer goes through a cache on the way, which must not change it. */
export function ask(zone: Zone, text: string): Said {
  const { bytes, query } = question(text);
  const cache = new Answers(1 << 20);
  cache.add(query, answerer.answer(zone, bytes, query));
  const kept = cache.find(query);
  if (kept === undefined) throw new Error("not kept");
  return shown(messageOf(bytes, query, kept));
}

export function shown(message: Message): Said {
  const aa = message.flags & FLAG.AA ? " aa" : "";
  return {
    status: `${showRcode(message.rcode)}${aa}`,
    answer: message.answers.map(showRecord),
    authority: message.authorities.map(showRecord),
    additional: message.additionals.map(showRecord),
  };
}

export function showRecord({ name, ttl, type, rdata }: Rr): string {
  return `${showName(name)} ${ttl} ${showType(type)} ${showRdata(type, rdata)}`;
}
