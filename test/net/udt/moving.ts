import type { UdtStream } from "../../../src/net/udt/stream.ts";
import { isPattern, pattern } from "./pattern.ts";

const PIECE = 65_536;

/** Send the first `bytes` bytes of the pattern. */
export async function sendPattern(stream: UdtStream, bytes: number): Promise<void> {
  for (let at = 0; at < bytes;) {
    const piece = pattern(at, Math.min(PIECE, bytes - at));
    await stream.write(piece);
    at += piece.length;
  }
}

/** How much of the pattern comes, until the end or until there are `most`. Throws when a byte is wrong. */
export async function receivePattern(stream: UdtStream, most = Infinity): Promise<number> {
  const piece = new Uint8Array(PIECE);
  let got = 0;
  while (got < most) {
    const n = await stream.read(piece.subarray(0, Math.min(PIECE, most - got)));
    if (n === 0) break;
    if (!isPattern(piece.subarray(0, n), got)) throw new Error(`wrong bytes behind ${got}`);
    got += n;
  }
  return got;
}
