import { TYPE } from "../../../wire/dns/types.ts";
import { type MessageWriter, SECTION } from "../../../wire/dns/writer.ts";

const CLASS_IN = 1;
/** Seconds. Nobody transfers a name: only `minimum` is ever used. */
const REFRESH = 7200;
const RETRY = 900;
const EXPIRE = 1_209_600;
/** "No" is not remembered longer than this: a record may come back any moment. */
const MAX_NEGATIVE = 300;

/** The SOA that comes with an answer that says no (RFC 2308, 3). */
export interface Soa {
  readonly owner: Uint8Array;
  readonly rdata: Uint8Array;
  /** Already the lower one of its TTL and its minimum. */
  readonly ttl: number;
}

/**
 * For a name that is in no zone here: as if it were one of its own. It is delegated to us at itself
 * or somewhere above, we cannot know where; an SOA from above the cut would be refused.
 */
export function ownSoa(name: Uint8Array, ttl: number): Soa {
  const negative = Math.min(ttl, MAX_NEGATIVE);
  const rdata = new Uint8Array(2 * name.length + HOSTMASTER.length + 20);
  rdata.set(name);
  // RFC 2142, 7. A name so long that it has no room in front is its own mailbox.
  const mailbox =
    name.length + HOSTMASTER.length > 255 ? name : Uint8Array.of(...HOSTMASTER, ...name);
  rdata.set(mailbox, name.length);
  const at = name.length + mailbox.length;
  const view = new DataView(rdata.buffer);
  for (const [i, number] of [1, REFRESH, RETRY, EXPIRE, negative].entries())
    view.setUint32(at + 4 * i, number);
  return { owner: name, rdata: rdata.slice(0, at + 20), ttl: negative };
}

const HOSTMASTER = Uint8Array.of(10, ...new TextEncoder().encode("hostmaster"));

/** False when it had no room: the answer then says no without it, which is not remembered. */
export function addSoa(writer: MessageWriter, { owner, rdata, ttl }: Soa): boolean {
  return writer.add(SECTION.AUTHORITY, owner, TYPE.SOA, CLASS_IN, ttl, rdata);
}
