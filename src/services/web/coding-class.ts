/** Values of Accept-Encoding that get the same answers are one class, named by a small number. */
import { type Coding, negotiate } from "../../wire/http/encoding.ts";

/** No Accept-Encoding at all. */
export const SILENT = 0;
/** Not known, or not worth remembering. */
export const UNKNOWN = -1;
/** Far more than clients really differ in; what comes then is answered by the full path. */
const MAX_CLASSES = 64;
/** Values remembered by their bytes; a newcomer takes the place of the one with the same hash. */
const PLACES = 256;
const MAX_VALUE = 256;

export class CodingClasses {
  readonly #orders: readonly (readonly Coding[])[];
  readonly #classes = new Map<string, number>();
  readonly #values: (Uint8Array | undefined)[] = Array.from({ length: PLACES });
  readonly #classOf = new Int8Array(PLACES);

  /** `codings`: all that is ever offered. */
  constructor(codings: readonly Coding[]) {
    this.#orders = orders(codings);
  }

  /** The class of the value in `bytes[from, to)`, or UNKNOWN. Allocates nothing. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const place = hash(bytes, from, to) & (PLACES - 1);
    const value = this.#values[place];
    return value !== undefined && equal(value, bytes, from, to) ? this.#classOf[place]! : UNKNOWN;
  }

  /** The class of a value, remembered for `find`. UNKNOWN when there are too many. */
  learn(value: string | null): number {
    if (value === null) return SILENT;
    if (value.length > MAX_VALUE) return UNKNOWN;
    const key = this.#orders.map((offered) => negotiate(value, offered)).join();
    let found = this.#classes.get(key);
    if (found === undefined) {
      if (this.#classes.size + 1 >= MAX_CLASSES) return UNKNOWN;
      found = this.#classes.size + 1; // 0 is SILENT
      this.#classes.set(key, found);
    }
    const bytes = Buffer.from(value, "latin1");
    const place = hash(bytes, 0, bytes.length) & (PLACES - 1);
    this.#values[place] = bytes;
    this.#classOf[place] = found;
    return found;
  }
}

/** FNV-1a, 32 bits. */
export function hash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c_9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, 0x0100_0193);
  return h ^ (h >>> 15);
}

export function equal(a: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (a.length !== to - from) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== bytes[from + i]) return false;
  return true;
}

/** Every order of every subset: two values that agree on all of these agree on whatever is offered. */
function orders(codings: readonly Coding[]): Coding[][] {
  return [
    [],
    ...codings.flatMap((first) =>
      orders(codings.filter((coding) => coding !== first)).map((rest) => [first, ...rest]),
    ),
  ];
}
