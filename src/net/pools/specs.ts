import { showAddress } from "../../core/address.ts";
import { parseIp, showIp } from "../../core/ip.ts";
import type { Check, Target } from "../health/check.ts";
import type { NamedPlace } from "./endpoints.ts";
import type { Spec } from "./member.ts";
import type { NamesShare } from "./names.ts";
import type { HostPlan, PoolPlan } from "./plan.ts";

/** The names that have to be looked up for a pool. */
export function placesOf({ hosts }: PoolPlan): NamedPlace[] {
  return hosts.flatMap(({ place }) => (place.kind === "address" ? [] : [place]));
}

/** The servers of a pool, as its names stand now. An address is one server, its first mention counts. */
export function specsOf({ hosts }: PoolPlan, names: NamesShare): Spec[] {
  const specs = new Map<string, Spec>();
  for (const host of hosts)
    for (const spec of specsOfHost(host, names))
      if (!specs.has(spec.address)) specs.set(spec.address, spec);
  return [...specs.values()];
}

/** What is probed for the servers of `specs`, in the same order. */
export function targetsOf({ hosts, check }: PoolPlan, specs: readonly Spec[]): Target[] {
  if (check === null) return [];
  const named = new Map(
    hosts.flatMap(({ label, place }) => (place.kind === "name" ? [[label, place.name]] : [])),
  );
  return specs.map(({ host, port, label }) => ({
    host,
    port,
    check: withName(check, named.get(label), port),
  }));
}

function specsOfHost(plan: HostPlan, names: NamesShare): Spec[] {
  const { label, place, weight, backup, slowStart, maxConnections: limit, state } = plan;
  const rest = { label, slowStart, limit, state };
  if (place.kind === "address") {
    const { host, port } = place;
    const address = addressOf(host, port);
    return [{ ...rest, name: label, address, host, port, weight, backup }];
  }
  return names.of(place).endpoints.map((one) => {
    const address = addressOf(one.host, one.port);
    return {
      ...rest,
      address,
      name: `${label}/${address}`,
      host: one.host,
      port: one.port,
      weight: weight * one.weight,
      backup: backup || one.backup,
    };
  });
}

/** The one text of an address: `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function addressOf(host: string, port: number): string {
  const ip = parseIp(host);
  return showAddress({ kind: "tcp", host: ip ? showIp(ip) : host, port });
}

/** A web server that is known by name is asked by it. */
function withName(check: Check, name: string | undefined, port: number): Check {
  if (name === undefined || (check.kind !== "http" && check.kind !== "https")) return check;
  if (check.host !== undefined) return check;
  const usual = check.kind === "http" ? 80 : 443;
  const at = check.port ?? port;
  return { ...check, host: at === usual ? name : `${name}:${at}` };
}
