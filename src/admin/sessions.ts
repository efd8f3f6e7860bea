import { createHash, randomBytes } from "node:crypto";

import type { Clock } from "../core/clock.ts";

/** Unused for this long, a session is over. */
export const IDLE_MS = 30 * 60_000;
/** However much it is used, it is over after this. */
export const ABSOLUTE_MS = 12 * 60 * 60_000;
/** Sessions at once; the one unused for longest makes room. */
const MOST = 1000;

const TOKEN_BYTES = 32; // 256 bits: nobody guesses one

export interface Session {
  readonly user: string;
  /** The password hash it was opened under: a changed password ends it. */
  readonly hash: string;
  /** What a page must send back in X-CSRF-Token to change anything. */
  readonly csrf: string;
}

/** Who has logged in. In memory of one process; tokens are kept as their SHA-256 only. */
export class Sessions {
  /** In order of last use. */
  #open = new Map<string, { readonly session: Session; readonly opened: number; used: number }>();
  #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new session, and the only copy of the token that stands for it. */
  open(user: string, hash: string): { readonly token: string; readonly session: Session } {
    const now = this.#clock.now();
    this.#forget(now);
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const session = { user, hash, csrf: randomBytes(TOKEN_BYTES).toString("base64url") };
    this.#open.set(digest(token), { session, opened: now, used: now });
    return { token, session };
  }

  /** The session of this token, unless it is over. Finding it is using it. */
  find(token: string): Session | undefined {
    const key = digest(token);
    const entry = this.#open.get(key);
    if (!entry) return undefined;
    const now = this.#clock.now();
    this.#open.delete(key);
    if (isOver(entry, now)) return undefined;
    entry.used = now;
    this.#open.set(key, entry);
    return entry.session;
  }

  close(token: string): void {
    this.#open.delete(digest(token));
  }

  /** All sessions of a user. */
  closeOf(user: string): void {
    for (const [key, { session }] of this.#open) if (session.user === user) this.#open.delete(key);
  }

  /** Is it still open? To look is not to use it: who only watches is logged out in the end. */
  has(token: string): boolean {
    const entry = this.#open.get(digest(token));
    return entry !== undefined && !isOver(entry, this.#clock.now());
  }

  get size(): number {
    return this.#open.size;
  }

  /** Drop what is over, and the least used when there are too many. */
  #forget(now: number): void {
    for (const [key, entry] of this.#open) {
      if (isOver(entry, now) || this.#open.size >= MOST) this.#open.delete(key);
    }
  }
}

function isOver({ opened, used }: { opened: number; used: number }, now: number): boolean {
  return now - used >= IDLE_MS || now - opened >= ABSOLUTE_MS;
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
