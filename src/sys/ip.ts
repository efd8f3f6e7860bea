/** Four bytes of `192.0.2.1`; undefined when it is not four decimal numbers up to 255. */
export function parseIp4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    // No leading zero: some read 010 as eight, and two readings of one address are a hole.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

/** Sixteen bytes of an IPv6 address as RFC 4291 §2.2 writes it, without zone; undefined otherwise. */
export function parseIp6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map((half, i) => groups(half, i === halves.length - 1));
  if (front === undefined || (halves.length === 2 && back === undefined)) return undefined;
  const given = front.length + (back?.length ?? 0);
  // "::" stands for at least one group (RFC 5952 §4.2.2 forbids writing it so; RFC 4291 reads it).
  if (back === undefined ? given !== 8 : given > 7) return undefined;
  const bytes = new Uint8Array(16);
  const all = [...front, ...Array<number>(8 - given).fill(0), ...(back ?? [])];
  for (const [i, group] of all.entries()) {
    bytes[2 * i] = group >>> 8;
    bytes[2 * i + 1] = group & 0xff;
  }
  return bytes;
}

/** `192.0.2.1` of four bytes beginning at `at`. */
export function showIp4(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** The one text RFC 5952 allows for the sixteen bytes beginning at `at`. */
export function showIp6(bytes: Uint8Array, at = 0): string {
  const words: number[] = [];
  for (let i = at; i < at + 16; i += 2) words.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  // §5: a v4-mapped address shows its IPv4 part in dotted form.
  if (words[5] === 0xffff && words.slice(0, 5).every((w) => w === 0))
    return `::ffff:${showIp4(bytes, at + 12)}`;

  const { start, length } = longestZeros(words);
  const hex = words.map((w) => w.toString(16));
  if (length < 2) return hex.join(":"); // §4.2.2: a single zero group is written out
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** §4.2.3: the longest run of zero groups, the first of equals. */
function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= words.length; i++) {
    if (words[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

/** The groups of one side of "::"; the last may be a dotted IPv4 address worth two. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const all: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseIp4(part);
      if (v4 === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      all.push((a << 8) | b, (c << 8) | d);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      all.push(Number.parseInt(part, 16));
    }
  }
  return all;
}
