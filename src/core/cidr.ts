import { type Ip, parseIp, showIp } from "./ip.ts";

/** A block of addresses: the first `bits` bits of `base`; its other bits are zero. */
export interface Cidr {
  readonly base: Ip;
  readonly bits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const [host = "", length, ...more] = text.split("/");
  const ip = parseIp(host);
  if (ip === undefined || more.length > 0 || host.includes("%")) return undefined;
  const width = ip.words.length * 32;
  if (length === undefined) return { base: ip, bits: width };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8: the first 96 bits are the clothes.
  const bits = Number(length) - (ip.version === 4 && host.includes(":") ? 96 : 0);
  return bits < 0 || bits > width ? undefined : { base: clear(ip, bits), bits };
}

/** As the config writes it; a block of one address without its length. */
export function showCidr({ base, bits }: Cidr): string {
  return bits === base.words.length * 32 ? showIp(base) : `${showIp(base)}/${bits}`;
}

/** Is this address, as a socket reports it, in the block? False for what is no address. */
export function contains(cidr: Cidr, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && covers(cidr, ip);
}

/**
 * A test for many addresses against one list. An empty list lets nobody in. Throws a TypeError
 * when a text in the list is no CIDR: configs have been checked before.
 */
export function compileAccess(list: readonly (Cidr | string)[]): (address: string) => boolean {
  const blocks = list.map((entry) => (typeof entry === "string" ? mustParse(entry) : entry));
  if (blocks.length === 0) return () => false; // without a look: it is asked for every request
  return (address) => {
    const ip = parseIp(address);
    return ip !== undefined && blocks.some((block) => covers(block, ip));
  };
}

/** The fewest blocks that together are exactly the IPv4 addresses from `first` to `last`. */
export function blocksBetween(first: number, last: number): Cidr[] {
  const blocks: Cidr[] = [];
  let at = first;
  while (at <= last) {
    let bits = 32;
    while (bits > 0 && at % 2 ** (33 - bits) === 0 && at + 2 ** (33 - bits) - 1 <= last) bits--;
    blocks.push({ base: { version: 4, words: [at] }, bits });
    at += 2 ** (32 - bits);
  }
  return blocks;
}

function mustParse(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`not a CIDR: ${text}`);
  return cidr;
}

function covers({ base, bits }: Cidr, ip: Ip): boolean {
  if (base.version !== ip.version) return false;
  for (const [i, word] of base.words.entries()) {
    const mask = maskOf(bits - i * 32);
    if (mask === 0) return true;
    if (((word ^ (ip.words[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function clear(ip: Ip, bits: number): Ip {
  const words = ip.words.map((word, i) => (word & maskOf(bits - i * 32)) >>> 0);
  return { version: ip.version, words } as unknown as Ip; // as many words as before
}

/** The mask of one word with `bits` of the prefix left; shifts by 32 do nothing in JavaScript. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffff_ffff : ~(0xffff_ffff >>> bits);
}
