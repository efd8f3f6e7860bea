import { type Conversation, Misunderstood } from "./conversation.ts";
import type { Source } from "./source.ts";
import { MAX_CHUNK, Result, Want } from "./words.ts";

/** How far it is: bytes that are there, and bytes there will be, if anybody knows. */
export type Progress = (done: number, size: number | undefined) => void;

/** What became of a copy. */
export interface Copied {
  readonly name: string;
  /** Of the whole, and how many of them were there from an earlier time. */
  readonly bytes: number;
  readonly resumed: number;
  /** Hexadecimal, and both ends agree; undefined where nobody asks for it (libudt). */
  readonly sha256: string | undefined;
}

/** Send it to another tern, who may have some of it. Throws UdtLost, Misunderstood, or what reading says. */
export async function sendCopy(
  conversation: Conversation,
  source: Source,
  progress: Progress,
): Promise<Copied> {
  const { stream } = conversation;
  const { name, size } = source;
  await conversation.say({ name, size });
  const want = await conversation.word(Want);
  if (want.refused !== undefined) throw new Misunderstood(`${stream.peer}: ${want.refused}`);

  const chunk = new Uint8Array(4 + MAX_CHUNK);
  const view = new DataView(chunk.buffer);
  const known = await same(source, want, chunk);
  const hash = known ?? new Bun.CryptoHasher("sha256");
  const from = known === undefined ? 0 : want.have;
  await conversation.say({ from });
  let bytes = from;
  for (;;) {
    const n = await source.read(chunk.subarray(4), bytes);
    hash.update(chunk.subarray(4, 4 + n));
    view.setUint32(0, n);
    await stream.write(chunk.subarray(0, 4 + n));
    if (n === 0) break;
    bytes += n;
    progress(bytes, size);
  }
  const sha256 = hash.digest("hex");
  await conversation.say({ sha256 });
  if (!(await conversation.word(Result)).same)
    throw new Misunderstood(`${stream.peer}: what arrived there is not what was sent`);
  return { name, bytes, resumed: from, sha256 };
}

/** The hash of what the other has, if that is the beginning of what we have. */
async function same(
  source: Source,
  { have, sha256 }: { have: number; sha256?: string | undefined },
  piece: Uint8Array,
): Promise<Bun.CryptoHasher | undefined> {
  if (source.size === undefined || have === 0 || have > source.size) return undefined;
  const hash = new Bun.CryptoHasher("sha256");
  for (let at = 0; at < have;) {
    const n = await source.read(piece.subarray(0, Math.min(piece.length, have - at)), at);
    if (n === 0) return undefined;
    hash.update(piece.subarray(0, n));
    at += n;
  }
  return hash.copy().digest("hex") === sha256 ? hash : undefined;
}
