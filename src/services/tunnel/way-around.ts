import { contains } from "../../core/cidr.ts";
import { type Ip, showIp } from "../../core/ip.ts";
import type { Route } from "../../sys/netlink/routes.ts";

/** The route that `host` would be reached by, were the device `but` not there. */
export function wayAround(routes: readonly Route[], host: Ip, but: number): Route | undefined {
  const text = showIp(host);
  return routes
    .filter(({ to, device }) => device !== 0 && device !== but && contains(to, text))
    .toSorted((a, b) => b.to.bits - a.to.bits || a.metric - b.metric)[0];
}
