import { showCidr } from "../../core/cidr.ts";
import { type Ip, showIp } from "../../core/ip.ts";
import type { Closable } from "../../core/lease.ts";
import { SysError } from "../../sys/errno.ts";
import {
  addAddress,
  addressesOf,
  deleteAddress,
  type LinkAddress,
} from "../../sys/netlink/addresses.ts";
import { changeLink, linkNamed } from "../../sys/netlink/links.ts";
import { RouteSocket } from "../../sys/netlink/route-socket.ts";
import {
  deleteRoute,
  replaceRoute,
  type Route,
  routes as allRoutes,
  wayTo,
} from "../../sys/netlink/routes.ts";
import { NetworkNamespace } from "../../sys/netns.ts";
import { Tun } from "../../sys/tun.ts";
import type { TunnelConfig } from "./config.ts";
import type { Local } from "./scalars.ts";
import { wayAround } from "./way-around.ts";

/** What a device is to be like. */
export type Shape = Pick<TunnelConfig, "local" | "remote" | "mtu" | "txqueuelen">;

/**
 * A tunnel's network device, with the addresses and routes that we gave it. It outlives a reload:
 * what has not changed is not touched. All of it goes with the process, however that ends.
 */
export class Device implements Closable {
  readonly name: string;
  readonly tun: Tun;
  readonly index: number;
  readonly #net: RouteSocket;
  #addresses: readonly LinkAddress[] = [];
  #routes: readonly Route[] = [];
  #mtu = 0;
  #around: Route | undefined;

  /** Throws SysError: EPERM without CAP_NET_ADMIN, EBUSY when somebody has a device of that name. */
  constructor(name: string, { netns, offload }: { netns: string | null; offload: boolean }) {
    this.name = name;
    const make = (): { tun: Tun; net: RouteSocket; index: number } => {
      const tun = new Tun({ name, kind: "tun", offload });
      const net = new RouteSocket();
      const link = linkNamed(net, name);
      if (link === undefined) throw new SysError("RTM_GETLINK", "ENODEV", name);
      return { tun, net, index: link.index };
    };
    const inside = netns === null ? undefined : new NetworkNamespace(netns);
    try {
      const { tun, net, index } = inside === undefined ? make() : inside.run(make);
      this.tun = tun;
      this.#net = net;
      this.index = index;
    } finally {
      inside?.close();
    }
  }

  get mtu(): number {
    return this.#mtu;
  }
  get routes(): readonly Route[] {
    return this.#routes;
  }

  /** Up, with these addresses and no others. Throws SysError. */
  shape({ local, remote, mtu, txqueuelen }: Shape): void {
    changeLink(this.#net, this.index, { mtu, txqueuelen, up: true });
    this.#mtu = mtu;
    const wanted = addressesFor(this.index, local, remote);
    const had = addressesOf(this.#net, this.index);
    for (const one of wanted) addAddress(this.#net, one);
    for (const one of had)
      if (!wanted.some((other) => same(one, other)) && ours(one, this.#addresses))
        deleteAddress(this.#net, one);
    this.#addresses = wanted;
  }

  /** Packets are at most so long from now on. Throws SysError. */
  setMtu(mtu: number): void {
    if (mtu === this.#mtu) return;
    changeLink(this.#net, this.index, { mtu });
    this.#mtu = mtu;
  }

  /** These routes and no others: the new ones are there before the old ones go. Throws SysError. */
  route(wanted: readonly Omit<Route, "device">[]): void {
    const next = wanted.map((one): Route => ({ ...one, device: this.index }));
    const key = (one: Route): string => JSON.stringify([one.to, one.metric, one.from]);
    const before = new Set(this.#routes.map(key));
    const after = new Set(next.map(key));
    const left = this.#routes.filter((one) => !after.has(key(one)));
    this.#routes = next;
    for (const one of next) if (!before.has(key(one))) replaceRoute(this.#net, one);
    for (const one of left) deleteRoute(this.#net, one);
  }

  /**
   * What goes to `host` goes as if this device were not there: it is where the tunnel itself leads.
   * Undefined: there is no such host any more. Before `route`, which would lead it in here.
   */
  goAround(host: Ip | undefined): void {
    const before = this.#around;
    const same = before !== undefined && host !== undefined && showCidr(before.to) === showIp(host);
    if (same || (before === undefined && host === undefined)) return;
    this.#around = undefined;
    if (before !== undefined) deleteRoute(this.#net, before);
    if (host === undefined) return;
    const way = wayAround(allRoutes(this.#net), host, this.index) ?? wayTo(this.#net, host);
    if (way === undefined || way.device === this.index) return;
    const { device, via } = way;
    const to = { base: host, bits: host.words.length * 32 };
    this.#around = { to, device, metric: 1, ...(via !== undefined && { via }) };
    replaceRoute(this.#net, this.#around);
  }

  async close(): Promise<void> {
    try {
      this.goAround(undefined);
    } catch {
      // It is gone with its own device.
    }
    this.#net.close();
    this.tun.close();
  }
}

/** Each of our addresses, with the peer's of its family at the other end, unless it has a network. */
function addressesFor(
  index: number,
  local: readonly Local[],
  remote: readonly Ip[],
): LinkAddress[] {
  return local.map(({ address, bits }) => {
    const width = address.words.length * 32;
    const peer = remote.find((one) => one.version === address.version);
    return bits === undefined && peer !== undefined
      ? { index, address, bits: width, peer }
      : { index, address, bits: bits ?? width };
  });
}

function same(a: LinkAddress, b: LinkAddress): boolean {
  return (
    showIp(a.address) === showIp(b.address) &&
    a.bits === b.bits &&
    (a.peer && showIp(a.peer)) === (b.peer && showIp(b.peer))
  );
}

/** The kernel's own (fe80::) and the operator's are left alone. */
function ours(one: LinkAddress, given: readonly LinkAddress[]): boolean {
  return given.some((other) => same(one, other));
}
