/** Basic authentication (RFC 7617) against password hashes of any kind in `core/password-kind.ts`. */
import { createHmac, randomBytes } from "node:crypto";

import { passwordKind } from "../core/password-kind.ts";
import { verifyPassword } from "./password.ts";

/** How long a verdict is believed without hashing again: argon2id costs some 50 ms and 64 MiB. */
const BELIEVED_MS = 60_000;
/** Verdicts remembered. */
const MAX_VERDICTS = 10_000;
/** Verifications at once; more wait. Each takes the memory its hash asks for. */
const MAX_AT_ONCE = 2;
/** Verifications waiting; more are denied unseen, so that guessing cannot fill the memory. */
const MAX_WAITING = 200;
/** Longer credentials are denied unseen. */
const MAX_CREDENTIALS = 2048;

/** What begins like a hash may be a placeholder that no password fits. */
const HASH = /^\$(argon2(id|i|d)\$|2[abxy]\$)/;

export class BasicAuth {
  /** Value of WWW-Authenticate for a 401. */
  readonly challenge: string;
  #hashes: ReadonlyMap<string, string>;
  /** Keyed by a salted hash of the credentials, never by themselves. */
  #verdicts = new Map<string, { readonly verdict: Promise<boolean>; until: number }>();
  #salt = randomBytes(32);
  #running = 0;
  #waiting: (() => void)[] = [];

  /** `users`: hash by name. Throws when one is no password hash. */
  constructor(realm: string, users: Readonly<Record<string, string>>) {
    this.challenge = `Basic realm="${realm.replaceAll(/["\\]/g, "\\$&")}", charset="UTF-8"`;
    this.#hashes = new Map(Object.entries(users));
    for (const [name, hash] of this.#hashes) {
      if (!HASH.test(hash) && passwordKind(hash) === undefined)
        throw new Error(`user ${name}: not a password hash; make one with "tern hash-password"`);
    }
  }

  /** Who sends this Authorization field. "missing" when there is no Basic in it. `now` in milliseconds. */
  async check(
    header: string | null,
    now: number,
  ): Promise<{ user: string } | "missing" | "denied"> {
    const token = /^basic +([a-z\d+/=_-]+) *$/i.exec(header ?? "")?.[1];
    if (token === undefined) return "missing";
    if (token.length > MAX_CREDENTIALS) return "denied";
    const text = Buffer.from(token, "base64").toString("utf8");
    const colon = text.indexOf(":");
    if (colon < 0) return "denied";
    const user = text.slice(0, colon);
    return (await this.#verdict(user, text.slice(colon + 1), now)) ? { user } : "denied";
  }

  #verdict(user: string, password: string, now: number): Promise<boolean> {
    const key = createHmac("sha256", this.#salt).update(`${user}:${password}`).digest("base64");
    const known = this.#verdicts.get(key);
    if (known && now < known.until) return known.verdict;
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve(false);
    const verdict = this.#verify(user, password);
    this.#verdicts.delete(key);
    if (this.#verdicts.size >= MAX_VERDICTS)
      for (const oldest of this.#verdicts.keys()) {
        this.#verdicts.delete(oldest);
        break;
      }
    this.#verdicts.set(key, { verdict, until: now + BELIEVED_MS });
    return verdict;
  }

  async #verify(user: string, password: string): Promise<boolean> {
    const hash = this.#hashes.get(user);
    // An unknown user costs what a known one does, so that time does not tell who exists.
    const anyone = hash ?? this.#hashes.values().next().value;
    if (anyone === undefined) return false;
    await this.#turn();
    try {
      const right = await verifyPassword(password, anyone);
      return right && hash !== undefined;
    } catch {
      return false; // an empty password, a hash with impossible parameters
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= MAX_AT_ONCE)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }
}
