import type { TextReader } from "./text-reader.ts";

/** `20261122120000`, or seconds since 1970. Beyond 2106 it wraps (RFC 4034, 3.1.5). Throws `Misread`. */
export function readTime(reader: TextReader): void {
  const what = "a time such as 20261122120000";
  const word = reader.next(what);
  const { bytes, starts, ends } = reader.words;
  const at = starts[word] as number;
  const length = (ends[word] as number) - at;
  const digits = (from: number, count: number): number => {
    let value = 0;
    for (let i = at + from; i < at + from + count; i++) {
      const digit = (bytes[i] as number) - 0x30;
      if (digit < 0 || digit > 9) throw reader.wrong(what);
      value = value * 10 + digit;
    }
    return value;
  };
  if (length !== 14) {
    const seconds = length > 0 && length <= 10 ? digits(0, length) : Number.NaN;
    if (!(seconds <= 0xffff_ffff)) throw reader.wrong(what);
    return reader.put(seconds, 4);
  }
  const year = digits(0, 4);
  const month = digits(4, 2);
  const day = digits(6, 2);
  const hour = digits(8, 2);
  const minute = digits(10, 2);
  const second = digits(12, 2);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // What does not come back as it was is no day, or no time of one.
  const same = month >= 1 && month <= 12 && new Date(ms).getUTCDate() === day;
  if (year < 1970 || !same || hour > 23 || minute > 59 || second > 59) throw reader.wrong(what);
  reader.put((ms / 1000) % 2 ** 32, 4);
}
