import { closeSync } from "node:fs";

import type { Visited } from "../../core/byte-lru.ts";
import type { Prepared } from "../../net/quick.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import type { Field } from "./fields.ts";
import type { Facts } from "./origin.ts";

/** What an entry costs beside its bodies: object, fields, two baked heads. Measured, rounded up. */
const OVERHEAD = 2048;

/** A body of known length in one coding, in memory or in an open file. */
export interface Variant {
  readonly coding: Coding | "identity";
  readonly etag: string;
  readonly length: number;
  /** Undefined when it is in a file. */
  readonly bytes: Uint8Array | undefined;
  /** Open for as long as the resource is held; -1 when the body is in memory. */
  readonly fd: number;
  /** Where it begins in the file. */
  readonly offset: number;
}

/** The answers made ahead for one variant: whole, and "you have it". */
export interface Baked {
  readonly variant: Variant;
  readonly whole: Prepared;
  readonly unchanged: Prepared;
  /** Bytes of If-None-Match and of If-Modified-Since that mean "unchanged" without further thought. */
  readonly etag: Uint8Array;
  readonly modified: Uint8Array;
}

/**
 * One file as it was when last looked at, with all that has been made of it. Counted by its
 * users (the cache is one, each response that sends from its files another): the files are
 * closed when the last is done.
 */
export class Resource implements Visited {
  visited = false;
  /** In the cache: may still be found, and answered from. */
  alive = false;
  /** Until when it may be answered from without looking at the disk; a `Clock` time. */
  freshUntil = 0;
  readonly path: string;
  readonly facts: Facts;
  readonly type: string;
  readonly fields: readonly Field[];
  /** Cache-Control max-age in milliseconds; undefined when nothing is said. */
  readonly maxAge: number | undefined;
  readonly variants = new Map<Coding | "identity", Variant>();
  /** Codings being made right now. */
  readonly pending = new Map<Coding, Promise<Variant | undefined>>();
  /** Compressed files beside it, as they were. */
  readonly sidecars: ReadonlyMap<Coding, Facts>;
  /** Codings it can be had in, sidecars first; those that turned out to gain nothing are taken out. */
  offered: readonly Coding[];
  /** By class of Accept-Encoding; see quick.ts. */
  baked: (Baked | undefined)[] = [];
  #files: number[] = [];
  #users = 1;

  constructor(
    path: string,
    facts: Facts,
    look: {
      readonly type: string;
      readonly fields: readonly Field[];
      readonly maxAge: number | undefined;
      readonly sidecars: ReadonlyMap<Coding, Facts>;
      readonly offered: readonly Coding[];
    },
  ) {
    this.path = path;
    this.facts = facts;
    this.type = look.type;
    this.fields = look.fields;
    this.maxAge = look.maxAge;
    this.sidecars = look.sidecars;
    this.offered = look.offered;
  }

  /** Keep the files open until `drop`. Only for who holds it, or finds it alive. */
  hold(): void {
    this.#users++;
  }

  drop(): void {
    if (--this.#users > 0) return;
    this.baked = [];
    this.variants.clear();
    for (const fd of this.#files.splice(0)) closeSync(fd);
  }

  /** Give it a variant. Its file is closed with the resource. */
  add(variant: Variant): Variant {
    if (variant.fd >= 0) this.#files.push(variant.fd);
    this.variants.set(variant.coding, variant);
    return variant;
  }

  get openFiles(): number {
    return this.#files.length;
  }

  /** Bytes of memory it takes. */
  get weight(): number {
    let bytes = OVERHEAD;
    for (const variant of this.variants.values()) bytes += variant.bytes?.length ?? 0;
    return bytes;
  }
}
