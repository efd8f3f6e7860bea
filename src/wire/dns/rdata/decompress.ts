import { readName } from "../name.ts";
import { TYPE } from "../types.ts";
import { layoutOf } from "./layout.ts";
import { withNames } from "./with-names.ts";

/** Types whose names may be found compressed: those of RFC 1035, and those of RFC 3597, 4. */
export const COMPRESSED: ReadonlySet<number> = new Set([
  TYPE.NS,
  TYPE.MD,
  TYPE.MF,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.MB,
  TYPE.MG,
  TYPE.MR,
  TYPE.PTR,
  TYPE.MINFO,
  TYPE.MX,
  TYPE.RP,
  TYPE.AFSDB,
  TYPE.RT,
  TYPE.SIG,
  TYPE.PX,
  TYPE.NAPTR,
  TYPE.SRV,
]);

/** The rdata between `start` and `end` of a message with its names whole; undefined when they are wrong. */
export function decompress(
  type: number,
  message: Uint8Array,
  start: number,
  end: number,
): Uint8Array | undefined {
  const layout = COMPRESSED.has(type) ? layoutOf(type) : undefined;
  if (layout === undefined) return message.slice(start, end);
  return withNames(layout, message, start, end, readName);
}
