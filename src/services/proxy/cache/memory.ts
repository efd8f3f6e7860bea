import { type Counted, S3Fifo } from "../../../core/s3-fifo.ts";
import { type RequestField, varyKey } from "../../../wire/http/caching/vary.ts";
import { Arena } from "./arena.ts";
import { Entry, OVERHEAD, placeOf } from "./entry.ts";

/** A larger share of the memory is not given to one response. */
const LARGEST_SHARE = 0.25;
const FORK_OVERHEAD = 256;

/** Stands at the key of a URL whose responses vary: its variants have places of their own. */
export class Fork implements Counted {
  visits = 0;
  constructor(
    readonly names: readonly string[],
    /** Variants asked for earlier are dead: what the URL varied by then is not known. */
    readonly since: number,
  ) {}
}

/** Responses in the memory of this worker. */
export class Memory {
  readonly #kept: S3Fifo<string, Entry | Fork>;
  readonly #arena: Arena;

  constructor(budget: number) {
    this.#arena = new Arena(budget);
    this.#kept = new S3Fifo(budget, (value) => this.#left(value));
  }

  /** Forget everything; the memory is given back when what is being sent from it is sent. */
  close(): void {
    this.#kept.clear();
    this.#arena.close();
  }

  /** The response for a request; the fork when there is none of its variant. */
  find(key: string, field: RequestField): Entry | Fork | undefined {
    const first = this.#kept.get(key);
    if (!(first instanceof Fork)) return first;
    const entry = this.#kept.get(
      placeOf({ key, names: first.names, variant: varyKey(first.names, field) }),
    );
    return entry instanceof Entry && entry.asked >= first.since ? entry : first;
  }

  /** Request fields that the responses at `key` vary by, as far as known. */
  namesOf(key: string): readonly string[] {
    const first = this.#kept.peek(key);
    return first instanceof Fork ? first.names : [];
  }

  /** Keep it in place of what was there. False when it is too large, and nothing is there. */
  put(entry: Entry): boolean {
    const { key, names, asked, place, weight } = entry;
    this.#kept.delete(place);
    if (names.length > 0) {
      const before = this.#kept.peek(key);
      if (!(before instanceof Fork) || !sameNames(before.names, names))
        this.#kept.set(key, new Fork(names, asked), FORK_OVERHEAD + key.length);
    }
    if (weight > this.#kept.budget * LARGEST_SHARE) return false;
    if (!this.#fits(entry, weight)) return false;
    entry.hold();
    entry.alive = true;
    return this.#kept.set(place, entry, weight);
  }

  /** What has left may still be sent, and then has its bytes still: others have to go for it. */
  #fits(entry: Entry, weight: number): boolean {
    if (entry.moveTo(this.#arena)) return true;
    this.#kept.shed(weight);
    return entry.moveTo(this.#arena);
  }

  /** May a response with a body of so many bytes be kept? Undefined: nobody knows how many. */
  takes(length = 0): boolean {
    return OVERHEAD + length <= this.#kept.budget * LARGEST_SHARE;
  }

  /** It takes more memory, or less, than it did. */
  weigh(entry: Entry): void {
    if (entry.alive) this.#kept.resize(entry.place, entry.weight);
  }

  /** Forget `entry`, unless another has its place already. */
  drop(entry: Entry): void {
    if (this.#kept.peek(entry.place) === entry) this.#kept.delete(entry.place);
  }

  remove(place: string): void {
    this.#kept.delete(place);
  }

  /** Forget what is at `key`, and with it all variants. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  /** Forget all that `dead` says so of. Answers how many. */
  sweep(dead: (entry: Entry) => boolean): number {
    let gone = 0;
    for (const [place, value] of this.#kept.entries())
      if (value instanceof Entry && dead(value)) {
        this.#kept.delete(place);
        gone++;
      }
    return gone;
  }

  *entries(): Iterable<Entry> {
    for (const [, value] of this.#kept.entries()) if (value instanceof Entry) yield value;
  }

  get bytes(): number {
    return this.#kept.bytes;
  }
  get size(): number {
    return this.#kept.size;
  }

  #left(value: Entry | Fork): void {
    if (!(value instanceof Entry)) return;
    value.alive = false;
    value.baked?.forget(value);
    value.baked = undefined;
    value.drop();
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
