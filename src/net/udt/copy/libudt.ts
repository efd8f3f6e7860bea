import { type Conversation, Misunderstood } from "./conversation.ts";
import type { Copied, Progress } from "./send.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/*
 * What libudt's samples `recvfile` and `sendfile` say, in the byte order of their machines (all that
 * are left are little-endian):
 *
 *     recvfile  length of the name (int32), the name
 *     sendfile  size (int64), or -1: there is no such file; the bytes
 *
 * No checksum, no resuming; sendfile closes when all is delivered.
 */
const MAX_NAME = 1023;
const PIECE = 1024 * 1024;

/** The name that a recvfile asks for. Throws Misunderstood. */
export async function askedName(conversation: Conversation): Promise<string> {
  const bytes = await conversation.exactly(4);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  if (length <= 0 || length > MAX_NAME)
    throw new Misunderstood(
      `${conversation.stream.peer}: it speaks neither as tern nor as recvfile`,
    );
  return new TextDecoder().decode(await conversation.exactly(length));
}

/** As sendfile; undefined: there is no such file. */
export async function sendPlain(
  { stream }: Conversation,
  source: Source | undefined,
  progress: Progress,
): Promise<Copied | undefined> {
  const size = source?.size ?? -1;
  const head = new DataView(new ArrayBuffer(8));
  head.setBigInt64(0, BigInt(size), true);
  await stream.write(new Uint8Array(head.buffer));
  if (source?.size === undefined) return undefined;
  const piece = new Uint8Array(PIECE);
  let bytes = 0;
  while (bytes < size) {
    const n = await source.read(piece.subarray(0, Math.min(PIECE, size - bytes)), bytes);
    if (n === 0) throw new Error(`${source.name} is shorter than it was`);
    await stream.write(piece.subarray(0, n));
    bytes += n;
    progress(bytes, size);
  }
  return { name: source.name, bytes, resumed: 0, sha256: undefined };
}

/** As recvfile: ask a sendfile for `name`. Throws Misunderstood when it has none. */
export async function receivePlain(
  conversation: Conversation,
  name: string,
  sink: Sink,
  progress: Progress,
): Promise<Copied> {
  const { stream } = conversation;
  const text = new TextEncoder().encode(name);
  const asked = new Uint8Array(4 + text.length);
  new DataView(asked.buffer).setInt32(0, text.length, true);
  asked.set(text, 4);
  // In one packet: its sendfile takes what one read gives it for the whole name.
  await stream.write(asked);
  const head = await conversation.exactly(8);
  const size = Number(new DataView(head.buffer, head.byteOffset).getBigInt64(0, true));
  if (size < 0) throw new Misunderstood(`${stream.peer}: it has no file ${name}`);
  await sink.begin(0);
  let bytes = 0;
  while (bytes < size) {
    const some = await conversation.some(size - bytes);
    await sink.write(some);
    bytes += some.length;
    progress(bytes, size);
  }
  await sink.keep();
  return { name, bytes, resumed: 0, sha256: undefined };
}
