/**
 * An IP address as 32-bit words: one for IPv4, four for IPv6. An IPv4 address in IPv6 clothes
 * (`::ffff:10.0.0.1`, what a dual-stack socket reports) is the IPv4 address.
 */
export type Ip =
  | { readonly version: 4; readonly words: readonly [number] }
  | { readonly version: 6; readonly words: readonly [number, number, number, number] };

/** Dotted IPv4 (no leading zeros: some read them as octal) or IPv6; a `%zone` is ignored. */
export function parseIp(text: string): Ip | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, words: [v4] };
  const groups = parseV6(text.split("%", 1)[0] ?? "");
  if (groups === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const words = [join(a, b), join(c, d), join(e, f), join(g, h)] as const;
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return mapped ? { version: 4, words: [words[3]] } : { version: 6, words };
}

/** `10.0.0.1`, or `2001:db8::1` in the form of RFC 5952. */
export function showIp(ip: Ip): string {
  if (ip.version === 4)
    return [24, 16, 8, 0].map((shift) => (ip.words[0] >>> shift) & 255).join(".");
  const groups = ip.words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
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

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i + 1 - length, length };
  }
  return best;
}
