import { lower } from "../name.ts";
import { TYPE } from "../types.ts";
import { fieldEnd } from "./check.ts";
import { COMPRESSED } from "./decompress.ts";
import { layoutOf } from "./layout.ts";
import { type NameFound, withNames } from "./with-names.ts";

/**
 * Types whose names are lower-cased before they are signed (RFC 4034, 6.2 less what RFC 6840, 5.1 takes
 * out): those that may be compressed, and these.
 */
const LOWERED: ReadonlySet<number> = new Set([...COMPRESSED, TYPE.KX, TYPE.DNAME, TYPE.RRSIG]);

/** Rdata as it is signed and ordered (RFC 4034, 6.2): the same bytes but for the case of some names. */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const layout = LOWERED.has(type) ? layoutOf(type) : undefined;
  if (layout === undefined) return rdata;
  return withNames(layout, rdata, 0, rdata.length, lowered) ?? rdata;
}

function lowered(rdata: Uint8Array, at: number, end: number): NameFound | undefined {
  const next = fieldEnd("name", rdata, at, end);
  return next < 0 ? undefined : { name: lower(rdata.subarray(at, next)), next };
}
