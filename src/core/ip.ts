/** An IPv4 address as one 32-bit word. */
export interface Ip4 {
  readonly version: 4;
  readonly words: readonly [number];
}

/** An IPv6 address as four 32-bit words. */
export interface Ip6 {
  readonly version: 6;
  readonly words: readonly [number, number, number, number];
}

export type Ip = Ip4 | Ip6;

/** The word behind which an IPv4 address is dressed as IPv6: `::ffff:10.0.0.1`. */
const MAPPED = 0xffff;

/**
 * Dotted IPv4 or IPv6; a `%zone` is ignored. An IPv4 address in IPv6 clothes (what a dual-stack
 * socket reports) is the IPv4 address.
 */
export function parseIp(text: string): Ip | undefined {
  const v4 = parseIp4(text);
  if (v4 !== undefined) return v4;
  const v6 = parseIp6(text.split("%", 1)[0] ?? "");
  return v6 && isMapped(v6) ? { version: 4, words: [v6.words[3]] } : v6;
}

/** `10.0.0.1`; no leading zeros: some read them as octal, and two readings of one address are a hole. */
export function parseIp4(text: string): Ip4 | undefined {
  const word = parseV4(text);
  return word === undefined ? undefined : { version: 4, words: [word] };
}

/** As RFC 4291, 2.2 writes it, without zone, and IPv6 even in the clothes of the other. */
export function parseIp6(text: string): Ip6 | undefined {
  const groups = parseV6(text);
  if (groups === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  return { version: 6, words: [join(a, b), join(c, d), join(e, f), join(g, h)] };
}

/** `10.0.0.1`, or the one text that RFC 5952 allows: `2001:db8::1`, `::ffff:10.0.0.1`. */
export function showIp(ip: Ip): string {
  if (ip.version === 4) return showV4(ip.words[0]);
  if (isMapped(ip)) return `::ffff:${showV4(ip.words[3])}`;
  const groups = ip.words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":"); // 4.2.2: one group of zeros is written out
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function showV4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function isMapped({ words }: Ip6): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function parseV4(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let word = 0;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    word = word * 256 + Number(octet);
  }
  return word;
}

/** Eight 16-bit groups (RFC 4291, 2.2). */
function parseV6(text: string): number[] | undefined {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const head = parseGroups(left, right === undefined);
  if (right === undefined) return head?.length === 8 ? head : undefined;
  const tail = parseGroups(right, true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Groups between colons; the last two may be written as IPv4 when `last`. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const v4 = last && i === parts.length - 1 ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >>> 16, v4 & 0xffff);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function join(high: number, low: number): number {
  return high * 0x10000 + low;
}

/** The first of the longest runs (4.2.3). */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i + 1 - length, length };
  }
  return best;
}
