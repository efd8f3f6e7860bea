/** Whether bytes from elsewhere are rdata of their type, field by field. */
import { nameLength } from "../name.ts";
import { type Field, layoutOf } from "./layout.ts";
import { isLocation, LOCATION_LENGTH } from "./location.ts";
import { arePrefixes } from "./prefixes.ts";
import { isService } from "./service.ts";
import { isTypeBitmap } from "./type-bitmap.ts";

/** Whether `rdata` (names whole) is what `type` has; of a type without a layout everything is. */
export function checkRdata(type: number, rdata: Uint8Array): boolean {
  const layout = layoutOf(type);
  if (layout === undefined) return rdata.length <= 0xffff;
  let at = 0;
  for (const field of layout) {
    at = fieldEnd(field, rdata, at, rdata.length);
    if (at < 0) return false;
  }
  return at === rdata.length;
}

/** Where the field that begins at `at` ends; -1 when it is not one, or does not by `to`. */
export function fieldEnd(field: Field, rdata: Uint8Array, at: number, to: number): number {
  switch (field) {
    case "u8":
    case "algorithm":
      return within(at + 1, to);
    case "u16":
    case "type":
    case "certificate":
      return within(at + 2, to);
    case "u32":
    case "ttl":
    case "time":
    case "ip4":
      return within(at + 4, to);
    case "eui48":
      return within(at + 6, to);
    case "eui64":
    case "node":
      return within(at + 8, to);
    case "ip6":
      return within(at + 16, to);
    case "name": {
      const length = nameLength(rdata, at, to);
      return length < 0 ? -1 : at + length;
    }
    case "string":
    case "salt":
      return stringEnd(rdata, at, to);
    case "hash":
      return rdata[at] === 0 ? -1 : stringEnd(rdata, at, to);
    case "tag":
      return isTag(rdata, at, to) ? stringEnd(rdata, at, to) : -1;
    case "string?":
      return at === to ? at : stringEnd(rdata, at, to);
    case "strings": {
      if (at >= to) return -1;
      let end = at;
      while (end >= 0 && end < to) end = stringEnd(rdata, end, to);
      return end;
    }
    case "text":
    case "base64?":
      return to;
    case "hex":
    case "base64":
    case "nsap":
      return at < to ? to : -1;
    case "types":
      return isTypeBitmap(rdata, at, to) ? to : -1;
    case "location":
      return at + LOCATION_LENGTH <= to && isLocation(rdata, at) ? at + LOCATION_LENGTH : -1;
    case "prefixes":
      return arePrefixes(rdata, at, to) ? to : -1;
    case "parameters":
      return isService(rdata, at, to) ? to : -1;
    case "gateway":
      return at + 3 <= to ? targetEnd(rdata[at + 1] as number, rdata, at + 3, to) : -1;
    case "relay":
      return at + 2 <= to ? targetEnd((rdata[at + 1] as number) & 0x7f, rdata, at + 2, to) : -1;
    case "host identity":
      return hostIdentityEnd(rdata, at, to);
  }
}

function within(end: number, to: number): number {
  return end <= to ? end : -1;
}

function stringEnd(rdata: Uint8Array, at: number, to: number): number {
  return at < to ? within(at + 1 + (rdata[at] as number), to) : -1;
}

/** Whether a tag is at `at`: a string of letters and digits, at least one (RFC 8659, 4.1). */
export function isTag(rdata: Uint8Array, at: number, to: number): boolean {
  const end = stringEnd(rdata, at, to);
  if (end <= at + 1) return false;
  for (let i = at + 1; i < end; i++) {
    const byte = rdata[i] as number;
    const letter = byte | 0x20;
    if (!(letter >= 0x61 && letter <= 0x7a) && !(byte >= 0x30 && byte <= 0x39)) return false;
  }
  return true;
}

/** The gateway of IPSECKEY and the relay of AMTRELAY: none, IPv4, IPv6 or a name. */
function targetEnd(kind: number, rdata: Uint8Array, at: number, to: number): number {
  switch (kind) {
    case 0:
      return at;
    case 1:
      return within(at + 4, to);
    case 2:
      return within(at + 16, to);
    case 3:
      return fieldEnd("name", rdata, at, to);
    default:
      return -1;
  }
}

function hostIdentityEnd(rdata: Uint8Array, at: number, to: number): number {
  if (at + 4 > to) return -1;
  const hit = rdata[at] as number;
  const key = ((rdata[at + 2] as number) << 8) | (rdata[at + 3] as number);
  if (hit === 0 || key === 0) return -1;
  let end = within(at + 4 + hit + key, to);
  while (end >= 0 && end < to) end = fieldEnd("name", rdata, end, to);
  return end;
}
