import { type Cidr, showCidr } from "../../core/cidr.ts";
import { type Ip, showIp } from "../../core/ip.ts";
import { SysError } from "../errno.ts";
import { emitIp, familyOf, readIp } from "./ip-address.ts";
import { type Attributes, attributes, type Message, readU32, u32 } from "./message.ts";
import type { RouteSocket } from "./route-socket.ts";

/** Where packets to `to` go. */
export interface Route {
  readonly to: Cidr;
  /** The device; a route of the kernel may have none (unreachable, several next hops): 0. */
  readonly device: number;
  /** The router; without one, everybody in `to` is on the device's wire. */
  readonly via?: Ip;
  /** The lowest wins. IPv6 has no 0, and takes it as 1024. */
  readonly metric: number;
  /** A table other than the main one (RT_TABLE_MAIN). */
  readonly table?: number;
  /** The address that this host speaks from, of those it has. */
  readonly from?: Ip;
  /** Nobody gets there by it, and senders are told so: `device` is 0. */
  readonly unreachable?: boolean;
}

// struct rtmsg { u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags; }
const RTMSG = 12;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTA_MARK = 16;
const RTAX_MTU = 2;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const RTN_UNREACHABLE = 7;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const NLM_F_REPLACE = 0x100;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;

/** Throws SysError: EEXIST when there is a route to it of that metric, ENETUNREACH when nobody is at `via`. */
export function addRoute(socket: RouteSocket, route: Route): void {
  socket.command(question(route, "RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL));
}

/** As `addRoute`; a route to it of the same metric gives way, whatever its device, without a gap. */
export function replaceRoute(socket: RouteSocket, route: Route): void {
  socket.command(question(route, "RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE));
}

/** False when there was no such route: it may have gone with its device. Throws SysError. */
export function deleteRoute(socket: RouteSocket, route: Route): boolean {
  try {
    socket.command(question(route, "RTM_DELROUTE", RTM_DELROUTE, 0));
    return true;
  } catch (error) {
    if (error instanceof SysError && (error.code === "ESRCH" || error.code === "ENODEV"))
      return false;
    throw error;
  }
}

/** The routes of one table (RT_TABLE_MAIN), of IPv4 and IPv6, that packets to many may take. */
export function routes(socket: RouteSocket, table: number = RT_TABLE_MAIN): Route[] {
  return dumped(socket, table, RTN_UNICAST);
}

/** Those that let nobody through. */
export function unreachables(socket: RouteSocket, table: number = RT_TABLE_MAIN): Route[] {
  return dumped(socket, table, RTN_UNREACHABLE).map((route) => ({
    ...route,
    device: 0, // IPv6 says the loopback's
    unreachable: true,
  }));
}

function dumped(socket: RouteSocket, table: number, kind: number): Route[] {
  const all = [4, 6].flatMap((version) =>
    socket.dump({
      call: "RTM_GETROUTE",
      on: `table ${table}`,
      type: RTM_GETROUTE,
      head: head(version === 4 ? familyOf(ANY4) : familyOf(ANY6), 0, { table }),
      attributes: [[RTA_TABLE, u32(table)]],
    }),
  );
  return all.flatMap((message) => {
    const route = parse(message);
    return route?.kind === kind && (route.table ?? RT_TABLE_MAIN) === table ? [route.route] : [];
  });
}

/** Which way packets to one address would go. */
export interface Way {
  readonly device: number;
  readonly via?: Ip;
  /** The address they would come from. */
  readonly from?: Ip;
  /** What the kernel has learnt of the path (path MTU discovery); undefined: the device's. */
  readonly mtu?: number;
}

/** Undefined when there is no way. `mark`: as SO_MARK would have it. Throws SysError. */
export function wayTo(socket: RouteSocket, to: Ip, mark?: number): Way | undefined {
  let answer: Message;
  try {
    answer = socket.get({
      call: "RTM_GETROUTE",
      on: showIp(to),
      type: RTM_GETROUTE,
      head: head(familyOf(to), to.words.length * 32),
      attributes: [
        [RTA_DST, emitIp(to)],
        [RTA_MARK, u32(mark)],
      ],
    });
  } catch (error) {
    if (error instanceof SysError && NO_WAY.has(error.code)) return undefined;
    throw error;
  }
  const found = parse(answer);
  if (found === undefined) throw new SysError("RTM_GETROUTE", "EPROTO", showIp(to));
  if (found.kind > RTN_MULTICAST) return undefined;
  const { via, from, device } = found.route;
  const metrics = attributes(found.has.get(RTA_METRICS) ?? new Uint8Array());
  const mtu = readU32(metrics?.get(RTAX_MTU));
  return {
    device,
    ...(via === undefined ? {} : { via }),
    ...(from === undefined ? {} : { from }),
    ...(mtu === undefined ? {} : { mtu }),
  };
}

/** The types of routes behind it let no packet through. */
const RTN_MULTICAST = 5;
const NO_WAY: ReadonlySet<string> = new Set(["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"]);
const ANY4: Ip = { version: 4, words: [0] };
const ANY6: Ip = { version: 6, words: [0, 0, 0, 0] };

function question(
  { to, device, via, metric, table = RT_TABLE_MAIN, from, unreachable = false }: Route,
  call: string,
  type: number,
  flags: number,
): Parameters<RouteSocket["command"]>[0] {
  const wide = via !== undefined || unreachable || to.base.version === 6;
  const scope = wide ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  return {
    call,
    on: `${showCidr(to)} #${device}${via === undefined ? "" : ` via ${showIp(via)}`} metric ${metric}`,
    type,
    flags,
    head: head(familyOf(to.base), to.bits, {
      table,
      scope: type === RTM_DELROUTE ? RT_SCOPE_NOWHERE : scope,
      kind: unreachable ? RTN_UNREACHABLE : RTN_UNICAST,
    }),
    attributes: [
      [RTA_DST, emitIp(to.base)],
      [RTA_OIF, u32(unreachable ? undefined : device)],
      [RTA_GATEWAY, via && emitIp(via)],
      [RTA_PRIORITY, u32(metric)],
      [RTA_PREFSRC, from && emitIp(from)],
      [RTA_TABLE, u32(table)],
    ],
  };
}

function head(
  family: number,
  bits: number,
  of?: { readonly table: number; readonly scope?: number; readonly kind?: number },
): Uint8Array {
  const bytes = new Uint8Array(RTMSG);
  bytes[0] = family;
  bytes[1] = bits;
  // In a byte for old kernels; RTA_TABLE has the whole number.
  if (of !== undefined) bytes[4] = of.table < 256 ? of.table : 0;
  if (of?.scope === undefined) return bytes;
  bytes[5] = RTPROT_STATIC;
  bytes[6] = of.scope;
  bytes[7] = of.kind ?? RTN_UNICAST;
  return bytes;
}

interface Found {
  readonly kind: number;
  readonly table: number | undefined;
  readonly route: Route;
  readonly has: Attributes;
}

function parse({ type, body }: Message): Found | undefined {
  if (type !== RTM_NEWROUTE || body.length < RTMSG) return undefined;
  const has = attributes(body.subarray(RTMSG));
  if (has === undefined) return undefined;
  const [family, bits = 0, , , tableByte] = body;
  const base = readIp(has.get(RTA_DST)) ?? (family === familyOf(ANY4) ? ANY4 : ANY6);
  if (familyOf(base) !== family) return undefined;
  const via = readIp(has.get(RTA_GATEWAY));
  const from = readIp(has.get(RTA_PREFSRC));
  const table = readU32(has.get(RTA_TABLE)) ?? tableByte;
  return {
    kind: body[7] ?? 0,
    table,
    has,
    route: {
      to: { base, bits },
      device: readU32(has.get(RTA_OIF)) ?? 0,
      metric: readU32(has.get(RTA_PRIORITY)) ?? 0,
      ...(via === undefined ? {} : { via }),
      ...(from === undefined ? {} : { from }),
      ...(table === undefined || table === RT_TABLE_MAIN ? {} : { table }),
    },
  };
}
