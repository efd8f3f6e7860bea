import { read, write } from "node:fs";
import { promisify } from "node:util";

const STDIN = 0;
const STDOUT = 1;
const RETRY_MS = 1;

const readFrom = promisify(read) as (
  fd: number,
  into: Uint8Array,
  at: number,
  length: number,
  position: null,
) => Promise<{ bytesRead: number }>;
const writeTo = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: null,
) => Promise<{ bytesWritten: number }>;

/** Bytes of standard input: how many; 0 at the end. */
export async function readStandard(into: Uint8Array): Promise<number> {
  return whenReady(async () => (await readFrom(STDIN, into, 0, into.length, null)).bytesRead);
}

/** All of it on standard output: the next piece may be made in the same memory. */
export async function writeStandard(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += await whenReady(
      async () => (await writeTo(STDOUT, bytes, at, bytes.length - at, null)).bytesWritten,
    );
}

/** Somebody may have made the pipe non-blocking. */
async function whenReady(act: () => Promise<number>): Promise<number> {
  for (;;)
    try {
      return await act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await Bun.sleep(RETRY_MS);
    }
}
