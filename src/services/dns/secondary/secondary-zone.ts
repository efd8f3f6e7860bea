import type { Clock } from "../../../core/clock.ts";
import type { Closable } from "../../../core/lease.ts";
import type { Log } from "../../../observe/log.ts";
import { Journal } from "../transfer/journal.ts";
import { inTurns } from "../turns.ts";
import type { Zone } from "../zone/zone.ts";
import { buildPacked } from "./build-packed.ts";
import type { KeptZone, Note } from "./kept-zone.ts";
import { lifetime } from "./schedule.ts";
import { type SoaNumbers, soaNumbers } from "./soa.ts";

/** How often a worker looks whether another has fetched, or has been notified. Milliseconds. */
const LOOK_MS = 1000;

export interface SecondaryParts {
  /** Lower case, without its last dot. */
  readonly name: string;
  /** The same in wire form. */
  readonly origin: Uint8Array;
  readonly kept: KeptZone;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Log;
}

/** A version of the zone, and what is known of it. */
export interface Held {
  readonly zone: Zone;
  readonly note: Note;
  readonly warnings: readonly string[];
}

/**
 * A zone whose records are another server's, as this process has it. One process fetches and keeps
 * it (`Refresher`); all, that one too, serve what is kept. It outlives a reload.
 */
export class SecondaryZone implements Closable {
  readonly name: string;
  readonly origin: Uint8Array;
  /** How its versions differ. */
  readonly journal = new Journal();
  readonly #parts: SecondaryParts;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<() => void>();
  #held: Held | undefined;
  /** Of the clock: it must not be served from then on. */
  #until = 0;
  #expired = false;
  #noteStamp: string | undefined;
  #callStamp: string;
  /** Which version was set when: a slow look must not undo a newer one. */
  #turn = 0;
  #watching = false;
  /** What to do when another worker says that the primaries have news. */
  #onCall: (() => void) | undefined;
  /** Whether a call was handed on since the last look, and whether another one came after it. */
  #handedOn = false;
  #another = false;

  private constructor(parts: SecondaryParts) {
    this.name = parts.name;
    this.origin = parts.origin;
    this.#parts = parts;
    this.#callStamp = parts.kept.callStamp;
  }

  /** With what is kept of it, if anything is. Never rejects. */
  static async open(parts: SecondaryParts): Promise<SecondaryZone> {
    const zone = new SecondaryZone(parts);
    await zone.#look();
    return zone;
  }

  /** What may be served now; undefined: nothing has come yet, or it is too old. */
  get zone(): Zone | undefined {
    return this.#expired ? undefined : this.#held?.zone;
  }

  /** The last version, too old or not. */
  get held(): Held | undefined {
    return this.#held;
  }

  get expired(): boolean {
    return this.#expired;
  }

  get soa(): SoaNumbers | undefined {
    return this.#held && soaOf(this.#held.zone);
  }

  /** Be told whenever `zone` is another; the result ends it. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** Follow what is kept, until it is closed. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    void this.#watch();
  }

  /** A primary says that there is news: whoever fetches is to look. */
  call(): void {
    if (this.#onCall !== undefined) this.#onCall();
    else if (this.#handedOn) this.#another = true;
    else this.#handOn();
  }

  /** We are who fetches: `run` when there is a call, here or in another worker. */
  onCall(run: () => void): void {
    this.#onCall = run;
  }

  /** A new version, just fetched, that is not kept yet; serve it. */
  async adopt(held: Held): Promise<void> {
    await this.#note(held.zone);
    this.#set(held);
  }

  /** A primary has just said that the version we have is the latest. */
  confirm(note: Note): void {
    if (this.#held !== undefined) this.#set({ ...this.#held, note });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#listeners.clear();
  }

  /** Tell the worker that fetches; a forger's swarm must not keep the disk busy. */
  #handOn(): void {
    this.#handedOn = true;
    this.#another = false;
    const { kept, log, name } = this.#parts;
    kept.call().catch((error: unknown) => {
      log.warn("a notification could not be handed on", { zone: name, error });
    });
  }

  async #watch(): Promise<void> {
    const { clock, kept } = this.#parts;
    const { signal } = this.#closed;
    for (;;) {
      await clock.sleep(LOOK_MS, signal).catch(() => {}); // closed: seen below
      if (signal.aborted) return;
      await this.#look();
      this.#handedOn = false;
      if (this.#another) this.#handOn();
      const { callStamp } = kept;
      if (callStamp === this.#callStamp) continue;
      this.#callStamp = callStamp;
      this.#onCall?.();
    }
  }

  /** Take over what another process has kept; let go what is too old. */
  async #look(): Promise<void> {
    this.#age();
    const { kept, log, name, origin } = this.#parts;
    const turn = this.#turn;
    const { stamp } = kept;
    if (stamp === this.#noteStamp) return;
    this.#noteStamp = stamp;
    const note = stamp === "" ? undefined : await kept.readNote();
    if (note === undefined) return;
    if (note.digest === this.#held?.note.digest) {
      if (turn === this.#turn) this.confirm(note);
      return;
    }
    const packed = await kept.readRecords(note.digest);
    // Gone: there is a newer version already, whose note comes next.
    if (packed === undefined) return;
    const built = await buildPacked(origin, packed, name);
    if (turn !== this.#turn) return;
    if (built.ok) {
      await this.#note(built.zone);
      if (turn !== this.#turn) return;
      const warnings = built.warnings.map(({ message }) => message);
      return this.#set({ zone: built.zone, note, warnings });
    }
    log.error("a kept zone cannot be served", { zone: name, problem: built.problems[0]?.message });
  }

  /** Those who have this zone from us may ask how it differs from what they have. */
  async #note(next: Zone): Promise<void> {
    const before = this.#held?.zone;
    if (before !== undefined) await inTurns(this.journal.follow(before, next));
  }

  #set(held: Held): void {
    const { clock, wall } = this.#parts;
    const changed = held.zone !== this.#held?.zone;
    this.#turn++;
    this.#held = held;
    const age = Math.max(0, wall() - held.note.checkedAt);
    this.#until = clock.now() + lifetime(soaOf(held.zone)) - age;
    if (!this.#age() && changed) this.#tell();
  }

  /** See whether it is too old; whether that has changed, which then has been told. */
  #age(): boolean {
    const { clock, log, name } = this.#parts;
    const expired = this.#held !== undefined && clock.now() >= this.#until;
    if (expired === this.#expired) return false;
    this.#expired = expired;
    if (expired) log.error("a zone has expired: no primary has confirmed it", { zone: name });
    this.#tell();
    return true;
  }

  #tell(): void {
    for (const changed of this.#listeners) changed();
  }
}

function soaOf({ store, soa }: Zone): SoaNumbers {
  return soaNumbers(store.firstRdata(soa));
}
