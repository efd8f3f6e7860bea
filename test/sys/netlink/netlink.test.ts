/** Against the kernel, in a namespace of our own; ip(8) sees what we did, and we what it did. */
import { expect } from "bun:test";

import { parseCidr } from "../../../src/core/cidr.ts";
import { type Ip, parseIp } from "../../../src/core/ip.ts";
import { addAddress, addressesOf, deleteAddress } from "../../../src/sys/netlink/addresses.ts";
import { changeLink, linkNamed } from "../../../src/sys/netlink/links.ts";
import { RouteSocket } from "../../../src/sys/netlink/route-socket.ts";
import {
  addRoute,
  deleteRoute,
  replaceRoute,
  type Route,
  routes,
  unreachables,
  wayTo,
} from "../../../src/sys/netlink/routes.ts";
import { Tun } from "../../../src/sys/tun.ts";
import { asRoot } from "../needs.ts";
import { ip, ownNamespace } from "../own-namespace.ts";

const at = (text: string): Ip => {
  const found = parseIp(text);
  if (found === undefined) throw new Error(text);
  return found;
};
const to = (text: string): Route["to"] => {
  const found = parseCidr(text);
  if (found === undefined) throw new Error(text);
  return found;
};

/** A namespace with a device "t0", up, of 10.9.0.1 with 10.9.0.2 and fd00::1/64. */
function device(): { name: string; socket: RouteSocket; index: number; tun: Tun } {
  const { name, namespace } = ownNamespace();
  const { socket, tun } = namespace.run(() => ({
    socket: new RouteSocket(),
    tun: new Tun({ name: "t0", kind: "tun", offload: false }),
  }));
  const index = linkNamed(socket, "t0")?.index ?? 0;
  addAddress(socket, { index, address: at("10.9.0.1"), bits: 32, peer: at("10.9.0.2") });
  addAddress(socket, { index, address: at("fd00::1"), bits: 64 });
  changeLink(socket, index, { up: true, mtu: 1380, txqueuelen: 1234 });
  return { name, socket, index, tun };
}

asRoot("links: by name, changed, gone", () => {
  const { name, socket, index } = device();
  expect(linkNamed(socket, "t0")).toEqual({
    index,
    name: "t0",
    up: true,
    mtu: 1380,
    txqueuelen: 1234,
    hardware: new Uint8Array(),
  });
  expect(ip("-n", name, "link", "show", "t0")).toMatch(/UP.* mtu 1380 .*qlen 1234/);
  changeLink(socket, index, { up: false });
  expect(linkNamed(socket, "t0")).toMatchObject({ up: false, mtu: 1380 });
  expect(() => changeLink(socket, index, { mtu: 7 })).toThrow(
    /^RTM_NEWLINK #\d+ \(mtu less than device minimum\): EINVAL$/,
  );
  ip("-n", name, "link", "del", "t0");
  expect(linkNamed(socket, "t0")).toBeUndefined();
  expect(() => changeLink(socket, index, { up: true })).toThrow("ENODEV");
  socket.close();
});

asRoot("addresses: with a peer and without, twice, and gone", () => {
  const { name, socket, index } = device();
  addAddress(socket, { index, address: at("fd00::1"), bits: 64 }); // once more
  expect(addressesOf(socket, index).filter((one) => one.address.words[0] !== 0xfe80_0000)).toEqual([
    { index, address: at("10.9.0.1"), bits: 32, peer: at("10.9.0.2") },
    { index, address: at("fd00::1"), bits: 64 },
  ]);
  expect(ip("-n", name, "addr", "show", "t0")).toContain("inet 10.9.0.1 peer 10.9.0.2/32");
  expect(ip("-n", name, "addr", "show", "t0")).not.toContain("tentative");
  deleteAddress(socket, { index, address: at("fd00::1"), bits: 64 });
  expect(() => deleteAddress(socket, { index, address: at("fd00::1"), bits: 64 })).toThrow(
    /^RTM_DELADDR fd00::1\/64 #\d+ \(.*\): EADDRNOTAVAIL$/,
  );
  socket.close();
});

asRoot("routes: added, replaced without a gap, deleted", () => {
  const { name, socket, index } = device();
  const show = (): string =>
    ip("-n", name, "route", "show", "10.20.0.0/16").trim().replace(/ +/g, " ");
  const route: Route = { to: to("10.20.0.0/16"), device: index, metric: 50 };
  addRoute(socket, route);
  expect(show()).toBe("10.20.0.0/16 dev t0 proto static scope link metric 50");
  expect(() => addRoute(socket, route)).toThrow(
    /^RTM_NEWROUTE 10\.20\.0\.0\/16 #\d+ metric 50: EEXIST$/,
  );
  replaceRoute(socket, { ...route, via: at("10.9.0.2"), from: at("10.9.0.1") });
  expect(show()).toBe("10.20.0.0/16 via 10.9.0.2 dev t0 proto static src 10.9.0.1 metric 50");
  expect(routes(socket)).toContainEqual({ ...route, via: at("10.9.0.2"), from: at("10.9.0.1") });
  expect(deleteRoute(socket, route)).toBe(true);
  expect(deleteRoute(socket, route)).toBe(false);
  expect(show()).toBe("");
  expect(() => addRoute(socket, { ...route, via: at("192.0.2.1") })).toThrow(/ENETUNREACH/);
  socket.close();
});

asRoot("routes that let nobody through", () => {
  const { name, socket } = device();
  for (const [text, metric] of [
    ["10.21.0.0/16", 0xff80_1234],
    ["fd21::/32", 0xff80_1234],
  ] as const) {
    const route: Route = { to: to(text), device: 0, metric, unreachable: true };
    addRoute(socket, route);
    expect(
      ip("-n", name, text.includes(":") ? "-6" : "-4", "route", "show", "type", "unreachable"),
    ).toContain(text);
    expect(unreachables(socket)).toContainEqual(route);
    expect(routes(socket)).not.toContainEqual(route);
    expect(deleteRoute(socket, route)).toBe(true);
    expect(deleteRoute(socket, route)).toBe(false);
  }
  socket.close();
});

asRoot("routes of IPv6, of other tables, and of everything", () => {
  const { name, socket, index } = device();
  const six: Route = { to: to("fd01::/48"), device: index, metric: 7, via: at("fd00::2") };
  const table: Route = { to: to("0.0.0.0/0"), device: index, metric: 0, table: 51_820 };
  for (const route of [six, table]) addRoute(socket, route);
  expect(ip("-n", name, "-6", "route", "show", "fd01::/48")).toContain("via fd00::2 dev t0");
  expect(routes(socket)).toContainEqual(six);
  expect(routes(socket, 51_820)).toEqual([table]);
  for (const route of [six, table]) expect(deleteRoute(socket, route)).toBe(true);
  expect(routes(socket, 51_820)).toEqual([]);
  socket.close();
});

asRoot("ways: by which device, from which address, and none", () => {
  const { name, socket, index } = device();
  addRoute(socket, { to: to("10.20.0.0/16"), device: index, metric: 1, via: at("10.9.0.2") });
  expect(wayTo(socket, at("10.20.3.4"))).toEqual({
    device: index,
    via: at("10.9.0.2"),
    from: at("10.9.0.1"),
  });
  expect(wayTo(socket, at("fd00::9"))).toMatchObject({ device: index, from: at("fd00::1") });
  expect([wayTo(socket, at("8.8.8.8")), wayTo(socket, at("2001:db8::1"))]).toEqual([
    undefined,
    undefined,
  ]);
  ip("-n", name, "route", "add", "blackhole", "10.30.0.0/16");
  ip("-n", name, "route", "add", "10.40.0.0/16", "dev", "t0", "mtu", "1300");
  expect(wayTo(socket, at("10.30.0.1"))).toBeUndefined();
  expect(wayTo(socket, at("10.40.0.1"))?.mtu).toBe(1300);
  socket.close();
});

asRoot("a closed device takes its addresses and routes along", () => {
  const { socket, index, tun } = device();
  addRoute(socket, { to: to("10.20.0.0/16"), device: index, metric: 1 });
  tun.close();
  expect([linkNamed(socket, "t0"), routes(socket)]).toEqual([undefined, []]);
  socket.close();
});
