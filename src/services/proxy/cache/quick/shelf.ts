/** Responses on disk of which the head is known, so that a hit is their body read and no more. */
import type { Clock } from "../../../../core/clock.ts";
import { type Counted, S3Fifo } from "../../../../core/s3-fifo.ts";
import { type Field, packFields, unpackFields } from "../../../../wire/http/caching/field-list.ts";
import type { Freshness } from "../../../../wire/http/caching/stored.ts";
import type { HttpRequest } from "../../../../wire/http/message.ts";
import { copyReread, type Filed, isShort } from "../disk/filed.ts";
import { OpenFiles } from "../disk/open-files.ts";
import type { Entry } from "../entry.ts";
import type { Answerable, Baked, Finishing, Source } from "./bake.ts";
import { QuickTable, type TableParts } from "./table.ts";

/** Heads known; each takes two kilobytes, or less. */
const MOST = 8192;
/** Four times as many: few have to share. */
const PLACES = 32 * 1024;
/** One hit in so many goes the full path, which takes what is asked for often into memory. */
const SAMPLE = 256;
/** How often it is told that a file is in use. */
const TELL_MS = 10_000;

/** One of them. */
class Shelved implements Answerable, Counted, Source {
  visits = 0;
  alive = true;
  baked: Baked | undefined;
  readonly key: string;
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly asked: number;
  readonly status: number;
  readonly freshness: Freshness;
  readonly filed: Filed;
  /** A `Clock` time. */
  told: number;
  readonly #fields: string;

  constructor(entry: Entry, filed: Filed, now: number) {
    this.key = entry.key;
    this.names = entry.names;
    this.tags = entry.tags;
    this.asked = entry.asked;
    this.status = entry.status;
    this.freshness = entry.freshness;
    this.filed = filed;
    this.told = now;
    this.#fields = packFields(entry.fields);
  }

  get fields(): Field[] {
    return unpackFields(this.#fields);
  }
  get length(): number {
    return this.filed.body.length;
  }
  get body(): { readonly length: number } {
    return this;
  }

  read(from: number, to: number, into: Uint8Array, at: number): void {
    copyReread(this.filed, from, to, into, at);
  }
}

export interface ShelfParts extends Pick<TableParts<never>, "wall" | "bans"> {
  readonly clock: Clock;
  /** Files kept open, at most. */
  readonly files: number;
  /** There is memory that responses may move to. */
  readonly memory: boolean;
  /** A file was used. */
  readonly used: (name: string) => void;
  /** A hit that only the disk knows of. */
  readonly hit: () => void;
}

export class Shelf {
  readonly table: QuickTable<Shelved>;
  readonly #parts: ShelfParts;
  readonly #shelved: S3Fifo<string, Shelved>;
  readonly #files: OpenFiles;
  #turn = 0;

  constructor(parts: ShelfParts) {
    this.#parts = parts;
    this.#files = new OpenFiles(parts.files, parts.clock);
    this.#shelved = new S3Fifo(MOST, (one) => {
      one.alive = false;
      one.baked?.forget(one);
      one.baked = undefined;
    });
    this.table = new QuickTable<Shelved>(PLACES, {
      now: () => parts.clock.now(),
      wall: parts.wall,
      bans: parts.bans,
      source: (one) => one,
      there: (one, now) => this.#isThere(one, now),
      grown: () => {},
    });
  }

  /** `entry`, which has answered `request`, was found in a file. */
  learn(request: HttpRequest, entry: Entry, filed: Filed, way: Finishing): void {
    if (!isShort(filed.body)) return;
    const { name, note } = filed;
    let one = this.#shelved.get(name);
    if (one?.filed.note !== note) {
      one = new Shelved(entry, filed, this.#parts.clock.now());
      this.#shelved.set(name, one, 1);
    }
    this.table.learn(request, one, way);
  }

  get size(): number {
    return this.#shelved.size;
  }
  get openFiles(): number {
    return this.#files.size;
  }

  close(): void {
    this.#files.close();
  }

  #isThere(one: Shelved, now: number): boolean {
    const { hit, memory, used } = this.#parts;
    if (memory && ++this.#turn % SAMPLE === 0) return false;
    const { filed } = one;
    if (!this.#reread(filed, now)) {
      this.#shelved.delete(filed.name);
      return false;
    }
    hit();
    if (now - one.told >= TELL_MS) {
      one.told = now;
      used(filed.name);
    }
    return true;
  }

  #reread(filed: Filed, now: number): boolean {
    try {
      return this.#files.reread(filed, now);
    } catch {
      return false; // gone, or the disk is in trouble: the full path finds out
    }
  }
}
