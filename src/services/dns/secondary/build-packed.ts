import { unpack } from "../transfer/packed-records.ts";
import { inTurns } from "../turns.ts";
import { type Built, ZoneBuilder } from "../zone/zone-builder.ts";

/** Records taken in before others of the thread get their turn: a millisecond or two. */
const TURN = 4096;

/** A zone from its packed records; `from` is what problems name instead of a file. Never rejects. */
export async function buildPacked(
  origin: Uint8Array,
  packed: Uint8Array,
  from: string,
): Promise<Built> {
  const builder = new ZoneBuilder(origin);
  let left = TURN;
  for (const { name, type, class: klass, ttl, rdata } of unpack(packed)) {
    const rdataLength = rdata.length;
    builder.add({ name, type, class: klass, ttl, rdata, rdataLength, file: from, line: 0 });
    if (--left > 0) continue;
    left = TURN;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return inTurns(builder.finishInTurns());
}
