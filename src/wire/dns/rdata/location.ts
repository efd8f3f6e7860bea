/** LOC: where on earth, in text and in 16 bytes (RFC 1876, 2 and 3). */
import type { TextReader } from "./text-reader.ts";

export const LOCATION_LENGTH = 16;
/** Zero degrees: the middle of 32 bits, in thousandths of a second of arc. */
const EQUATOR = 2 ** 31;
const DEGREE_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Altitudes are centimetres above 100 km below the WGS 84 spheroid. */
const BELOW_CM = 10_000_000;
/** 1 m, 10 km and 10 m, when the text does not say (3). */
const DEFAULT_SIZES = [0x12, 0x16, 0x13];

/** `52 22 23.000 N 4 53 32.000 E -2.00m 0m 10000m 10m`, the last four optional from the right but one. */
export function readLocation(reader: TextReader): void {
  const latitude = readAngle(reader, 90, "N", "S");
  const longitude = readAngle(reader, 180, "E", "W");
  const altitude = readMetres(reader, -100_000, 42_849_672.95);
  const sizes = DEFAULT_SIZES.map((usual) => (reader.more ? readSize(reader) : usual));
  reader.put(0, 1);
  reader.putBytes(sizes);
  reader.put(latitude, 4);
  reader.put(longitude, 4);
  reader.put(altitude + BELOW_CM, 4);
}

function readAngle(reader: TextReader, most: number, plus: string, minus: string): number {
  let total = 0;
  for (const [i, unit] of [DEGREE_MS, MINUTE_MS, 1000].entries()) {
    const text = reader.text("degrees");
    if (i > 0 && (text.toUpperCase() === plus || text.toUpperCase() === minus))
      return signed(reader, total, text, most, plus);
    const form = i < 2 ? /^\d{1,3}$/ : /^\d{1,2}(?:\.\d{1,3})?$/;
    const value = form.test(text) ? Number(text) : Number.NaN;
    if (!(value < (i === 0 ? most + 1 : 60)))
      throw reader.wrong(["degrees", "minutes", "seconds"][i] ?? "");
    total += Math.round(value * unit);
  }
  return signed(reader, total, reader.text(`${plus} or ${minus}`), most, plus);
}

function signed(
  reader: TextReader,
  angle: number,
  letter: string,
  most: number,
  plus: string,
): number {
  const side = letter.toUpperCase();
  const known = side === plus || side === (plus === "N" ? "S" : "W");
  if (!known) throw reader.wrong(plus === "N" ? "N or S" : "E or W");
  if (angle > most * DEGREE_MS) throw reader.wrong(`at most ${most} degrees before the letter`);
  return side === plus ? EQUATOR + angle : EQUATOR - angle;
}

/** Metres with an optional `m`, as centimetres. */
function readMetres(reader: TextReader, least: number, most: number): number {
  const text = reader.text("metres");
  const value = /^-?\d{1,8}(?:\.\d{1,2})?m?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw reader.wrong('metres such as "12.50m"');
  return Math.round(value * 100);
}

/** Metres as one digit and a power of ten of centimetres. */
function readSize(reader: TextReader): number {
  let digit = readMetres(reader, 0, 90_000_000);
  let power = 0;
  for (; digit >= 10; power++) digit = Math.floor(digit / 10);
  return (digit << 4) | power;
}

/** Whether the 16 bytes are of the only version, with sizes it defines (0, or a digit and a power) and on earth. */
export function isLocation(rdata: Uint8Array, at: number): boolean {
  const sizes = rdata.subarray(at + 1, at + 4);
  const defined = (size: number) => size === 0 || (size >= 0x10 && size < 0xa0 && (size & 15) <= 9);
  const view = new DataView(rdata.buffer, rdata.byteOffset + at, LOCATION_LENGTH);
  const within = (offset: number, degrees: number) =>
    Math.abs(view.getUint32(offset) - EQUATOR) <= degrees * DEGREE_MS;
  return rdata[at] === 0 && sizes.every(defined) && within(4, 90) && within(8, 180);
}

/** The inverse of `readLocation`. */
export function showLocation(rdata: Uint8Array, at: number): string {
  const view = new DataView(rdata.buffer, rdata.byteOffset + at, LOCATION_LENGTH);
  const sizes = [1, 2, 3].map((i) => {
    const size = view.getUint8(i);
    return showMetres((size >>> 4) * 10 ** (size & 15));
  });
  const altitude = showMetres(view.getUint32(12) - BELOW_CM);
  const latitude = showAngle(view.getUint32(4), "N", "S");
  return [latitude, showAngle(view.getUint32(8), "E", "W"), altitude, ...sizes].join(" ");
}

function showAngle(value: number, plus: string, minus: string): string {
  const angle = Math.abs(value - EQUATOR);
  const degrees = Math.floor(angle / DEGREE_MS);
  const minutes = Math.floor((angle % DEGREE_MS) / MINUTE_MS);
  const seconds = ((angle % MINUTE_MS) / 1000).toFixed(3);
  return `${degrees} ${minutes} ${seconds} ${value >= EQUATOR ? plus : minus}`;
}

function showMetres(centimetres: number): string {
  return `${(centimetres / 100).toFixed(2)}m`;
}
