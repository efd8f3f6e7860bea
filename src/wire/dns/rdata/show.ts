import { bytesIp } from "../../../core/ip-bytes.ts";
/** Rdata as text, what `parseRdata` reads back. */
import { showIp } from "../../../core/ip.ts";
import { showName } from "../name.ts";
import { showType } from "../types.ts";
import { checkRdata, fieldEnd } from "./check.ts";
import { type Field, layoutOf } from "./layout.ts";
import { showLocation } from "./location.ts";
import { showPrefixes } from "./prefixes.ts";
import { showService } from "./service.ts";
import { showString } from "./show-string.ts";
import { showTypes } from "./type-bitmap.ts";

/** `10 mail.example.net.`; as `\# 4 0a000001` when the type has no text or the bytes are not its own. */
export function showRdata(type: number, rdata: Uint8Array): string {
  const layout = layoutOf(type);
  if (layout === undefined || !checkRdata(type, rdata)) return showGeneric(rdata);
  const shown: string[] = [];
  let at = 0;
  for (const field of layout) {
    const end = fieldEnd(field, rdata, at, rdata.length);
    const text = showField(field, rdata, at, end);
    if (text !== "") shown.push(text);
    at = end;
  }
  return shown.join(" ");
}

function showGeneric(rdata: Uint8Array): string {
  return rdata.length === 0 ? "\\# 0" : `\\# ${rdata.length} ${rdata.toHex()}`;
}

function showField(field: Field, rdata: Uint8Array, at: number, end: number): string {
  const bytes = rdata.subarray(at, end);
  switch (field) {
    case "u8":
    case "u16":
    case "u32":
    case "ttl":
    case "algorithm":
    case "certificate":
      return String(integer(bytes));
    case "time":
      return new Date(integer(bytes) * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
    case "type":
      return showType(integer(bytes));
    case "ip4":
    case "ip6":
      return showIp(bytesIp(bytes));
    case "name":
      return showName(bytes);
    case "string":
      return showString(bytes.subarray(1));
    case "tag":
      return Array.from(bytes.subarray(1), (byte) => String.fromCharCode(byte)).join("");
    case "string?":
    case "strings":
      return showStrings(bytes);
    case "text":
      return showString(bytes);
    case "hex":
      return bytes.toHex();
    case "base64":
    case "base64?":
      return bytes.toBase64();
    case "salt":
      return bytes.length === 1 ? "-" : bytes.subarray(1).toHex();
    case "hash":
      return showBase32(bytes.subarray(1));
    case "types":
      return showTypes(rdata, at, end);
    case "eui48":
    case "eui64":
      return pairs(bytes).join("-");
    case "node":
      return [0, 2, 4, 6].map((i) => bytes.subarray(i, i + 2).toHex()).join(":");
    case "nsap":
      return `0x${bytes.toHex()}`;
    case "location":
      return showLocation(rdata, at);
    case "prefixes":
      return showPrefixes(rdata, at, end);
    case "parameters":
      return showService(rdata, at, end);
    case "gateway":
      return `${bytes[0]} ${bytes[1]} ${bytes[2]} ${showTarget(bytes.subarray(3), bytes[1] ?? 0)}`;
    case "relay": {
      const kind = bytes[1] ?? 0;
      return `${bytes[0]} ${kind >>> 7} ${kind & 0x7f} ${showTarget(bytes.subarray(2), kind & 0x7f)}`;
    }
    case "host identity":
      return showHostIdentity(bytes);
  }
}

function integer(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function pairs(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
}

function showStrings(bytes: Uint8Array): string {
  const shown: string[] = [];
  for (let at = 0; at < bytes.length; at += 1 + (bytes[at] as number))
    shown.push(showString(bytes.subarray(at + 1, at + 1 + (bytes[at] as number))));
  return shown.join(" ");
}

function showTarget(bytes: Uint8Array, kind: number): string {
  if (kind === 0) return ".";
  return kind === 3 ? showName(bytes) : showIp(bytesIp(bytes));
}

function showHostIdentity(bytes: Uint8Array): string {
  const hit = bytes[0] as number;
  const key = 4 + hit + (((bytes[2] as number) << 8) | (bytes[3] as number));
  const shown = [
    String(bytes[1]),
    bytes.subarray(4, 4 + hit).toHex(),
    bytes.subarray(4 + hit, key).toBase64(),
  ];
  for (let at = key; at < bytes.length;) {
    const end = fieldEnd("name", bytes, at, bytes.length);
    shown.push(showName(bytes.subarray(at, end)));
    at = end;
  }
  return shown.join(" ");
}

const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/** Base32 with the extended hex alphabet, no padding, as NSEC3 owners have it (RFC 5155, 3.3). */
function showBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0x1fff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += DIGITS[(held >>> (bits - 5)) & 31];
  }
  return bits > 0 ? text + DIGITS[(held << (5 - bits)) & 31] : text;
}
