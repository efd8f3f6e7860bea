/** Rdata from text, by the layout of its type or as RFC 3597 has it. */
import { Lexer } from "../lexer.ts";
import { ROOT } from "../name.ts";
import { Misread, Words } from "../words.ts";
import { checkRdata, isTag } from "./check.ts";
import { type Field, layoutOf } from "./layout.ts";
import { readLocation } from "./location.ts";
import { ALGORITHMS, CERTIFICATES } from "./mnemonics.ts";
import { readPrefixes } from "./prefixes.ts";
import { readGateway, readRelay } from "./read-gateway.ts";
import { readIp6 } from "./read-ip6.ts";
import { readService } from "./read-service.ts";
import { readTime } from "./read-time.ts";
import { table, TextReader } from "./text-reader.ts";
import { readTypes } from "./type-bitmap.ts";

const utf8 = new TextEncoder();

/**
 * The wire form of what stands behind the type in a master file: `10 mail`, `"a text"`,
 * `\# 4 0A000001`. Relative names stand below `origin`; without one they are whole.
 */
export function parseRdata(
  type: number,
  text: string,
  origin: Uint8Array = ROOT,
): { ok: true; rdata: Uint8Array } | { ok: false; problem: string } {
  const words = new Words();
  const reader = new TextReader(words, origin);
  try {
    // In parentheses, so that no newline ends it.
    new Lexer(utf8.encode(`(${text}\n)`)).next(words);
    reader.begin(words, 0, origin);
    readRdata(type, reader);
    return { ok: true, rdata: reader.out.slice(0, reader.length) };
  } catch (error) {
    if (error instanceof Misread) return { ok: false, problem: error.message };
    throw error;
  }
}

/** The words that are left as the rdata of `type`, into the reader's `out`. Throws `Misread`. */
export function readRdata(type: number, reader: TextReader): void {
  const { words, at } = reader;
  if (at < words.count && words.quoted[at] === 0 && isGeneric(words, at)) readGeneric(type, reader);
  else {
    const layout = layoutOf(type);
    if (layout === undefined)
      throw reader.wrongOrMissing("\\# and its bytes: this type has no text of its own");
    for (const field of layout) readField(field, reader);
  }
  if (reader.more) throw new Misread(reader.at, `unexpected ${words.show(reader.at)} at the end`);
}

function isGeneric(words: Words, at: number): boolean {
  const start = words.starts[at] as number;
  return (
    words.ends[at] === start + 2 && words.bytes[start] === 0x5c && words.bytes[start + 1] === 0x23
  );
}

/** `\# length hex` (RFC 3597, 5). */
function readGeneric(type: number, reader: TextReader): void {
  const sign = reader.at++;
  const length = reader.integer(0xffff);
  reader.hex();
  if (reader.length !== length)
    throw new Misread(sign + 1, `expected ${length} bytes, got ${reader.length}`);
  if (!checkRdata(type, reader.out.subarray(0, length)))
    throw new Misread(sign, "these bytes are not what this type has");
}

function readField(field: Field, reader: TextReader): void {
  switch (field) {
    case "name":
      return reader.name();
    case "ip4":
      return reader.ip4();
    case "ip6":
      return readIp6(reader);
    case "u8":
      return reader.number(1);
    case "u16":
      return reader.number(2);
    case "u32":
      return reader.number(4);
    case "ttl":
      return reader.ttl();
    case "string":
      return reader.string();
    case "strings":
      do reader.string();
      while (reader.more);
      return;
    case "string?":
      if (reader.more) reader.string();
      return;
    case "hex":
      if (!reader.more) throw reader.wrongOrMissing("hexadecimal digits");
      return reader.hex();
    case "base64":
      if (!reader.more) throw reader.wrongOrMissing("base64");
      return reader.base64();
    case "base64?":
      return reader.base64();
    case "time":
      return readTime(reader);
    case "type":
      return reader.put(reader.readType(), 2);
    case "algorithm":
      return readNamed(reader, ALGORITHMS, 1);
    case "certificate":
      return readNamed(reader, CERTIFICATES, 2);
    case "tag":
      return readTag(reader);
    case "text":
      reader.raw("a text", 0xffff);
      return;
    case "salt":
      return readSalt(reader);
    case "hash":
      return readHash(reader);
    case "types":
      return readTypes(reader);
    case "eui48":
      return readPairs(
        reader,
        /^(?:[\da-f]{2}-){5}[\da-f]{2}$/i,
        "six bytes such as 00-00-5e-00-53-2a",
      );
    case "eui64":
      return readPairs(
        reader,
        /^(?:[\da-f]{2}-){7}[\da-f]{2}$/i,
        "eight bytes such as 00-00-5e-ef-10-00-00-2a",
      );
    case "node":
      return readNode(reader);
    case "nsap":
      return readPairs(reader, /^0x(?:[\da-f]{2}\.*)+$/i, 'bytes such as "0x47.0005"');
    case "location":
      return readLocation(reader);
    case "prefixes":
      return readPrefixes(reader);
    case "parameters":
      return readService(reader);
    case "gateway":
      return readGateway(reader);
    case "relay":
      return readRelay(reader);
    case "host identity":
      return readHostIdentity(reader);
  }
}

function readNamed(reader: TextReader, names: ReadonlyMap<string, number>, width: number): void {
  const first = reader.more ? reader.words.bytes[reader.words.starts[reader.at] as number] : 0;
  const digit = first !== undefined && first >= 0x30 && first <= 0x39;
  const number =
    reader.more && !digit ? names.get(reader.words.text(reader.at).toUpperCase()) : undefined;
  if (number === undefined) return reader.number(width);
  reader.at++;
  reader.put(number, width);
}

function readTag(reader: TextReader): void {
  const head = reader.length;
  reader.string();
  if (!isTag(reader.out, head, reader.length)) throw reader.wrong("a tag of letters and digits");
}

function readSalt(reader: TextReader): void {
  const text = reader.text("a salt");
  if (text === "-") return reader.put(0, 1);
  const form = /^(?:[\da-f]{2}){1,255}$/i;
  if (!form.test(text)) throw reader.wrong('a salt in hexadecimal digits, or "-"');
  reader.put(text.length / 2, 1);
  reader.putBytes(Uint8Array.fromHex(text));
}

const BASE32HEX = table("0123456789abcdefghijklmnopqrstuv", "0123456789ABCDEFGHIJKLMNOPQRSTUV");

/** Base32 with the extended hex alphabet, no padding (RFC 4648, 7). */
function readHash(reader: TextReader): void {
  const text = reader.text("a hash");
  const head = reader.grow(1);
  let held = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = BASE32HEX[text.charCodeAt(i)] as number;
    if (digit > 31) throw reader.wrong("a hash in base32hex");
    held = ((held << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    reader.put((held >>> bits) & 0xff, 1);
  }
  const length = reader.length - head - 1;
  if (length === 0 || length > 255 || bits >= 5 || held & ((1 << bits) - 1))
    throw reader.wrong("a hash in base32hex");
  reader.out[head] = length;
}

/** Two hexadecimal digits for each byte, whatever stands between. */
function readPairs(reader: TextReader, form: RegExp, what: string): void {
  const text = reader.text(what);
  if (!form.test(text)) throw reader.wrong(what);
  reader.putBytes(Uint8Array.fromHex(text.replace(/^0x/i, "").replaceAll(/[-.]/g, "")));
}

function readNode(reader: TextReader): void {
  const what = "eight bytes such as 0014:4fff:ff20:ee64";
  const text = reader.text(what);
  if (!/^(?:[\da-f]{1,4}:){3}[\da-f]{1,4}$/i.test(text)) throw reader.wrong(what);
  for (const group of text.split(":")) reader.put(Number.parseInt(group, 16), 2);
}

function readHostIdentity(reader: TextReader): void {
  const algorithm = reader.integer(255);
  const hit = reader.text("a HIT");
  if (!/^(?:[\da-f]{2}){1,255}$/i.test(hit)) throw reader.wrong("a HIT in hexadecimal digits");
  const text = reader.text("a key");
  const key = fromBase64(text);
  if (key === undefined) throw reader.wrong("a key in base64");
  reader.put(hit.length / 2, 1);
  reader.put(algorithm, 1);
  reader.put(key.length, 2);
  reader.putBytes(Uint8Array.fromHex(hit));
  reader.putBytes(key);
  while (reader.more) reader.name();
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return text === "" ? undefined : Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
