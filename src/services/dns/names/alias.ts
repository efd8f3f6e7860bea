import { Resolver } from "node:dns/promises";

import type { Clock } from "../../../core/clock.ts";
import { showName } from "../../../wire/dns/name.ts";
import { type MemberConfig, members } from "./member-word.ts";

/** Addresses of a name. `ttl` is in seconds; undefined: it could not be found out now. */
export type Lookup = (
  name: string,
  family: 4 | 6,
) => Promise<{ readonly addresses: readonly string[]; readonly ttl: number } | undefined>;

/** However short the TTL: others' servers are not asked more often than this. */
const LEAST_MS = 5000;
/** However long: an alias follows within this time. */
const MOST_MS = 300_000;
/** Until the next try, when nothing could be found out. */
const RETRY_S = 30;
/** What was found is good so much longer while it cannot be found out anew (RFC 8767, 5). */
const STALE_MS = 86_400_000;
const QUERY_MS = 2000;

/** By the resolvers of this machine. */
export function systemLookup(): Lookup {
  const resolver = new Resolver({ timeout: QUERY_MS, tries: 2 });
  return async (name, family) => {
    try {
      const options = { ttl: true } as const;
      const found = await (family === 4
        ? resolver.resolve4(name, options)
        : resolver.resolve6(name, options));
      const ttl = Math.min(...found.map((one) => one.ttl));
      return { addresses: found.map((one) => one.address), ttl: found.length > 0 ? ttl : 0 };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It is known now that there is none.
      return code === "ENOTFOUND" || code === "ENODATA" ? { addresses: [], ttl: 0 } : undefined;
    }
  };
}

/** A name that stands for its addresses, which are looked up again and again. */
export class Alias {
  readonly #name: string;
  readonly #weight: number;
  readonly #lookup: Lookup;
  readonly #clock: Clock;
  /** Of each family, when it was last found out. */
  readonly #found = new Map<
    4 | 6,
    { readonly addresses: readonly string[]; readonly at: number }
  >();
  #records: readonly MemberConfig[] = [];
  /** Seconds the records are good for by their own word. */
  ttl = Infinity;

  constructor(member: MemberConfig, lookup: Lookup, clock: Clock) {
    this.#name = showName(member.rdata);
    this.#weight = member.weight;
    this.#lookup = lookup;
    this.#clock = clock;
  }

  /** The records that it stands for now. */
  get records(): readonly MemberConfig[] {
    return this.#records;
  }

  /** Look up until the signal aborts; `changed` when the records have; `first` when it was tried once. */
  async follow(signal: AbortSignal, first: () => void, changed: () => void): Promise<void> {
    while (!signal.aborted) {
      const news = await this.#look();
      if (signal.aborted) return;
      if (news) changed();
      first();
      const wait = Math.min(Math.max(this.ttl * 1000, LEAST_MS), MOST_MS);
      await this.#clock.sleep(wait, signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  /** True when the records are others than before. */
  async #look(): Promise<boolean> {
    const answers = await Promise.all(
      ([4, 6] as const).map(async (family) => ({
        family,
        answer: await this.#lookup(this.#name, family),
      })),
    );
    const now = this.#clock.now();
    let ttl = Infinity;
    for (const { family, answer } of answers) {
      if (answer) {
        this.#found.set(family, { addresses: answer.addresses, at: now });
        if (answer.addresses.length > 0) ttl = Math.min(ttl, answer.ttl);
      } else if (now - (this.#found.get(family)?.at ?? now) > STALE_MS) this.#found.delete(family);
    }
    this.ttl = ttl === Infinity ? RETRY_S : ttl;
    const addresses = [...this.#found.values()].flatMap((one) => one.addresses);
    const records = addresses.flatMap((address) => members(address, this.#weight) ?? []);
    const before = labels(this.#records);
    this.#records = records;
    return labels(records) !== before;
  }
}

/** Resolvers turn the order of their answers: that is no change. */
function labels(records: readonly MemberConfig[]): string {
  return records
    .map((one) => one.label)
    .toSorted()
    .join(" ");
}
