import { expect, test } from "bun:test";

import { parseCidr } from "../../../src/core/cidr.ts";
import { type Ip, parseIp } from "../../../src/core/ip.ts";
import { wayAround } from "../../../src/services/tunnel/way-around.ts";
import type { Route } from "../../../src/sys/netlink/routes.ts";

const TUNNEL = 9;

function route(text: string, device: number, metric = 0): Route {
  const to = parseCidr(text);
  if (to === undefined) throw new Error(text);
  return { to, device, metric };
}

const routes = [
  route("0.0.0.0/0", 2, 100),
  route("0.0.0.0/0", 3, 50),
  route("0.0.0.0/1", TUNNEL, 1),
  route("192.0.2.0/24", 4),
  route("198.51.100.0/24", 0),
  route("::/0", 5),
];

test.each([
  ["10.0.0.1", 3, "the best of two"],
  ["192.0.2.7", 4, "the longest prefix"],
  ["198.51.100.1", 3, "one with a device"],
  ["2001:db8::1", 5, "one of its family"],
])("to %s by device %d: %s", (host, device) => {
  expect(wayAround(routes, parseIp(host) as Ip, TUNNEL)?.device).toBe(device);
});

test("there may be none", () => {
  expect(
    wayAround([route("10.0.0.0/8", TUNNEL)], parseIp("10.0.0.1") as Ip, TUNNEL),
  ).toBeUndefined();
});
