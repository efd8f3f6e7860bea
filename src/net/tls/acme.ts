import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Certificate } from "../certificates.ts";
import { AcmeState } from "./acme-state.ts";
import type { Pair } from "./certificate.ts";
import { type Ca, issue, type Kind, kindsFor, newAccountKey, type Proofs } from "./issue.ts";
import { askRenewalInfo, timeIn } from "./renewal-info.ts";
import { renewalTime, retryDelay } from "./renewal.ts";
import { placeholder } from "./self-signed.ts";

/** What certificate keeping is lent. */
export interface Lent {
  /** Directory for what must survive a restart. */
  readonly state: string;
  readonly clock: Clock;
  /** Milliseconds since 1970: certificates are about the calendar. */
  readonly wall: () => number;
  /** From [0, 1). */
  readonly dice: () => number;
  readonly log: Log;
}

/** Calendars jump and machines sleep: look again at least this often. */
const LOOK_MS = 60 * 60_000;
/** How long to leave a CA alone that did not say when to renew, or has just issued. */
const CONSULT_AGAIN_MS = 6 * 60 * 60_000;

/** Certificates from a CA: one per name, so that a name gone wrong holds up no other. */
export class Acme {
  readonly #ca: Ca;
  readonly #lent: Lent;
  readonly #state: AcmeState;
  #entries: Entry[] = [];

  private constructor(ca: Ca, state: AcmeState, lent: Lent) {
    this.#ca = ca;
    this.#state = state;
    this.#lent = lent;
  }

  /** With what an earlier run has kept; asks nobody. Throws when its state is out of reach. */
  static async prepare(names: readonly string[], ca: Ca, lent: Lent): Promise<Acme> {
    const acme = new Acme(ca, new AcmeState(lent.state, new URL(ca.directory)), lent);
    await acme.#state.prepare();
    acme.#entries = await Promise.all(names.map((name) => acme.#load(name)));
    return acme;
  }

  /** For every name the one kept, or a self-signed one until it is there. */
  get certificates(): readonly Certificate[] {
    return this.#entries.map((e) => e.pair?.certificate ?? e.placeholder);
  }

  get names(): readonly Named[] {
    return this.#entries.map(({ name, pair, due, failures }) => ({
      name,
      expires: pair?.notAfter,
      due,
      failures,
    }));
  }

  /** Get and renew until told to stop. `changed` is called when `certificates` did. */
  async run(proofs: Proofs, changed: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, wall } = this.#lent;
    while (!signal.aborted) {
      for (const entry of this.#entries) {
        if (entry.consult <= wall() && !signal.aborted) await this.#consult(entry);
        if (entry.due <= wall() && !signal.aborted) await this.#renew(entry, proofs, changed);
      }
      const next = Math.min(...this.#entries.flatMap((e) => [e.due, e.consult])) - wall();
      await clock.sleep(Math.min(Math.max(next, 0), LOOK_MS), signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  async #load(name: string): Promise<Entry> {
    const { wall, dice, log } = this.#lent;
    const pair = await this.#state.certificate(name).catch((error: unknown) => {
      log.warn("kept certificate not used; asking for a new one", { name, error });
      return undefined;
    });
    return {
      name,
      kind: kindsFor(name)[0],
      pair,
      id: undefined,
      consult: pair ? wall() : Infinity,
      placeholder: await placeholder(name, wall()),
      due: pair ? renewalTime(pair, dice()) : wall(),
      failures: 0,
    };
  }

  /** Ask when the CA wants the certificate replaced: it may have to be, long before its end. */
  async #consult(entry: Entry): Promise<void> {
    const { wall, log } = this.#lent;
    const { name, pair } = entry;
    entry.consult = Infinity;
    if (pair === undefined) return;
    try {
      const { id, window, wait } = await askRenewalInfo(this.#ca, pair.certificate.cert, wall());
      entry.id = id;
      entry.consult = wall() + wait;
      if (id === undefined || window === undefined || entry.failures > 0) return;
      const due = timeIn(window, id, pair);
      if (due === entry.due) return;
      entry.due = due;
      const renews = new Date(due).toISOString();
      log.info("the CA says when to renew", {
        name,
        renews,
        ...(window.why && { why: window.why }),
      });
    } catch (error) {
      entry.consult = wall() + CONSULT_AGAIN_MS;
      log.info("the CA does not say when to renew", { name, error });
    }
  }

  async #renew(entry: Entry, proofs: Proofs, changed: () => Promise<void>): Promise<void> {
    const { wall, dice, log } = this.#lent;
    const { name } = entry;
    try {
      const { key, chain } = await this.#ask(entry, proofs);
      await this.#state.keepCertificate(name, key, chain);
      entry.pair = await this.#state.certificate(name);
      entry.failures = 0;
      // Not at once: whatever a CA says, a new one is not replaced four times a day.
      entry.id = undefined;
      entry.consult = wall() + CONSULT_AGAIN_MS;
      entry.due = entry.pair ? renewalTime(entry.pair, dice()) : wall();
      log.info("certificate issued", { name, renews: new Date(entry.due).toISOString() });
      await changed();
    } catch (error) {
      entry.failures++;
      const wait = retryDelay(entry.failures, dice());
      entry.due = wall() + wait;
      log.error("no certificate from the CA", {
        name,
        error,
        again: `in ${Math.round(wait / 60_000)} min`,
      });
    }
  }

  /** In the way that worked last, then in the other if there is one: which port strangers reach is not known here. */
  async #ask(entry: Entry, proofs: Proofs): Promise<{ key: string; chain: string }> {
    const account = await this.#accountKey();
    const { name, id: replaces } = entry;
    const ask = (kind: Kind): Promise<{ key: string; chain: string }> =>
      issue({ name, kind, replaces }, this.#ca, account, proofs, this.#lent.wall());
    const other = kindsFor(name).find((kind) => kind !== entry.kind);
    try {
      return await ask(entry.kind);
    } catch (error) {
      if (other === undefined) throw error;
      this.#lent.log.info("no certificate; trying another way", { name, error });
      entry.kind = other;
      return ask(other);
    }
  }

  async #accountKey(): Promise<string> {
    const kept = await this.#state.accountKey();
    if (kept !== undefined) return kept;
    const key = await newAccountKey();
    await this.#state.keepAccountKey(key); // before the CA sees it: an account is not made twice
    return key;
  }
}

/** How it stands with one name, for `status`. Times are milliseconds since 1970. */
export interface Named {
  readonly name: string;
  readonly expires: number | undefined;
  readonly due: number;
  readonly failures: number;
}

interface Entry {
  readonly name: string;
  readonly placeholder: Certificate;
  kind: Kind;
  pair: Pair | undefined;
  /** How renewal information calls the pair, once the CA has been asked and does that. */
  id: string | undefined;
  /** When to ask the CA when to renew. */
  consult: number;
  due: number;
  failures: number;
}
