import { open, unlink } from "node:fs/promises";

import { byName } from "../../../../wire/http/caching/field-list.ts";
import { type Entry, placeOf } from "../entry.ts";
import { bodyAt, emitResponse, parse, type Response } from "./record.ts";

/** The beginning of a file that is renewed. */
const BEGINNING = 64 * 1024;

/**
 * Bring the file of a response up to date with what is known of it now; where there is no room for
 * that, it goes. One that is another's, or not there, is left alone.
 */
export async function renewFile(path: string, entry: Entry): Promise<void> {
  const file = await open(path, "r+").catch(() => undefined); // it is not there any more
  if (file === undefined) return;
  try {
    const before = Buffer.alloc(BEGINNING);
    const { bytesRead } = await file.read(before, 0, before.length, 0);
    const record = parse(before.subarray(0, bytesRead));
    const at = bodyAt(before.subarray(0, bytesRead));
    if (record?.kind !== "response" || at === undefined) return;
    if (!isOf(entry, record)) return; // another worker has put a newer one there
    const { status, fields, asked, came } = entry;
    const bytes = emitResponse(entry, { status, fields, asked, came }, record.body);
    if (bytes.length === at) await file.write(bytes, 0, bytes.length, 0);
    else await unlink(path);
  } finally {
    await file.close();
  }
}

/** Has the file of a response the body of `entry`? */
function isOf(entry: Entry, { name, sent, body }: Response): boolean {
  if (placeOf(name) !== entry.place || body.length !== entry.body.length) return false;
  const [ours, theirs] = [byName(entry.fields), byName(sent.fields)];
  return (
    sent.asked <= entry.asked &&
    ["etag", "last-modified"].every((one) => ours.get(one) === theirs.get(one))
  );
}
