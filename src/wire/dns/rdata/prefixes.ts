import { bytesIp, ipBytes } from "../../../core/ip-bytes.ts";
/** APL: lists of address prefixes, `1:192.0.2.0/24 !2:2001:db8::/32` (RFC 3123). */
import { parseIp, showIp } from "../../../core/ip.ts";
import type { TextReader } from "./text-reader.ts";

const FORM = /^(!?)([12]):([\da-fA-F.:]+)\/(\d{1,3})$/;
const WIDTH = [0, 4, 16];

export function readPrefixes(reader: TextReader): void {
  while (reader.more) {
    const [, not, family = "", host = "", digits = ""] = FORM.exec(reader.text("a prefix")) ?? [];
    const prefix = Number(digits);
    const ip = parseIp(host);
    const width = WIDTH[Number(family)] ?? 0;
    const v6 = host.includes(":");
    const bytes = ip && v6 === (width === 16) ? ipBytes(ip, v6 ? 6 : 4) : undefined;
    if (bytes === undefined || prefix > width * 8)
      throw reader.wrong('a prefix such as "1:192.0.2.0/24"');
    const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
    reader.put(Number(family), 2);
    reader.put(prefix, 1);
    reader.put((not ? 0x80 : 0) | length, 1);
    reader.putBytes(bytes.subarray(0, length));
  }
}

/** Whether these are prefixes of the two families, none ending in zeros. */
export function arePrefixes(rdata: Uint8Array, at: number, to: number): boolean {
  while (at < to) {
    if (at + 4 > to) return false;
    const width = rdata[at] === 0 ? (WIDTH[rdata[at + 1] as number] ?? 0) : 0;
    const length = (rdata[at + 3] as number) & 0x7f;
    if (width === 0 || length > width || (rdata[at + 2] as number) > width * 8) return false;
    at += 4 + length;
    if (at > to || (length > 0 && rdata[at - 1] === 0)) return false;
  }
  return true;
}

export function showPrefixes(rdata: Uint8Array, at: number, to: number): string {
  const shown: string[] = [];
  while (at < to) {
    const family = rdata[at + 1] as number;
    const length = (rdata[at + 3] as number) & 0x7f;
    const address = new Uint8Array(WIDTH[family] ?? 0);
    address.set(rdata.subarray(at + 4, at + 4 + length));
    const not = (rdata[at + 3] as number) & 0x80 ? "!" : "";
    shown.push(`${not}${family}:${showIp(bytesIp(address))}/${rdata[at + 2]}`);
    at += 4 + length;
  }
  return shown.join(" ");
}
