/**
 * A stored response as a file:
 *
 *     0   "TERNCH1\n"
 *     8   u32  bytes of the note, u32 its CRC-32
 *     16  u64  bytes of the body
 *     24  u32  CRC-32 of the body, u32 where the body begins
 *     32  u32  CRC-32 of these 32 bytes
 *     36  the note (JSON), spaces up to the body
 *
 * Numbers are little-endian. There is room behind the note, so that it can be renewed in place.
 */
import { crc32 } from "node:zlib";

import * as v from "valibot";

import { packFields, unpackFields } from "../../../../wire/http/caching/field-list.ts";
import type { Name, Sent } from "../entry.ts";

const MAGIC = Buffer.from("TERNCH1\n", "latin1");
const HEADER = 36;
/** Bodies begin at a multiple of it, with some of it to spare. */
const STEP = 512;
const SPARE = 128;
/** A longer note is none of ours: heads of responses are bounded. */
const MAX_NOTE = 1024 * 1024;

/** What is in the file of a response. */
export interface Response {
  readonly kind: "response";
  readonly name: Name;
  readonly sent: Sent;
  /** CRC-32 of what it says of itself. */
  readonly note: number;
  readonly body: BodyFacts;
}

/** Stands at a URL whose responses vary: see memory.ts. */
export interface ForkNote {
  readonly kind: "fork";
  readonly key: string;
  readonly names: readonly string[];
  readonly since: number;
}

export interface BodyFacts {
  readonly at: number;
  readonly length: number;
  readonly crc: number;
}

const text = v.string();
const texts = v.array(text);
const time = v.number();
const note = v.variant("kind", [
  v.object({
    kind: v.literal("response"),
    key: text,
    names: texts,
    variant: text,
    status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
    asked: time,
    came: time,
    fields: text,
  }),
  v.object({ kind: v.literal("fork"), key: text, names: texts, since: time }),
]);
type Note = v.InferOutput<typeof note>;

/** The file up to its body, of which length and checksum are known. */
export function emitResponse(
  { key, names, variant }: Name,
  { status, fields, asked, came }: Sent,
  body: Pick<BodyFacts, "length" | "crc">,
): Buffer<ArrayBuffer> {
  const packed = packFields(fields);
  return emit(
    { kind: "response", key, names: [...names], variant, status, asked, came, fields: packed },
    body,
  );
}

export function emitFork({ key, names, since }: Omit<ForkNote, "kind">): Buffer<ArrayBuffer> {
  return emit({ kind: "fork", key, names: [...names], since }, { length: 0, crc: 0 });
}

function emit(what: Note, { length, crc }: Pick<BodyFacts, "length" | "crc">): Buffer<ArrayBuffer> {
  const json = Buffer.from(JSON.stringify(what));
  const at = Math.ceil((HEADER + json.length + SPARE) / STEP) * STEP;
  const bytes = Buffer.alloc(at, " ");
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(json.length, 8);
  bytes.writeUInt32LE(crc32(json), 12);
  bytes.writeBigUInt64LE(BigInt(length), 16);
  bytes.writeUInt32LE(crc, 24);
  bytes.writeUInt32LE(at, 28);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
  json.copy(bytes, HEADER);
  return bytes;
}

/** Where the body begins, by the first bytes of a file; undefined when it is none of ours, or broken. */
export function bodyAt(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
  const at = bytes.readUInt32LE(28);
  return at < HEADER || at > MAX_NOTE || HEADER + bytes.readUInt32LE(8) > at ? undefined : at;
}

/** Read what `emit` wrote; `bytes` reach up to the body at least. Undefined when any of it is broken. */
export function parse(bytes: Buffer): Response | ForkNote | undefined {
  const at = bodyAt(bytes);
  if (at === undefined || bytes.length < at) return undefined;
  const json = bytes.subarray(HEADER, HEADER + bytes.readUInt32LE(8));
  if (crc32(json) !== bytes.readUInt32LE(12)) return undefined;
  const read = v.safeParse(note, fromJson(json));
  if (!read.success) return undefined;
  const said = read.output;
  if (said.kind === "fork") return said;
  const { key, names, variant, status, asked, came, fields } = said;
  return {
    kind: "response",
    name: { key, names, variant },
    sent: { status, fields: unpackFields(fields), asked, came },
    note: bytes.readUInt32LE(12),
    body: { at, length: Number(bytes.readBigUInt64LE(16)), crc: bytes.readUInt32LE(24) },
  };
}

function fromJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // not ours, though its checksum is right
  }
}
