import { MAX_NAME, readName } from "../name.ts";
import { TYPE } from "../types.ts";
import { fieldEnd } from "./check.ts";
import { layoutOf } from "./layout.ts";

/** Types whose names may be found compressed: those of RFC 1035, and those of RFC 3597, 4. */
const COMPRESSED: ReadonlySet<number> = new Set([
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
/** No layout of these has more than three names. */
const MOST_NAMES = 3;

/** The rdata between `start` and `end` of a message with its names whole; undefined when they are wrong. */
export function decompress(
  type: number,
  message: Uint8Array,
  start: number,
  end: number,
): Uint8Array | undefined {
  const layout = COMPRESSED.has(type) ? layoutOf(type) : undefined;
  if (layout === undefined) return message.slice(start, end);
  const whole = new Uint8Array(end - start + MOST_NAMES * MAX_NAME);
  let length = 0;
  let at = start;
  for (const field of layout) {
    let next = -1;
    if (field === "name") {
      const name = readName(message, at, end);
      if (name === undefined) return undefined;
      whole.set(name.name, length);
      length += name.name.length;
      next = name.next;
    } else {
      next = fieldEnd(field, message, at, end);
      if (next < 0) return undefined;
      whole.set(message.subarray(at, next), length);
      length += next - at;
    }
    at = next;
  }
  return at === end ? whole.slice(0, length) : undefined;
}
