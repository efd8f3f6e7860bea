/**
 * What is known of a copy, beside its data: which versions the data may be, newest first. There is
 * one, but while a newer one takes the place of an older one, and after a crash in that moment.
 *
 *     tern-copy 1 5f3a09c1          name, format, CRC-32 of the rest in hex
 *     {"key":"/a","versions":[...]}
 */
import { crc32 } from "node:zlib";

import * as v from "valibot";

/** Orders all writes of one name: the later one is the greater. */
export interface Stamp {
  /** Milliseconds since 1970, or one more than the version before it. */
  readonly time: number;
  /** Who wrote it: of two at one time the greater word wins. */
  readonly by: string;
}

/** Bytes that have a checksum of their own: they are verified before any of them is sent. */
export const BLOCK = 2 ** 20;

const stamp = v.object({ time: v.number(), by: v.string() }); // this order is the record's
const file = v.object({
  kind: v.literal("file"),
  stamp,
  size: v.number(),
  /** When the client says it was changed; milliseconds since 1970. */
  mtime: v.number(),
  /** From when on it is as if it had been deleted; milliseconds since 1970. */
  until: v.optional(v.number()),
  /** Content-Type, when the client said one. */
  type: v.optional(v.string()),
  /** What a front is to be told again: S3's metadata, sums that clients want to have. */
  meta: v.optional(v.record(v.string(), v.string())),
  /** Hex; of the whole. */
  sha256: v.string(),
  /** CRC-32 of each block, little-endian, base64. */
  blocks: v.string(),
});
const deleted = v.object({ kind: v.literal("deleted"), stamp });
/** Data without a record that were here before: of an old 3fsd. Nothing is known of their bytes. */
const bare = v.object({ kind: v.literal("bare"), size: v.number(), mtime: v.number() });
const record = v.object({
  key: v.string(),
  versions: v.array(v.variant("kind", [file, deleted, bare])),
});

export type FileVersion = v.InferOutput<typeof file>;
export type DeletedVersion = v.InferOutput<typeof deleted>;
export type BareVersion = v.InferOutput<typeof bare>;
export type Version = FileVersion | DeletedVersion | BareVersion;
export interface CopyRecord {
  readonly key: string;
  /** Newest first; never empty when it is read. */
  readonly versions: readonly Version[];
}

const HEAD = /^tern-copy 1 ([0-9a-f]{8})\n/;

/** The bytes of a record. */
export function emitRecord(given: CopyRecord): Uint8Array {
  const { key, versions } = given;
  const body = Buffer.from(`${JSON.stringify({ key, versions: versions.map(inOrder) })}\n`);
  const sum = crc32(body).toString(16).padStart(8, "0");
  return Buffer.concat([Buffer.from(`tern-copy 1 ${sum}\n`), body]);
}

/** Keys in one order, whoever made the version: so equal copies have equal records. */
function inOrder(version: Version): Version {
  switch (version.kind) {
    case "file": {
      const { kind, stamp: made, size, mtime, until, type, meta, sha256, blocks } = version;
      return {
        kind,
        stamp: made,
        size,
        mtime,
        ...(until !== undefined && { until }),
        ...(type !== undefined && { type }),
        ...(meta !== undefined && { meta }),
        sha256,
        blocks,
      };
    }
    case "deleted":
      return { kind: version.kind, stamp: version.stamp };
    case "bare":
      return { kind: version.kind, size: version.size, mtime: version.mtime };
  }
}

/** Undefined when it is none, or not whole. */
export function parseRecord(bytes: Uint8Array): CopyRecord | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = HEAD.exec(buffer.toString("latin1", 0, 24));
  if (!head) return undefined;
  const body = buffer.subarray(head[0].length);
  if (crc32(body) !== Number.parseInt(head[1] ?? "", 16)) return undefined;
  try {
    const read = v.safeParse(record, JSON.parse(body.toString("utf8")));
    return read.success && read.output.versions.length > 0 ? read.output : undefined;
  } catch {
    return undefined; // the checksum of something that is no JSON
  }
}

/** For logs: `1700000000000 of 3f9a1c02`. */
export function showStamp({ time, by }: Stamp): string {
  return `${time} of ${by}`;
}

/** What has no stamp is older than whatever has one. */
const OLDEST: Stamp = { time: 0, by: "" };

/** The stamp of a version. */
export function stampOf(version: Version): Stamp {
  return version.kind === "bare" ? OLDEST : version.stamp;
}

/** Negative when `a` is older than `b`, 0 when they are the same. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.by === b.by) return 0;
  return a.by < b.by ? -1 : 1;
}

/** Negative when `a` is older than `b`. Of two without a stamp the one changed later is newer. */
export function compareVersions(a: Version, b: Version): number {
  if (a.kind === "bare" && b.kind === "bare") return a.mtime - b.mtime;
  return compareStamps(stampOf(a), stampOf(b));
}

/** Are these the same version, so that one copy can be read on in another? */
export function sameVersion(a: Version, b: Version): boolean {
  if (a.kind === "bare" || b.kind === "bare")
    return a.kind === b.kind && a.kind === "bare" && b.kind === "bare" && a.size === b.size;
  return a.kind === b.kind && compareStamps(a.stamp, b.stamp) === 0;
}

/** The checksums of a version's blocks. */
export function blocksOf({ blocks }: FileVersion): Uint32Array {
  const bytes = Buffer.from(blocks, "base64");
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
}

/** Checksums of a body as it passes. */
export class Checksums {
  readonly #whole = new Bun.CryptoHasher("sha256");
  readonly #blocks: number[] = [];
  #sum = 0;
  /** Bytes in the block that is not full yet. */
  #filled = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(bytes: Uint8Array): void {
    this.#whole.update(bytes);
    this.#size += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + BLOCK - this.#filled);
      this.#sum = crc32(piece, this.#sum);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === BLOCK) this.#next();
    }
  }

  /** Call it once, behind the last byte. */
  finish(): { size: number; sha256: string; blocks: string } {
    if (this.#filled > 0) this.#next();
    const bytes = Buffer.alloc(this.#blocks.length * 4);
    for (const [i, sum] of this.#blocks.entries()) bytes.writeUInt32LE(sum, i * 4);
    return {
      size: this.#size,
      sha256: this.#whole.digest("hex"),
      blocks: bytes.toString("base64"),
    };
  }

  #next(): void {
    this.#blocks.push(this.#sum);
    this.#sum = 0;
    this.#filled = 0;
  }
}
