/** In which coding a file is sent: one found beside it, kept from before, or made now. */
import { readSync } from "node:fs";

import type { Coding } from "../../wire/http/encoding.ts";
import { negotiate } from "../../wire/http/encoding.ts";
import { strongEtag } from "../../wire/http/etag.ts";
import { AT_ONCE, compress, compressed } from "./compress.ts";
import type { EncodedStore } from "./encoded-store.ts";
import { load } from "./load.ts";
import type { Origin } from "./origin.ts";
import type { Resource, Variant } from "./resource.ts";
import { type Shelf, SIDECAR } from "./shelf.ts";

/** Files compressed at once at a time; the thread pool has other work too. */
const MAX_MAKING = 2;
/** Files waiting for it; what comes then is sent as it is. */
const MAX_WAITING = 64;
/** Streams being compressed at a time, each with its window in memory; what comes then is sent as it is. */
const MAX_STREAMS = 32;
/** A coding that saves less is not worth the client's work. */
const WORTH = 0.95;

/** A body made while it is sent: its length is not known. */
export interface Streamed {
  readonly coding: Coding;
  readonly etag: string;
  /** Start it. To be called at most once. */
  open(): ReadableStream<Uint8Array>;
}

export class Encodings {
  readonly #origin: Origin;
  readonly #shelf: Shelf;
  readonly #store: EncodedStore | undefined;
  readonly #small: number;
  #making = 0;
  #waiting: (() => void)[] = [];
  #streams = 0;

  /** `small`: larger files beside are not held in memory. */
  constructor(origin: Origin, shelf: Shelf, store: EncodedStore | undefined, small: number) {
    this.#origin = origin;
    this.#shelf = shelf;
    this.#store = store;
    this.#small = small;
  }

  /**
   * What to send of a held resource. `ranged`: the request wants a part, for which the length
   * must be known.
   */
  choose(
    resource: Resource,
    acceptEncoding: string | null,
    ranged: boolean,
  ): Variant | Streamed | Promise<Variant | Streamed> {
    const coding = negotiate(acceptEncoding, resource.offered);
    const plain = identityOf(resource);
    // Nothing is acceptable: RFC 9110, 12.5.3 lets a server send it as it is.
    if (coding === "identity" || coding === "none") return plain;
    const ready =
      resource.variants.get(coding) ??
      this.#beside(resource, coding) ??
      this.#stored(resource, coding);
    if (ready) return ready;
    if (!resource.offered.includes(coding)) return this.choose(resource, acceptEncoding, ranged);
    if (resource.facts.size <= AT_ONCE)
      return this.#make(resource, coding).then((made) => made ?? plain);
    if (ranged || this.#streams >= MAX_STREAMS) return plain;
    return this.#stream(resource, coding, plain.fd);
  }

  /** The file beside it. When it is gone, the coding is no longer offered. */
  #beside(resource: Resource, coding: Coding): Variant | undefined {
    const facts = resource.sidecars.get(coding);
    if (!facts) return undefined;
    const opened = this.#origin.open(resource.path + SIDECAR[coding]);
    if (typeof opened === "string") {
      withdraw(resource, (other) => other === coding);
      return undefined;
    }
    const { bytes, fd, facts: now } = load(opened, this.#small);
    const variant = {
      coding,
      etag: strongEtag(resource.facts, coding, now),
      length: now.size,
      bytes,
      fd,
      offset: 0,
    };
    return this.#grow(resource, variant);
  }

  /** Kept on disk from an earlier request, perhaps of an earlier life. */
  #stored(resource: Resource, coding: Coding): Variant | undefined {
    const found = this.#store?.find(resource.path, resource.facts.identity, coding);
    if (!found) return undefined;
    const { fd, length, offset } = found;
    const etag = strongEtag(resource.facts, coding);
    if (length > AT_ONCE)
      return this.#grow(resource, { coding, etag, length, bytes: undefined, fd, offset });
    try {
      const bytes = new Uint8Array(length);
      if (readSync(fd, bytes, 0, length, offset) !== length) return undefined;
      return this.#grow(resource, { coding, etag, length, bytes, fd: -1, offset: 0 });
    } finally {
      found.close();
    }
  }

  #make(resource: Resource, coding: Coding): Promise<Variant | undefined> {
    const running = resource.pending.get(coding);
    if (running) return running;
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve(undefined);
    resource.hold();
    const made = this.#compress(resource, coding).finally(() => {
      resource.pending.delete(coding);
      resource.drop();
    });
    resource.pending.set(coding, made);
    return made;
  }

  async #compress(resource: Resource, coding: Coding): Promise<Variant | undefined> {
    if (this.#making >= MAX_MAKING) await new Promise<void>((next) => this.#waiting.push(next));
    this.#making++;
    try {
      const source = identityOf(resource);
      const plain = source.bytes ?? readAll(source);
      const bytes = await compress(coding, plain);
      if (bytes.length > plain.length * WORTH) {
        // What one coding cannot make smaller, the others cannot either.
        withdraw(resource, (other) => !resource.sidecars.has(other));
        return undefined;
      }
      this.#store?.keep(resource.path, resource.facts.identity, coding, bytes);
      const etag = strongEtag(resource.facts, coding);
      return this.#grow(resource, { coding, etag, length: bytes.length, bytes, fd: -1, offset: 0 });
    } finally {
      this.#making--;
      this.#waiting.shift()?.();
    }
  }

  #stream(resource: Resource, coding: Coding, fd: number): Streamed {
    return {
      coding,
      etag: strongEtag(resource.facts, coding),
      open: () => {
        this.#streams++;
        resource.hold();
        const sink = this.#store?.begin(resource.path, resource.facts.identity, coding);
        return compressed(coding, { fd, size: resource.facts.size }, sink, () => {
          this.#streams--;
          resource.drop();
        });
      },
    };
  }

  #grow(resource: Resource, variant: Variant): Variant {
    resource.add(variant);
    this.#shelf.grown(resource);
    return variant;
  }
}

/** Every resource is made with it. */
export function identityOf(resource: Resource): Variant {
  const variant = resource.variants.get("identity");
  if (!variant) throw new Error(`${resource.path} was used after it was dropped`);
  return variant;
}

function withdraw(resource: Resource, which: (coding: Coding) => boolean): void {
  resource.offered = resource.offered.filter((coding) => !which(coding));
  resource.baked = []; // Vary may be another
}

function readAll({ fd, length, offset }: Variant): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const n = readSync(fd, bytes, at, length - at, offset + at);
    if (n === 0) throw new Error("the file became shorter while it was read");
    at += n;
  }
  return bytes;
}
