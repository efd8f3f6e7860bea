/** HTTP dates (RFC 9110, 5.6.7). */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const FIRST = -62_135_596_800_000; // 1 January of the year 1
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** `Sunday, 06-Nov-94 08:49:37 GMT`: RFC 850. */
const RFC850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994`: C's asctime(). */
const ASCTIME = /^([A-Z][a-z]{2}) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;
/** Two-digit years mean 1977 to 2076: 5.6.7 wants none more than 50 years ahead, counted from 2026. */
const PIVOT = 77;

/** Bytes of what `formatDate` answers. */
export const DATE_LENGTH = 29;

/**
 * `Sun, 06 Nov 1994 08:49:37 GMT` for milliseconds since 1970, of the years 1 to 9999; moments
 * beyond them, as a broken file system may report, become the nearest one that can be written.
 */
export function formatDate(ms: number): string {
  return new Date(Math.min(Math.max(ms, FIRST), LAST)).toUTCString();
}

/** Milliseconds since 1970 of a date in any of the three forms; undefined when it is none. */
export function parseDate(text: string): number | undefined {
  if (text.length === DATE_LENGTH && text.charCodeAt(3) === 44) return imfFixdate(text);
  const old = RFC850.exec(text);
  if (old) {
    const short = Number(old[3]);
    return moment(short + (short < PIVOT ? 2000 : 1900), old[2], old[1], old[4], old[5], old[6]);
  }
  const c = ASCTIME.exec(text);
  if (!c || !DAYS.includes(c[1] ?? "")) return undefined;
  return moment(Number(c[7]), c[2], c[3], c[4], c[5], c[6]);
}

/** The form everybody sends, read without a pattern: it is compared on every revalidation. */
function imfFixdate(text: string): number | undefined {
  if (!DAYS.includes(text.slice(0, 3)) || !text.endsWith(" GMT")) return undefined;
  const spaced = text[4] === " " && text[7] === " " && text[11] === " " && text[16] === " ";
  if (!spaced || text[19] !== ":" || text[22] !== ":") return undefined;
  const century = two(text, 12);
  const year = two(text, 14);
  if (century < 0 || year < 0) return undefined;
  const month = MONTHS.indexOf(text.slice(8, 11));
  return utc(
    century * 100 + year,
    month,
    two(text, 5),
    two(text, 17),
    two(text, 20),
    two(text, 23),
  );
}

function moment(year: number, month = "", day = "", h = "", m = "", s = ""): number | undefined {
  return utc(year, MONTHS.indexOf(month), Number(day), Number(h), Number(m), Number(s));
}

/** Undefined for a month, day or time of day that does not exist. A leap second is :60. */
function utc(
  year: number,
  monthAt: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (monthAt < 0 || monthAt % 3 !== 0 || day < 1 || hour < 0 || minute < 0 || second < 0)
    return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const month = monthAt / 3;
  // Date.UTC takes years below 100 for 19xx.
  const ms = new Date(0).setUTCFullYear(year, month, day);
  if (new Date(ms).getUTCMonth() !== month) return undefined; // 30 February
  return ms + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Two digits at `at`, or -1. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}
