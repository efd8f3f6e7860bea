import type { Clock } from "../../../core/clock.ts";
import { FIRST_VERDICTS_MS } from "../../../net/health/health.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import { Alias, type Lookup } from "./alias.ts";
import type { ComputedName } from "./computed-name.ts";

/**
 * Keep every name that stands for its addresses up to date until the signal aborts. Resolves when
 * each was looked up once, or when that takes too long.
 */
export async function followAliases(
  names: readonly ComputedName[],
  { lookup, clock, signal }: { lookup: Lookup; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const first: Promise<void>[] = [];
  for (const name of names.filter((one) => one.config.flatten))
    for (const member of name.members) {
      if (member.config.type !== TYPE.CNAME) continue;
      const alias = new Alias(member.config, lookup, clock);
      const { promise, resolve } = Promise.withResolvers<void>();
      first.push(promise);
      name.follow(member, [], Infinity); // until its addresses are known it has none
      void alias.follow(signal, resolve, () => {
        name.follow(member, alias.records, alias.ttl);
        name.refresh(clock.now());
      });
    }
  if (first.length === 0) return;
  const over = new AbortController();
  const late = clock.sleep(FIRST_VERDICTS_MS, over.signal).catch(() => {});
  await Promise.race([Promise.all(first), late]);
  over.abort();
}
