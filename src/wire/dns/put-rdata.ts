import type { Compression } from "./compression.ts";
import { nameLength } from "./name.ts";
import { TYPE } from "./types.ts";

/**
 * Write the rdata between `from` and `to` at `at` in the message `out`, and answer where it ends: -1 when
 * that is beyond `limit`. Only the names in types of RFC 1035 may be compressed (RFC 3597, 4); rdata that
 * is not as its type says is copied as it is.
 */
export function putRdata(
  names: Compression,
  type: number,
  rdata: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  let count = 0;
  let next = from;
  let end = at;
  switch (type) {
    case TYPE.NS:
    case TYPE.MD:
    case TYPE.MF:
    case TYPE.CNAME:
    case TYPE.MB:
    case TYPE.MG:
    case TYPE.MR:
    case TYPE.PTR:
      count = 1;
      break;
    case TYPE.SOA:
    case TYPE.MINFO:
      count = 2;
      break;
    case TYPE.MX: // the preference in front
      count = 1;
      while (next < to && next < from + 2) {
        if (end >= limit) return -1;
        out[end++] = rdata[next++] as number;
      }
      break;
  }
  for (let i = 0; i < count && end >= 0; i++) {
    const length = nameLength(rdata, next, to);
    if (length < 0) break;
    end = names.write(rdata, next, end, limit);
    next += length;
  }
  if (end < 0 || end + to - next > limit) return -1;
  while (next < to) out[end++] = rdata[next++] as number;
  return end;
}
