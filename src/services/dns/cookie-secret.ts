import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { sipKey } from "../../wire/dns/siphash.ts";

/** Bytes of a SipHash key. */
const LENGTH = 16;

/**
 * The key of server cookies: the one given in hex, or the one in `directory`, made by whoever is
 * first there: all workers must have the same, and those of before a restart too. Throws Error.
 */
export function cookieKey(hex: string | undefined, directory: string): Uint32Array {
  return sipKey(hex === undefined ? kept(directory) : fromHex(hex));
}

function fromHex(hex: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new Error("a cookie secret has 32 hex digits");
  return Uint8Array.fromHex(hex);
}

function kept(directory: string): Uint8Array {
  const file = join(directory, "cookie.key");
  try {
    return read(file);
  } catch {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const mine = `${file}.${process.pid}`;
    writeFileSync(mine, randomBytes(LENGTH), { mode: 0o600 });
    try {
      linkSync(mine, file); // whole or not at all, and only by the first
    } catch {}
    unlinkSync(mine);
    return read(file);
  }
}

function read(file: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(file));
  if (bytes.length !== LENGTH) throw new Error(`${file} has ${bytes.length} bytes, not ${LENGTH}`);
  return bytes;
}
