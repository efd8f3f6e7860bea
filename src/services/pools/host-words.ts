import { Refusal, scalar } from "../../config/scalar.ts";
import { expandRange } from "../../core/ranges.ts";
import type { HostPlace } from "../../net/pools/plan.ts";
import { addressOf } from "../../net/pools/specs.ts";

/** One host of an `address`, and what it is called when nobody names it. */
export interface Placed {
  readonly label: string;
  readonly place: HostPlace;
}

const SRV = /^srv:((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]+)\.?$/i;
/** More hosts than this in one pool are a mistake. */
export const MAX_HOSTS = 4096;

/**
 * `10.0.0.1:80`, `[::1]:80`, `10.0.0.1-10:80` (ten of them), `name.example:80` or
 * `srv:_http._tcp.example.net`. Undefined for anything else; `no port` when that alone is missing.
 */
export function placesIn(text: string): readonly Placed[] | "no port" | undefined {
  const [, service] = SRV.exec(text) ?? [];
  if (service !== undefined)
    return [{ label: text, place: { kind: "srv", name: service.toLowerCase() } }];
  const hosts = expandRange(text);
  if (hosts === undefined) return undefined;
  const places: Placed[] = [];
  for (const { host, port } of hosts) {
    if (port === undefined) return "no port";
    if (/^[\d.]+$|:/.test(host))
      places.push({ label: addressOf(host, port), place: { kind: "address", host, port } });
    else {
      const name = host.toLowerCase().replace(/\.$/, "");
      places.push({ label: `${name}:${port}`, place: { kind: "name", name, port } });
    }
  }
  return places;
}

/** Reads `placesIn`. */
export const places = scalar(
  'a host such as "10.0.0.1:80", "10.0.0.1-10:80", "name.example:80" or "srv:_http._tcp.example.net"',
  (text): readonly Placed[] | undefined => {
    const read = placesIn(text);
    if (read === "no port")
      throw new Refusal(`expected a host with its port, got "${text}"; did you mean "${text}:80"?`);
    return read;
  },
);
