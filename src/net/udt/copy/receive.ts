import { type Conversation, Misunderstood } from "./conversation.ts";
import type { Copied, Progress } from "./send.ts";
import type { Sink } from "./sink.ts";
import { Done, Go, MAX_CHUNK, Offer } from "./words.ts";

/**
 * Receive what another tern sends. `open` is told its name and says where to, or throws why not,
 * which the other is told. Throws UdtLost, Misunderstood, or what writing says; what has come is kept
 * for another time then.
 */
export async function receiveCopy(
  conversation: Conversation,
  open: (name: string) => Promise<Sink>,
  progress: Progress,
): Promise<Copied> {
  const { stream } = conversation;
  const { name, size, refused } = await conversation.word(Offer);
  if (refused !== undefined) throw new Misunderstood(`${stream.peer}: ${refused}`);
  await using sink = await opened(conversation, open, name);
  const { have } = sink;
  await conversation.say({ have, ...(have > 0 && { sha256: await sink.hashed() }) });
  const { from } = await conversation.word(Go);
  if (from !== 0 && from !== have)
    throw new Misunderstood(`${stream.peer}: it begins where nobody asked it to`);
  await sink.begin(from);
  let bytes = from;
  for (let left = await conversation.length(); left > 0; left = await conversation.length()) {
    if (left > MAX_CHUNK) throw new Misunderstood(`${stream.peer}: what it says makes no sense`);
    while (left > 0) {
      const some = await conversation.some(left);
      await sink.write(some);
      left -= some.length;
      bytes += some.length;
    }
    progress(bytes, size);
  }
  const { sha256 } = await conversation.word(Done);
  const same = sink.digest() === sha256;
  if (same) await sink.keep();
  else await sink.discard();
  await conversation.say({ same });
  // It closes once it has that word.
  await stream.read(new Uint8Array(1));
  if (!same) throw new Misunderstood(`${stream.peer}: what arrived is not what was sent`);
  return { name, bytes, resumed: from, sha256 };
}

async function opened(
  conversation: Conversation,
  open: (name: string) => Promise<Sink>,
  name: string,
): Promise<Sink> {
  try {
    return await open(name);
  } catch (error) {
    const refused = error instanceof Error ? error.message : String(error);
    await conversation.say({ have: 0, refused });
    await conversation.stream.end();
    throw error;
  }
}
