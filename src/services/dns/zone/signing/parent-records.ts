import { TYPE } from "../../../../wire/dns/types.ts";
import type { KeyRing } from "./key-ring.ts";

/** What the parent is told: what it should have of the keys, to have nothing any more, or nothing. */
export type ParentNews = "publish" | "delete" | "off";

/** "Take out the DS" (RFC 8078, 4). */
const DELETE_CDS = Uint8Array.of(0, 0, 0, 0, 0);
const DELETE_CDNSKEY = Uint8Array.of(0, 0, 3, 0, 0);

/** The records at the apex that are about keys: DNSKEY, and CDS and CDNSKEY (RFC 7344) for the parent. */
export function keyRecords(
  keys: KeyRing,
  origin: Uint8Array,
  news: ParentNews,
): { readonly type: number; readonly rdata: Uint8Array }[] {
  const records = keys.all.map(({ dnskey }) => ({ type: TYPE.DNSKEY, rdata: dnskey }));
  switch (news) {
    case "off":
      return records;
    case "delete":
      return [
        ...records,
        { type: TYPE.CDS, rdata: DELETE_CDS },
        { type: TYPE.CDNSKEY, rdata: DELETE_CDNSKEY },
      ];
    case "publish":
      return [
        ...records,
        ...keys.all.map((key) => ({ type: TYPE.CDS, rdata: key.ds(origin) })),
        ...keys.all.map(({ dnskey }) => ({ type: TYPE.CDNSKEY, rdata: dnskey })),
      ];
  }
}
