import { skipName } from "../../wire/dns/name.ts";
import { HEADER } from "../../wire/dns/query.ts";
import { RCODE, TYPE } from "../../wire/dns/types.ts";

/**
 * Seconds that an answer of ours may be kept (RFC 8484, 5.1): the lowest TTL of its answers, or of
 * the SOA that says for how long there are none. Undefined when it is not to be kept at all.
 */
export function lowestTtl(message: Uint8Array): number | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const rcode = view.getUint8(3) & 15;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return undefined;
  let at = HEADER;
  for (let i = view.getUint16(4); i > 0; i--) at = skipName(message, at, message.length) + 4;
  const answers = view.getUint16(6);
  const records = answers + view.getUint16(8);
  let lowest: number | undefined;
  for (let i = 0; i < records; i++) {
    at = skipName(message, at, message.length);
    if (i < answers || view.getUint16(at) === TYPE.SOA)
      lowest = Math.min(lowest ?? Infinity, view.getUint32(at + 4));
    at += 10 + view.getUint16(at + 8);
  }
  return lowest;
}
