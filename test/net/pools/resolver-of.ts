import type { Records, Resolver } from "../../../src/net/pools/resolver.ts";

/** Records, or why nobody says, by `name TYPE`. */
export type Zone = Record<string, Records | Error>;

/** Answers out of a zone that a test can change; what is not in it is not there. */
export function resolverOf(
  zone: Zone,
  guessed: Record<string, string[]> = {},
  decided: Record<string, string[]> = {},
) {
  const asked: string[] = [];
  const resolver: Resolver = {
    async records(name, type) {
      asked.push(`${name} ${type}`);
      const found = zone[`${name} ${type}`] ?? { texts: [], ttl: 0 };
      if (found instanceof Error) throw found;
      return found;
    },
    decided: async (name) => decided[name] ?? [],
    guessed: async (name) => guessed[name] ?? [],
  };
  return { resolver, asked, zone };
}
