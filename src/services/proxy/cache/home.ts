import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Clock } from "../../../core/clock.ts";
import type { Closable } from "../../../core/lease.ts";
import type { Nodes, Talk } from "../../../net/cluster/nodes.ts";
import type { Reactor } from "../../../net/reactor.ts";
import type { Log } from "../../../observe/log.ts";
import { BanLog } from "./ban-log.ts";
import { type Ban, type BanKind, Bans, emitBan, parseBan } from "./bans.ts";
import { type CacheConfig, rulesOf } from "./config.ts";
import { Disk } from "./disk/disk.ts";
import { Janitor } from "./disk/janitor.ts";
import { JournalWriter, readJournal } from "./disk/journal.ts";
import { Locks } from "./disk/locks.ts";
import { makeDirectories } from "./disk/place.ts";
import type { Ledger } from "./disk/writer.ts";
import { Memory } from "./memory.ts";
import { Store } from "./store.ts";

/** How often bans that have nothing left to forbid are taken out, and how long they are kept at least. */
const TIDY_MS = 60_000;
const KEEP_MS = 3_600_000;
/** A log of bans that is not longer is left as it is. */
const SHORT = 4096;
/** A disk in trouble is told of so often. */
const COMPLAIN_MS = 60_000;
/** What others have banned while this worker was being replaced is told to other nodes by this one. */
const BEFORE_MS = 10_000;

export interface HomeParts {
  /** The proxy's. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodes: Nodes;
  readonly reactor: Reactor;
  /** Directory for what survives a restart. */
  readonly state: string;
  readonly worker: { readonly index: number; readonly count: number };
}

/** What of a cache outlives a reload: what is stored, and what must not be used any more. */
export class Home implements Closable {
  readonly store: Store;
  readonly #parts: HomeParts;
  readonly #bans = new Bans();
  readonly #banLog: BanLog;
  readonly #janitor: Janitor | undefined;
  readonly #journal: JournalWriter | undefined;
  /** To the same cache of other nodes; of one worker alone. */
  #talk: Talk | undefined;
  readonly #began = Date.now();
  readonly #end = new AbortController();
  #complained = -Infinity;

  /** Throws what node:fs and the kernel say when directories cannot be made or watched. */
  constructor(settings: CacheConfig, parts: HomeParts) {
    this.#parts = parts;
    const { name, nodes, state, worker, reactor, clock } = parts;
    // With a prefix, since a proxy may be called "..".
    const own = `proxy-${encodeURIComponent(name)}`;
    const root = join(settings.disk ?? join(state, "cache"), own);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const failed = (what: string, error: unknown): void => this.#failed(what, error);
    this.#banLog = new BanLog({
      path: join(root, "bans"),
      reactor,
      anew: () => this.#bans.clear(),
      heard: (ban) => this.#heard(ban),
      failed,
    });
    const memory = new Memory(settings.memory);
    if (settings.disk === undefined) {
      this.store = new Store(memory, this.#bans);
    } else {
      makeDirectories(root);
      const journal = join(root, "journal");
      let ledger: Ledger;
      if (worker.index === 0) {
        const bound = settings.disk_max;
        this.#janitor = new Janitor({ root, bound, bans: this.#bans, wall: Date.now, failed });
        ledger = this.#janitor;
        void readJournal(journal, ledger, clock, this.#end.signal);
      } else ledger = this.#journal = new JournalWriter(journal);
      const disk = new Disk(root, { rules: rulesOf(settings), ledger, wall: Date.now, failed });
      const alone = worker.count === 1 || settings.collapse === 0;
      const locks = alone ? undefined : new Locks(root, settings.collapse);
      this.store = new Store(memory, this.#bans, disk, locks);
    }
    if (worker.index > 0) return;
    void this.#tidy();
    this.#talk = nodes.join(`proxy cache ${name}`, (text, age) => {
      const ban = parseBan(text, Date.now() - age);
      if (ban === undefined) return;
      this.#enforce([ban]);
      if (isWide(ban)) this.#sweep();
    });
    for (const ban of this.#bans.list()) this.#pass(ban);
  }

  /** Nobody is to use these any more, in any worker. */
  forbid(what: readonly { readonly kind: BanKind; readonly value: string }[]): void {
    const time = Date.now();
    const bans = what.map((one) => ({ ...one, time }));
    this.#enforce(bans);
    for (const ban of bans) this.#pass(ban);
  }

  /** Likewise, and they leave the memory at once. Answers how many did. */
  purge(what: readonly { readonly kind: BanKind; readonly value: string }[]): number {
    this.forbid(what);
    return this.#sweep();
  }

  /** Resolves when what is on disk is known: bounds are kept from then on. */
  async ready(): Promise<void> {
    await this.#janitor?.ready;
  }

  get janitor(): Janitor | undefined {
    return this.#janitor;
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#talk?.leave();
    this.#banLog.close();
    this.#janitor?.close();
    await this.store.disk?.writer.settled();
    await this.#journal?.close();
    this.store.memory.close();
  }

  #heard(ban: Ban): void {
    if (!this.#bans.add(ban)) return; // ours
    this.#pass(ban);
    if (!isWide(ban)) return;
    this.#janitor?.sweep();
    this.#sweep();
  }

  /** From now on these are in force in all workers of this machine. */
  #enforce(bans: readonly Ban[]): void {
    for (const ban of bans) {
      this.#bans.add(ban);
      if (ban.kind === "url") this.store.disk?.remove(ban.value);
    }
    // Alone, and with a memory that does not outlive this process, there is nobody to tell.
    if (this.#parts.worker.count > 1 || this.store.disk !== undefined) this.#banLog.tell(bans);
    if (bans.some(isWide)) this.#janitor?.sweep();
  }

  /** Tell other nodes what somebody of this one has banned. */
  #pass(ban: Ban): void {
    if (ban.time > this.#began - BEFORE_MS) this.#talk?.say(emitBan(ban), Date.now() - ban.time);
  }

  /** Dead ones leave the memory. Answers how many did; none while it is being made. */
  #sweep(): number {
    return this.store?.memory.sweep((entry) => this.#bans.isDead(entry)) ?? 0;
  }

  async #tidy(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#parts.clock.sleep(TIDY_MS, signal).catch(() => {}); // closed
      if (signal.aborted || this.#banLog.bytes <= SHORT || this.#janitor?.busy) continue;
      this.#bans.forgetBefore(Math.min(this.#janitor?.oldest ?? Infinity, Date.now() - KEEP_MS));
      await this.#banLog.compact(this.#bans.list());
    }
  }

  #failed(what: string, error: unknown): void {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") this.#janitor?.full();
    const { clock, log } = this.#parts;
    const now = clock.now();
    if (now - this.#complained < COMPLAIN_MS) return;
    this.#complained = now;
    log.warn("the cache does without its disk for now", { what, error });
  }
}

/** It may be of many; that of one URL is found where it is looked for. */
function isWide({ kind }: Pick<Ban, "kind">): boolean {
  return kind !== "url";
}
