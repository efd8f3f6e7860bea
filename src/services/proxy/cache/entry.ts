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
import type { Kept } from "./kept.ts";
import type { Baked } from "./quick/bake.ts";

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

/** Bytes an entry takes beside its body and fields: objects, places in tables. Measured, rounded up. */
const OVERHEAD = 1024;

/** A stored response. */
export class Entry implements Counted, Name {
  visits = 0;
  /** In memory, and not purged: may be answered from by whoever still holds it. */
  alive = false;
  /** Answers made ahead. */
  baked: Baked | undefined;
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
  body: Kept;
  readonly #fields: string;

  constructor(name: Name, sent: Sent, body: Kept, rules: Rules) {
    this.key = name.key;
    this.names = name.names;
    this.variant = name.variant;
    this.status = sent.status;
    this.asked = sent.asked;
    this.came = sent.came;
    this.body = body;
    this.#fields = packFields(sent.fields);
    const fields = byName(sent.fields);
    const said = directivesOf(fields);
    this.freshness = freshnessOf({ ...sent, fields }, rules);
    this.shared = said.public || said.mustRevalidate || said.sMaxage !== undefined;
    this.tags = tagsOf(fields);
  }

  get fields(): Field[] {
    return unpackFields(this.#fields);
  }
  get place(): string {
    return placeOf(this);
  }
  /** Bytes of memory it takes. */
  get weight(): number {
    const held = this.body.kind === "memory" ? this.body.length : 0;
    return OVERHEAD + this.#fields.length + this.key.length + held + (this.baked?.extra ?? 0);
  }
}

const NO_TAGS: readonly string[] = [];

/** Cache-Tag: a list with commas; Surrogate-Key: one with spaces. */
function tagsOf(fields: ReadonlyMap<string, string>): readonly string[] {
  const tags = fields.get("cache-tag");
  const keys = fields.get("surrogate-key");
  if (tags === undefined && keys === undefined) return NO_TAGS;
  return [
    ...(tags?.split(",").map((tag) => tag.trim()) ?? []),
    ...(keys?.split(/[\s,]+/) ?? []),
  ].filter((tag) => tag !== "");
}
