/** A member as this process knows it: how it has answered lately. */
import { backoff, type BackoffRules } from "../../core/backoff.ts";
import { type Member, MemberError } from "./members/member.ts";
import { RecordMemory } from "./record-memory.ts";
import type { CopyRecord } from "./record.ts";

/** One that is away is left alone for so long between probes. */
const AWAY: BackoffRules = { first: 500, most: 3000, calm: 0 };
/** Weight of the newest answer in the average of how long they take. */
const NEWEST = 0.2;
/** Room is asked for no more often. Milliseconds. */
const SPACE_FRESH_MS = 1000;

export interface SeatFigures {
  readonly where: string;
  readonly up: boolean;
  /** Requests that failed because it was away, silent or broken. */
  readonly failures: number;
  /** Of late, milliseconds. */
  readonly answers_in_ms: number;
  readonly why?: string;
}

export class Seat {
  readonly member: Member;
  readonly #records: RecordMemory;
  readonly #now: () => number;
  #inRow = 0;
  #failures = 0;
  #until = 0;
  #tookMs = 0;
  #why: string | undefined;
  #space: { readonly at: number; readonly share: Promise<number> } | undefined;

  /** `now` in milliseconds, never going back. */
  constructor(member: Member, now: () => number) {
    this.member = member;
    this.#now = now;
    this.#records = new RecordMemory(now);
  }

  get id(): string {
    return this.member.id;
  }

  /** It has answered last time. One that has not is asked by nobody who waits, but `probe`. */
  get up(): boolean {
    return this.#inRow === 0;
  }

  /** It is away, and has been left alone for long enough to be probed. */
  get toProbe(): boolean {
    return !this.up && this.#now() >= this.#until;
  }

  /** How long it takes to answer, of late. Milliseconds. */
  get tookMs(): number {
    return this.#tookMs;
  }

  /** The record at `at` when it can be had at once; undefined says nothing. */
  recordNow(at: string): CopyRecord | "absent" | undefined {
    const { near } = this.member;
    return near && this.up ? this.#records.read(near, at) : undefined;
  }

  /** Have it do something, and remember how that went. */
  async do<T>(run: (member: Member) => Promise<T>): Promise<T> {
    const began = this.#now();
    try {
      const done = await run(this.member);
      this.#inRow = 0;
      this.#why = undefined;
      this.#tookMs += (this.#now() - began - this.#tookMs) * NEWEST;
      return done;
    } catch (error) {
      if (error instanceof MemberError && error.trouble !== "away") throw error;
      this.blame(error);
      throw error;
    }
  }

  /** It was away while it was given something longer to do. */
  blame(error: unknown): void {
    this.#inRow++;
    this.#failures++;
    this.#until = this.#now() + backoff(this.#inRow, AWAY);
    this.#why = error instanceof Error ? error.message : String(error);
  }

  /** What is there now is all it has, says the operator; rejects when it cannot be told so. */
  async renew(): Promise<void> {
    await this.member.renew?.();
    await this.do((member) => member.probe());
  }

  /** Share of it that is free, from 0 to 1; 1 where nobody can say. */
  free(): Promise<number> {
    const now = this.#now();
    if (this.#space !== undefined && now - this.#space.at < SPACE_FRESH_MS)
      return this.#space.share;
    const share = this.member.space().then(
      (space) => (space === undefined || space.total === 0 ? 1 : space.free / space.total),
      () => 1, // it is away: writing to it says so
    );
    this.#space = { at: now, share };
    return share;
  }

  figures(): SeatFigures {
    return {
      where: this.member.where,
      up: this.up,
      failures: this.#failures,
      answers_in_ms: Math.round(this.#tookMs * 10) / 10,
      ...(this.#why !== undefined && { why: this.#why }),
    };
  }
}
