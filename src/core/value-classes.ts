/** Values of a request field that get the same answers are one class, named by a small number. */
import { equal, hash } from "./byte-hash.ts";

/** The field is absent. */
export const SILENT = 0;
/** Not known, or not worth remembering. */
export const UNKNOWN = -1;
/** Far more than clients really differ in; what comes then is answered by the full path. */
const MAX_CLASSES = 64;
/** Values remembered by their bytes; a newcomer takes the place of the one with the same hash. */
const PLACES = 256;
const MAX_VALUE = 256;

export class ValueClasses {
  readonly #meaning: (value: string) => string;
  readonly #classes = new Map<string, number>();
  readonly #values: (Uint8Array | undefined)[] = Array.from({ length: PLACES });
  readonly #classOf = new Int8Array(PLACES);

  /** `meaning`: equal for values that get the same answers. */
  constructor(meaning: (value: string) => string) {
    this.#meaning = meaning;
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
    const key = this.#meaning(value);
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
