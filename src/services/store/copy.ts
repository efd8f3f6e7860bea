/**
 * One copy on one member: data where 3fsd had them, and a record beside them. The order in which
 * both are written (see README.md) lets a crash at any moment leave the old version or the new one.
 */
import { crc32 } from "node:zlib";

import {
  type Facts,
  type Member,
  MemberError,
  type Reading,
  type Trouble,
  type Upload,
} from "./members/member.ts";
import type { Places } from "./names.ts";
import type { Still } from "./path-locks.ts";
import {
  BLOCK,
  blocksOf,
  compareVersions,
  type CopyRecord,
  type DeletedVersion,
  emitRecord,
  type FileVersion,
  parseRecord,
  sameVersion,
  type Version,
} from "./record.ts";

/** Longest record: of a file of some ten terabytes. */
const MAX_RECORD = 64 * 2 ** 20;
/** Records that are read in the thread itself where they can be: of files of some ten gigabytes. */
const MAX_NEAR = 64 * 1024;

/** How to look. */
export interface Looking {
  /** Data without a record count, as of an old 3fsd. */
  readonly bare: boolean;
  /** A record without any data is as none: a crash has left it, or somebody has removed them. */
  readonly thorough?: boolean;
}

/** What a member has of a name. */
export interface Held {
  /** The version that its data are; undefined when there is none, and never was. */
  readonly version: Version | undefined;
  /** The record speaks of one version only. */
  readonly settled: boolean;
}

/**
 * What `member` has. A record that cannot be read is an error, and not the same as none.
 */
export async function look(
  member: Member,
  places: Places,
  { bare, thorough = false }: Looking,
): Promise<Held> {
  const record = await readRecord(member, places.record);
  if (record === undefined) {
    const facts = bare ? await bareFacts(member, places.bare) : undefined;
    return { version: facts && { kind: "bare", ...facts }, settled: true };
  }
  const [only, ...others] = record.versions;
  if (others.length === 0) {
    const hollow =
      thorough && only?.kind === "file" && (await member.facts(places.data)) === undefined;
    return { version: hollow ? undefined : only, settled: !hollow };
  }
  for (const version of record.versions)
    if (await isThere(member, places, version)) return { version, settled: false };
  // None of them: the data are damaged, or gone. It is the newest that they should be.
  return { version: only, settled: false };
}

/** What is at `at` without a record. A name that is longer than the member takes is none that it has. */
async function bareFacts(member: Member, at: string): Promise<Facts | undefined> {
  try {
    return await member.facts(at);
  } catch (error) {
    if (error instanceof MemberError && error.trouble === "too-long") return undefined;
    throw error;
  }
}

/** The record at `at`; undefined when there is none. */
export async function readRecord(member: Member, at: string): Promise<CopyRecord | undefined> {
  const seen = member.near?.read(at, MAX_NEAR);
  if (seen === "absent") return undefined;
  const reading = seen === undefined ? await member.read(at, 0, MAX_RECORD) : undefined;
  if (seen === undefined && reading === undefined) return undefined;
  const bytes = reading === undefined ? seen?.bytes : await readAll(reading);
  const record = bytes && parseRecord(bytes);
  if (record === undefined)
    throw new MemberError("failed", `${member.where}: the record ${at} is damaged`);
  return record;
}

async function readAll(reading: Reading): Promise<Uint8Array> {
  try {
    const pieces: Uint8Array[] = [];
    for (let piece; (piece = await reading.next()) !== undefined;) pieces.push(piece);
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
  } finally {
    reading.close();
  }
}

/** Are the data this version? Of what is deleted there are none. */
export async function isThere(
  member: Pick<Member, "read">,
  places: Places,
  version: Version,
): Promise<boolean> {
  if (version.kind === "deleted") return isEmpty(member, places.data);
  const place = version.kind === "bare" ? places.bare : places.data;
  const reading = await member.read(place, 0, Infinity);
  if (reading === undefined) return false;
  try {
    if (reading.size !== version.size) return false;
    return version.kind === "bare" || (await hasBlocks(reading, version));
  } finally {
    reading.close();
  }
}

/** Nothing is there, or no file: a directory of names that came later. */
async function isEmpty(member: Pick<Member, "read">, at: string): Promise<boolean> {
  try {
    const reading = await member.read(at, 0, 1);
    reading?.close();
    return reading === undefined;
  } catch (error) {
    if (error instanceof MemberError && error.trouble !== "away") return true;
    throw error;
  }
}

async function hasBlocks(reading: Reading, version: FileVersion): Promise<boolean> {
  const sums = blocksOf(version);
  let at = 0;
  let sum = 0;
  for (let piece; (piece = await reading.next()) !== undefined;)
    for (let from = 0; from < piece.length;) {
      const part = piece.subarray(from, from + BLOCK - (at % BLOCK));
      sum = crc32(part, sum);
      from += part.length;
      at += part.length;
      if (at % BLOCK !== 0 && at !== version.size) continue;
      if (sum !== sums[Math.ceil(at / BLOCK) - 1]) return false;
      sum = 0;
    }
  return at === version.size;
}

/**
 * Let a finished upload be the copy. "superseded": a newer version is there, and stays. No step is
 * begun when it is not `still` our turn.
 */
export async function commit(
  member: Member,
  places: Places,
  key: string,
  before: Held,
  version: FileVersion,
  upload: Upload,
  still: Still,
): Promise<"done" | "superseded"> {
  const { version: old } = before;
  if (old !== undefined && compareVersions(old, version) > 0) {
    await upload.abort();
    return "superseded";
  }
  const another = old !== undefined && !sameVersion(old, version);
  const versions = another ? [version, old] : [version];
  still();
  const written = member.replace(places.record, emitRecord({ key, versions }), places.temporary);
  // Where nothing was, nobody can take one for the other: both may come in any order.
  if (old === undefined) {
    const [record, data] = await Promise.allSettled([written, upload.place(places.data)]);
    if (data.status === "rejected" && isForGood(data.reason)) {
      // Nor is a record to speak of what the member will never have.
      still();
      await member.remove(places.record).catch(() => {});
    }
    for (const done of [record, data]) if (done.status === "rejected") throw done.reason;
  } else {
    await written;
    still();
    await upload.place(places.data);
  }
  if (versions.length > 1) await settle(member, places, key, version, still);
  return "done";
}

/** A member that says so will never have it by this name. */
const FOR_GOOD: ReadonlySet<Trouble> = new Set(["refused", "too-long", "conflict"]);

function isForGood(error: unknown): boolean {
  return error instanceof MemberError && FOR_GOOD.has(error.trouble);
}

/** Let the copy be deleted: the record stays, so that an older version cannot come back. */
export async function bury(
  member: Member,
  places: Places,
  key: string,
  before: Held,
  version: DeletedVersion,
  still: Still,
): Promise<"done" | "superseded"> {
  if (before.version !== undefined && compareVersions(before.version, version) > 0)
    return "superseded";
  still();
  await member.replace(places.record, emitRecord({ key, versions: [version] }), places.temporary);
  // The record has said it all: data that stay are never looked at.
  still();
  await member.remove(places.data).catch(() => {});
  return "done";
}

/** The data are `version`, and the record need not speak of others any longer. */
export async function settle(
  member: Member,
  places: Places,
  key: string,
  version: Version,
  still: Still,
): Promise<void> {
  still();
  // Undone it costs a look at the data whenever somebody reads, and nothing else.
  await member
    .replace(places.record, emitRecord({ key, versions: [version] }), places.temporary)
    .catch(() => {});
}
