import { readFileSync } from "node:fs";

import { Reader, type Response } from "mmdb-lib";

import { bytesIp } from "../../../core/ip-bytes.ts";
import { showIp } from "../../../core/ip.ts";

/** Where a network is, as far as the databases know. */
export interface Place {
  /** `EU`; "" when unknown. */
  readonly continent: string;
  /** `DE`; "" when unknown. */
  readonly country: string;
  /** 0 when unknown. */
  readonly asn: number;
  /** All addresses that share so many bits with the one asked for are in this place. */
  readonly bits: number;
}

const NOWHERE: Place = { continent: "", country: "", asn: 0, bits: 0 };

/** Places of one generation; two generations are kept. 100 bytes each. */
const REMEMBERED = 32_768;

/**
 * Where clients are, by MaxMind databases (country, city or AS; several may tell different things
 * of the same address). Answers are remembered: a question costs a table look-up.
 */
export class Places {
  readonly #readers: readonly Reader<Response>[];
  #young = new Map<number | string, Place>();
  #old = new Map<number | string, Place>();

  constructor(readers: readonly Reader<Response>[]) {
    this.#readers = readers;
  }

  /** Throws an Error that names the file which cannot be read or is no database. */
  static open(paths: readonly string[]): Places {
    return new Places(paths.map(openDatabase));
  }

  /** Of an address of 4 or 16 bytes, which are at the start of `bytes`. */
  locate(bytes: Uint8Array, length: 4 | 16): Place {
    const key = length === 4 ? key4(bytes) : key6(bytes);
    const known = this.#young.get(key);
    if (known) return known;
    const place = this.#old.get(key) ?? this.#look(bytes, length);
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, place);
    return place;
  }

  #look(bytes: Uint8Array, length: 4 | 16): Place {
    const text = showIp(bytesIp(bytes.subarray(0, length)));
    let place = NOWHERE;
    for (const reader of this.#readers) {
      if (length === 16 && reader.metadata.ipVersion === 4) continue;
      const [record, bits] = reader.getWithPrefixLength(text);
      const found = record === null ? NOWHERE : read(record);
      place = {
        continent: found.continent || place.continent,
        country: found.country || place.country,
        asn: found.asn || place.asn,
        bits: Math.max(bits, place.bits),
      };
    }
    return place;
  }
}

function openDatabase(path: string): Reader<Response> {
  try {
    // Records are few and shared by many networks: each is decoded once.
    const reader = new Reader<Response>(readFileSync(path), { cache: new Map<number, never>() });
    reader.get("192.0.2.1"); // a cut file shows itself here, not in the middle of an answer
    return reader;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} is no MaxMind database that can be read: ${why}`, { cause });
  }
}

/** Databases of others (IPinfo, DB-IP) have the same words, or these. */
function read(record: object): Omit<Place, "bits"> {
  return {
    continent: code(record, "continent", "code"),
    country: code(record, "country", "iso_code") || code(record, "registered_country", "iso_code"),
    asn: number(record, "autonomous_system_number"),
  };
}

function code(record: object, thing: string, what: string): string {
  const inner: unknown = Reflect.get(record, thing);
  const found: unknown =
    typeof inner === "object" && inner !== null ? Reflect.get(inner, what) : inner;
  return typeof found === "string" && found.length === 2 ? found.toUpperCase() : "";
}

function number(record: object, what: string): number {
  const found: unknown = Reflect.get(record, what);
  return typeof found === "number" ? found : 0;
}

function key4(bytes: Uint8Array): number {
  return (
    ((bytes[0] as number) << 24) |
    ((bytes[1] as number) << 16) |
    ((bytes[2] as number) << 8) |
    (bytes[3] as number)
  );
}

function key6(bytes: Uint8Array): string {
  let key = "";
  for (let i = 0; i < 16; i++) key += String.fromCharCode(bytes[i] as number);
  return key;
}
