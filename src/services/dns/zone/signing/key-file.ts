import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { openDurable } from "../../../../sys/durable.ts";
import { ZoneKey } from "./zone-key.ts";

/**
 * The key of the zone `name` (as people write it) in `directory`, made when there is none. It is on
 * disk, 0600, before it is used; of several processes that make one at once, one wins and all have
 * its. Rejects when the file is there but no key of P-256.
 */
export async function zoneKey(directory: string, name: string): Promise<ZoneKey> {
  const path = join(directory, `${encodeURIComponent(name)}.key`);
  const there = await read(path);
  if (there) return there;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = ZoneKey.generate();
  await using file = await openDurable(path);
  await file.write(new TextEncoder().encode(made.pem));
  if ((await file.commit("new")) === "done") return made;
  const theirs = await read(path);
  if (theirs === undefined) throw new Error(`${path} comes and goes`);
  return theirs;
}

async function read(path: string): Promise<ZoneKey | undefined> {
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return ZoneKey.fromPem(pem);
  } catch (error) {
    throw new Error(`${path} is no key to sign with`, { cause: error });
  }
}
