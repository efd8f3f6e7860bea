import type { HostPlace } from "./plan.ts";
import type { Resolver } from "./resolver.ts";

/** One address behind a name. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Its part of the host's weight: 1 but for SRV. */
  readonly weight: number;
  /** Of a lower priority than others. */
  readonly backup: boolean;
}

/** What a name stands for, and for how many seconds that is good. */
export interface Answer {
  readonly endpoints: readonly Endpoint[];
  readonly ttl: number;
}

/** A place that has to be looked up. */
export type NamedPlace = Exclude<HostPlace, { kind: "address" }>;

/** What resolvers did not say has no TTL. */
const LOCAL_TTL = 30;

/**
 * Look up what a name stands for now, in an order that does not depend on that of the answers.
 * Rejects with an Error, in words, when it is nothing or cannot be found out.
 */
export async function endpointsOf(place: NamedPlace, resolver: Resolver): Promise<Answer> {
  const answer =
    place.kind === "name"
      ? await addressesOf(place.name, place.port, resolver)
      : await servicesOf(place.name, resolver);
  if (answer.endpoints.length === 0) throw new Error(`${place.name} has no addresses`);
  return { ...answer, endpoints: answer.endpoints.toSorted(byPlace) };
}

async function addressesOf(name: string, port: number, resolver: Resolver): Promise<Answer> {
  const own = await resolver.decided(name);
  if (own.length > 0) return { endpoints: endpoints(own, port), ttl: LOCAL_TTL };
  const answers = await Promise.allSettled([
    resolver.records(name, "A"),
    resolver.records(name, "AAAA"),
  ]);
  const known = answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const hosts = known.flatMap(({ texts }) => texts);
  if (hosts.length === 0) hosts.push(...(await resolver.guessed(name)));
  const failed = answers.find((one) => one.status === "rejected");
  // Half an answer would throw out the servers of the other half.
  if (failed && (hosts.length === 0 || known.length === 1)) throw failed.reason;
  const ttls = known.flatMap(({ texts, ttl }) => (texts.length > 0 ? [ttl] : []));
  return {
    endpoints: endpoints(hosts, port),
    ttl: ttls.length > 0 ? Math.min(...ttls) : LOCAL_TTL,
  };
}

function endpoints(hosts: readonly string[], port: number): Endpoint[] {
  return [...new Set(hosts)].map((host) => ({ host, port, weight: 1, backup: false }));
}

/** RFC 2782: priority, weight, port, target. */
async function servicesOf(name: string, resolver: Resolver): Promise<Answer> {
  const { texts, ttl } = await resolver.records(name, "SRV");
  const services = texts.map((text) => {
    const [priority = 0, weight = 0, port = 0] = text.split(" ").map(Number);
    return { priority, weight, port, target: text.split(" ")[3] ?? "." };
  });
  const there = services.filter(({ target }) => target !== "."); // decidedly not available
  const best = Math.min(...there.map(({ priority }) => priority));
  const found = await Promise.all(
    there.map(async ({ priority, weight, port, target }) => {
      const { endpoints, ttl } = await addressesOf(target.replace(/\.$/, ""), port, resolver);
      return {
        ttl,
        // "Weights of 0 should have a very small chance of being selected": the least there is.
        endpoints: endpoints.map((one) => ({
          ...one,
          weight: Math.max(1, weight),
          backup: priority > best,
        })),
      };
    }),
  );
  return {
    endpoints: found.flatMap(({ endpoints }) => endpoints),
    ttl: Math.min(ttl, ...found.map((one) => one.ttl)),
  };
}

function byPlace(a: Endpoint, b: Endpoint): number {
  return a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1;
}
