/** Texts that come again and again, made once: found by their bytes. */
import type { Target } from "../../wire/http/path.ts";
import { decodeTarget, decodeTargetForOthers } from "../../wire/http/path.ts";
import { latin1 } from "../../wire/http1/characters.ts";

/** Places; what hashes to the same one takes it over. */
const PLACES = 1024;
/** Longer texts are hardly the same twice. */
const LONGEST = 128;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** What is made of a run of bytes, remembered for a while. */
class Interned<T> {
  readonly #entries: (Entry<T> | undefined)[] = Array<undefined>(PLACES).fill(undefined);
  readonly #make: (text: string) => T;

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** Of `bytes[from, to)`, each byte a character. */
  of(bytes: Uint8Array, from: number, to: number): T {
    if (to - from > LONGEST) return this.#make(latin1(bytes, from, to));
    let hash = FNV_OFFSET;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const known = this.#entries[place];
    if (known !== undefined && isSame(known.bytes, bytes, from, to)) return known.value;
    const value = this.#make(latin1(bytes, from, to));
    this.#entries[place] = { bytes: bytes.slice(from, to), value };
    return value;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** A path and query as sent, and as it is read. */
export interface ReadTarget {
  readonly sent: string;
  /** Undefined: answer 400. */
  readonly read: Target | undefined;
}

const rooted = (sent: string): string => (sent.startsWith("/") ? sent : `/${sent}`);
const targets = new Interned<ReadTarget>((sent) => ({ sent, read: decodeTarget(rooted(sent)) }));
const targetsForOthers = new Interned<ReadTarget>((sent) => ({
  sent,
  read: decodeTargetForOthers(rooted(sent)),
}));
const hosts = new Interned<string>((sent) => sent.toLowerCase());

/** Path and query of a target; `forOthers`: by decodeTargetForOthers. */
export function targetIn(
  bytes: Uint8Array,
  from: number,
  to: number,
  forOthers: boolean,
): ReadTarget {
  return (forOthers ? targetsForOthers : targets).of(bytes, from, to);
}

/** A host, in lower case. */
export function hostIn(bytes: Uint8Array, from: number, to: number): string {
  return hosts.of(bytes, from, to);
}
