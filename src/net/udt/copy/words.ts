import * as v from "valibot";

/**
 * What two terns say to one another when a file is copied over a stream. Everything but the file is
 * a word: its length (32 bits, big-endian), then JSON. Whoever connected begins with MAGIC.
 *
 *     connector  MAGIC Hello          which of the two has the file
 *     sender     Offer                its name and size
 *     receiver   Want                 what he has of it from an earlier time
 *     sender     Go                   from where on he gets it
 *     sender     chunks               length (32 bits), bytes; the last one is empty
 *     sender     Done                 SHA-256 of the whole file
 *     receiver   Result               whether it is the same
 *
 * libudt's recvfile begins with the length of a name as its machine writes it, which cannot be MAGIC.
 */
export const MAGIC = new TextEncoder().encode("ternudt1");

/** Most bytes of a word. */
export const MAX_WORD = 16 * 1024;
/** Most bytes of a chunk: SHA-256 of more would keep a slow processor from its packets for too long. */
export const MAX_CHUNK = 128 * 1024;
const MAX_NAME = 4096;

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** `name`: which file a receiver would like; undefined: whatever the sender has. */
export const Hello = v.object({
  role: v.picklist(["send", "receive"]),
  name: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME))),
});
/** `size` is undefined for a pipe, which nobody knows the end of. `refused`: there is no file. */
export const Offer = v.object({
  name: v.pipe(v.string(), v.maxLength(MAX_NAME)),
  size: v.optional(size),
  refused: v.optional(v.string()),
});
/** The first `have` bytes are there already, and this is their hash. `refused`: the file is not wanted. */
export const Want = v.object({
  have: size,
  sha256: v.optional(sha256),
  refused: v.optional(v.string()),
});
export const Go = v.object({ from: size });
export const Done = v.object({ sha256 });
export const Result = v.object({ same: v.boolean() });

/** A word as it is sent. */
export function emitWord(word: object): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(word));
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  return bytes;
}

/** What the JSON of a word says; undefined when it is not such a word. */
export function parseWord<const S extends v.GenericSchema>(
  schema: S,
  json: Uint8Array,
): v.InferOutput<S> | undefined {
  try {
    const { success, output } = v.safeParse(
      schema,
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)),
    );
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
