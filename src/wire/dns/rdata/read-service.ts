import { ipBytes } from "../../../core/ip-bytes.ts";
/** The parameters of an SVCB or HTTPS record from their text (RFC 9460, 2.1 and appendix A). */
import { parseIp } from "../../../core/ip.ts";
import { unescape } from "../name.ts";
import { Misread } from "../words.ts";
import { parseKey, SERVICE_KEY } from "./service-keys.ts";
import { isService } from "./service.ts";
import type { TextReader } from "./text-reader.ts";

const EQUALS = 0x3d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** All the words that are left: `key=value`, in any order, written in the order of their numbers. */
export function readService(reader: TextReader): void {
  const first = reader.at;
  const start = reader.length;
  const values = new Map<number, Uint8Array>();
  while (reader.more) {
    const word = reader.next("a parameter");
    const { key, value } = readParameter(reader, word);
    if (values.has(key)) throw new Misread(word, `${reader.words.show(word)} is there twice`);
    values.set(key, value);
  }
  const keys = [...values.keys()].sort((a, b) => a - b);
  for (const key of keys) {
    const value = values.get(key) ?? new Uint8Array();
    reader.put(key, 2);
    reader.put(value.length, 2);
    reader.putBytes(value);
  }
  if (!isService(reader.out, start, reader.length))
    throw new Misread(
      first,
      "mandatory names a key that is not there, or no-default-alpn has no alpn",
    );
}

function readParameter(reader: TextReader, word: number): { key: number; value: Uint8Array } {
  const { bytes } = reader.words;
  const start = reader.words.starts[word] as number;
  const end = reader.words.ends[word] as number;
  const equals = bytes.subarray(start, end).indexOf(EQUALS);
  const name = reader.words.text(word).slice(0, equals < 0 ? undefined : equals);
  const key = parseKey(name);
  if (key === undefined) throw reader.wrong('a parameter such as "alpn=h2"');
  let from = equals < 0 ? end : start + equals + 1;
  let to = end;
  if (from < to && bytes[from] === QUOTE) {
    from++;
    to--;
  }
  const value = plain(bytes, from, to);
  const read = value === undefined ? undefined : readValue(key, equals < 0, value);
  if (read === undefined) throw reader.wrong(`a value that "${name}" can have`);
  return { key, value: read };
}

/** The bytes of a character-string, its escapes undone. */
function plain(bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
  const value: number[] = [];
  for (let at = from; at < to; at++) {
    let byte = bytes[at] as number;
    if (byte === BACKSLASH) {
      byte = unescape(bytes, at, to);
      if (byte < 0) return undefined;
      at += byte >= 256 ? 3 : 1;
    }
    value.push(byte & 0xff);
  }
  return Uint8Array.from(value);
}

function readValue(key: number, bare: boolean, value: Uint8Array): Uint8Array | undefined {
  switch (key) {
    case SERVICE_KEY.MANDATORY:
      return mandatory(latin1(value));
    case SERVICE_KEY.ALPN:
      return alpn(value);
    case SERVICE_KEY.NO_DEFAULT_ALPN:
    case SERVICE_KEY.OHTTP:
      return bare ? value : undefined;
    case SERVICE_KEY.PORT: {
      const text = latin1(value);
      const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
      return port <= 0xffff ? Uint8Array.of(port >>> 8, port) : undefined;
    }
    case SERVICE_KEY.IPV4HINT:
      return hints(latin1(value), 4);
    case SERVICE_KEY.IPV6HINT:
      return hints(latin1(value), 6);
    case SERVICE_KEY.ECH:
      return ech(latin1(value));
    default:
      return value;
  }
}

function mandatory(text: string): Uint8Array | undefined {
  const keys = text.split(",").map(parseKey);
  const numbers = keys.flatMap((key) => key ?? []).sort((a, b) => a - b);
  if (numbers.length !== keys.length || new Set(numbers).size !== numbers.length) return undefined;
  return Uint8Array.from(numbers.flatMap((key) => [key >>> 8, key & 0xff]));
}

/** A comma parts the protocols; `\,` and `\\` are a comma and a backslash in one (A.1). */
function alpn(value: Uint8Array): Uint8Array | undefined {
  const ids: number[][] = [[]];
  for (let at = 0; at < value.length; at++) {
    let byte = value[at] as number;
    if (byte === COMMA) {
      ids.push([]);
      continue;
    }
    if (byte === BACKSLASH) {
      byte = value[++at] ?? -1;
      if (byte !== COMMA && byte !== BACKSLASH) return undefined;
    }
    ids.at(-1)?.push(byte);
  }
  if (ids.some((id) => id.length === 0 || id.length > 255)) return undefined;
  return Uint8Array.from(ids.flatMap((id) => [id.length, ...id]));
}

function hints(text: string, version: 4 | 6): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const part of text.split(",")) {
    const ip = version === 6 && !part.includes(":") ? undefined : parseIp(part);
    if (ip === undefined || part.includes("%")) return undefined;
    const read = ipBytes(ip, version);
    if (read === undefined) return undefined;
    bytes.push(...read);
  }
  return Uint8Array.from(bytes);
}

function ech(text: string): Uint8Array | undefined {
  try {
    return text === "" ? undefined : Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

function latin1(value: Uint8Array): string {
  return Array.from(value, (byte) => String.fromCharCode(byte)).join("");
}
