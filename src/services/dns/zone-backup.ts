import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../sys/durable.ts";

const NEWLINE = 0x0a;
const contents = v.array(
  v.strictObject({ path: v.string(), length: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
);

/** The files of a zone when it was last whole: its own, and those it includes. */
export type ZoneTexts = ReadonlyMap<string, Uint8Array>;

/**
 * Keep them at `path`, so that a process which starts while a file is broken has the zone all the
 * same. One file: a line of JSON says what is in it, their bytes follow. Throws Error.
 */
export async function keepBackup(path: string, texts: ZoneTexts): Promise<void> {
  const files = [...texts];
  const heading = JSON.stringify(files.map(([name, { length }]) => ({ path: name, length })));
  const parts = [new TextEncoder().encode(`${heading}\n`), ...files.map(([, bytes]) => bytes)];
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, Buffer.concat(parts));
}

/** What was kept; undefined when there is nothing, or nothing that can be read. */
export async function readBackup(path: string): Promise<ZoneTexts | undefined> {
  try {
    const whole = new Uint8Array(await readFile(path));
    const end = whole.indexOf(NEWLINE);
    const heading = new TextDecoder().decode(whole.subarray(0, end));
    const texts = new Map<string, Uint8Array>();
    let at = end + 1;
    for (const { path: name, length } of v.parse(contents, JSON.parse(heading))) {
      texts.set(name, whole.subarray(at, at + length));
      at += length;
    }
    return at === whole.length ? texts : undefined;
  } catch {
    return undefined;
  }
}
