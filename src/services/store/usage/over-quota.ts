/** A body was longer than there is room for. */
export class OverQuota extends Error {
  override name = "OverQuota";
}

/** `body`, which ends in `OverQuota` behind `room` bytes. */
export async function* atMost(
  body: AsyncIterable<Uint8Array>,
  room: number,
): AsyncGenerator<Uint8Array, void> {
  let left = room;
  for await (const bytes of body) {
    left -= bytes.length;
    if (left < 0) throw new OverQuota();
    yield bytes;
  }
}
