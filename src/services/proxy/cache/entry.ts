import type { Counted } from "../../../core/s3-fifo.ts";
import {
  byName,
  type Field,
  packFields,
  unpackFields,
} from "../../../wire/http/caching/field-list.ts";
import {
  directivesOf,
  type Freshness,
  freshnessOf,
  type Rules,
} from "../../../wire/http/caching/stored.ts";
import { type Arena, CHUNK, chunksFor, type Held } from "./arena.ts";
import type { Filed } from "./disk/filed.ts";
import type { Kept } from "./kept.ts";
import type { Baked } from "./quick/bake.ts";
import { type Sliced, slicedOf } from "./slices/sliced.ts";

/** Which response of which URL. */
export interface Name {
  /** `host/path?query`, and what else the operator wants told apart. */
  readonly key: string;
  /** Request fields it varies by; and their values, as one text. Both empty when it does not vary. */
  readonly names: readonly string[];
  readonly variant: string;
}

/** A response without its body, and when it came. Milliseconds since 1970. */
export interface Sent {
  readonly status: number;
  readonly fields: readonly Field[];
  /** When the request for it was sent, and when its head had come. */
  readonly asked: number;
  readonly came: number;
}

/** Under which key the responses of `name` are kept: one for each variant. */
export function placeOf({ key, names, variant }: Name): string {
  return names.length === 0 ? key : `${key}\n\n${variant}`;
}

/**
 * Bytes an entry takes beside its body and fields: 700 of objects and places in tables, and what
 * lies about of those evicted before the garbage collector comes by. Measured, rounded up.
 */
export const OVERHEAD = 2048;
/** A field block is seldom longer; if it is, one is made for it. */
const SCRATCH = Buffer.alloc(16 * 1024);

/**
 * A stored response. Its bytes are its own at first and then in the memory of the cache, and good as
 * long as somebody holds it: whoever made it, until the end of that turn; the memory; and whoever
 * sends from it.
 */
export class Entry implements Counted, Name {
  visits = 0;
  /** In memory, and not purged: may be answered from by whoever still holds it. */
  alive = false;
  /** It was kept when it came. */
  kept = false;
  /** Answers made ahead. */
  baked: Baked | undefined;
  /** The file it was found in, just now. */
  filed: Filed | undefined;
  readonly key: string;
  readonly names: readonly string[];
  readonly variant: string;
  readonly status: number;
  readonly asked: number;
  readonly came: number;
  readonly freshness: Freshness;
  /** Also for requests with Authorization (RFC 9111, 3.5). */
  readonly shared: boolean;
  readonly tags: readonly string[];
  /** Its body is elsewhere, in slices. */
  readonly sliced: Sliced | undefined;
  #body: Kept;
  /** In front of the body, or of nothing. */
  #fields: string | Held;
  #users = 1;

  /** It is held by whoever makes it; a body in memory is its own to drop. */
  constructor(name: Name, sent: Sent, body: Kept, rules: Rules) {
    this.key = name.key;
    this.names = name.names;
    this.variant = name.variant;
    this.status = sent.status;
    this.asked = sent.asked;
    this.came = sent.came;
    this.#body = body;
    this.#fields = packFields(sent.fields);
    const fields = byName(sent.fields);
    const said = directivesOf(fields);
    this.freshness = freshnessOf({ ...sent, fields }, rules);
    this.shared = said.public || said.mustRevalidate || said.sMaxage !== undefined;
    this.tags = tagsOf(fields);
    this.sliced = slicedOf(fields);
  }

  get fields(): Field[] {
    return unpackFields(this.#text());
  }
  get body(): Kept {
    return this.#body;
  }
  get place(): string {
    return placeOf(this);
  }

  /** Bytes of memory it takes, or will take. */
  get weight(): number {
    const fields = this.#fields;
    let bytes: number;
    if (this.#body.kind === "memory") {
      bytes = this.#body.weight;
      if (typeof fields === "string") bytes += chunksFor(fields.length) * CHUNK;
      else if (fields !== this.#body) bytes += fields.weight;
    } else {
      const front = typeof fields === "string" ? fields.length : 0;
      bytes = chunksFor(front + this.#body.length) * CHUNK;
    }
    return OVERHEAD + bytes + this.place.length + (this.baked?.extra ?? 0);
  }

  /** Have its bytes in `arena` from now on. False when there is no room for all of them. */
  moveTo(arena: Arena): boolean {
    if (typeof this.#fields !== "string") return true;
    const front = Buffer.from(this.#fields, "latin1");
    // A body that another entry brought here stays where it is.
    const pieces = this.#body.kind === "pieces" ? this.#body.pieces : [];
    const held = arena.store(front, pieces);
    if (held === undefined) return false;
    this.#fields = held;
    if (this.#body.kind === "pieces") this.#body = held;
    return true;
  }

  /** Its bytes stay until `drop`. Only for who knows that somebody holds it. */
  hold(): void {
    this.#users++;
  }

  drop(): void {
    if (--this.#users > 0) return;
    if (typeof this.#fields !== "string" && this.#fields !== this.#body) this.#fields.drop();
    if (this.#body.kind !== "pieces") this.#body.drop();
  }

  #text(): string {
    const fields = this.#fields;
    if (typeof fields === "string") return fields;
    const { front } = fields;
    const into = front <= SCRATCH.length ? SCRATCH : Buffer.alloc(front);
    fields.read(-front, 0, into, 0);
    return into.toString("latin1", 0, front);
  }
}

/** Whoever gets it uses it before control goes back to the loop, or holds it. */
export function release(entry: Entry): void {
  setImmediate(() => entry.drop());
}

const NO_TAGS: readonly string[] = [];

/** Cache-Tag: a list with commas; Surrogate-Key: one with spaces. */
export function tagsOf(fields: ReadonlyMap<string, string>): readonly string[] {
  const tags = fields.get("cache-tag");
  const keys = fields.get("surrogate-key");
  if (tags === undefined && keys === undefined) return NO_TAGS;
  return [
    ...(tags?.split(",").map((tag) => tag.trim()) ?? []),
    ...(keys?.split(/[\s,]+/) ?? []),
  ].filter((tag) => tag !== "");
}
