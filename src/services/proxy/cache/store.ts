import { byName } from "../../../wire/http/caching/field-list.ts";
import type { RequestField } from "../../../wire/http/caching/vary.ts";
import type { Bans } from "./bans.ts";
import { type Disk, type Found, SMALL } from "./disk/disk.ts";
import type { Locks } from "./disk/locks.ts";
import type { Spool } from "./disk/spool.ts";
import { Entry, type Name, placeOf, release, type Sent, tagsOf } from "./entry.ts";
import { Fork, type Memory } from "./memory.ts";

/** Where stored responses are: in memory, and on disk where there is one. */
export class Store {
  readonly memory: Memory;
  readonly bans: Bans;
  readonly disk: Disk | undefined;
  /** Undefined when there are no other workers to wait for, or nowhere to find what they fetch. */
  readonly locks: Locks | undefined;

  constructor(memory: Memory, bans: Bans, disk?: Disk, locks?: Locks) {
    this.memory = memory;
    this.bans = bans;
    this.disk = disk;
    this.locks = locks;
  }

  /**
   * The response for a request; "variant" when there are only others of its URL. Good until control
   * goes back to the loop, or as long as it is held.
   */
  find(key: string, field: RequestField): Found | Promise<Found> {
    const found = this.memory.find(key, field);
    if (found instanceof Entry && !this.bans.isDead(found)) return found;
    if (found instanceof Entry) this.memory.drop(found);
    const variant = found instanceof Fork ? "variant" : undefined;
    const kept = this.disk?.find(key, field);
    if (kept === undefined) return variant;
    return kept instanceof Promise
      ? kept.then((one) => this.#take(one) ?? variant)
      : (this.#take(kept) ?? variant);
  }

  /** Request fields that the responses of a URL vary by, as far as known. */
  namesOf(key: string): readonly string[] {
    return this.memory.namesOf(key);
  }

  /** Keep what has come: its body is in `pieces`. False when it was purged while it came, or there is no room. */
  put(entry: Entry, sent: Sent, pieces: readonly Uint8Array[]): boolean {
    if (this.bans.isDead(entry)) return false;
    const onDisk = this.disk?.writer.put(entry, sent, pieces) ?? false;
    if (this.disk === undefined || entry.body.length <= SMALL)
      return this.memory.put(entry) || onDisk;
    this.memory.remove(entry.place);
    return onDisk;
  }

  /** Keep what was written to disk while it came. */
  putSpooled(name: Name, sent: Sent, spool: Spool, length: number): boolean {
    if (
      this.disk === undefined ||
      this.bans.isDead({ ...name, ...sent, tags: tagsOf(byName(sent.fields)) })
    ) {
      spool.abandon();
      return false;
    }
    this.memory.remove(placeOf(name));
    return this.disk.writer.commit(name, sent, spool, length);
  }

  /** A stored response was found to hold still: `entry` takes its place. */
  renew(entry: Entry): void {
    if (this.bans.isDead(entry)) return;
    if (entry.body.kind !== "file") this.memory.put(entry);
    this.disk?.writer.renew(entry);
  }

  /** It must not be used any more. */
  drop(entry: Entry): void {
    this.memory.drop(entry);
    this.disk?.remove(entry.place);
  }

  /** What the disk has found: small bodies are in memory from now on. */
  #take(found: Found): Found {
    if (!(found instanceof Entry)) return found;
    release(found);
    if (this.bans.isDead(found)) {
      this.disk?.remove(found.place);
      return undefined;
    }
    if (found.body.kind !== "file") this.memory.put(found);
    return found;
  }
}
