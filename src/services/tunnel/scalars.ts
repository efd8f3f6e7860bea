/** Words of the `tunnel:` section. */
import type * as v from "valibot";

import { scalar } from "../../config/scalar.ts";
import { type Ip, parseIp } from "../../core/ip.ts";

/** IFNAMSIZ, without the NUL. */
const MAX_DEVICE = 15;
/** Where tunnels listen when the peer's address has no port. */
const DEFAULT_PORT = 9000;
/** Whom to reach: a name or an address, and a port. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** A peer to reach; without a port it is 9000. */
export const peer: v.GenericSchema<unknown, Peer> = scalar(
  'a peer such as "vpn.example.net:9000", "192.0.2.1:9000" or "[2001:db8::1]:9000"',
  (text): Peer | undefined => {
    const [, six, bare, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
    const host = six ?? bare;
    const port = digits === undefined ? DEFAULT_PORT : Number(digits);
    if (host === undefined || port < 1 || port > 65_535) return undefined;
    if (six !== undefined) return parseIp(six)?.version === 6 ? { host, port } : undefined;
    return parseIp(host) !== undefined || /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(host)
      ? { host, port }
      : undefined;
  },
);

/** An address of our own; with `bits` the network on the wire. */
export interface Local {
  readonly address: Ip;
  readonly bits: number | undefined;
}

/** An address of our own. */
export const local: v.GenericSchema<unknown, Local> = scalar(
  'an address such as "10.19.27.1", "10.19.27.1/24" or "fd00::1/64"',
  (text): Local | undefined => {
    const [host = "", digits, ...more] = text.split("/");
    const ip = parseIp(host);
    if (ip === undefined || more.length > 0 || host.includes("%")) return undefined;
    if (digits === undefined) return { address: ip, bits: undefined };
    const bits = /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
    return bits <= ip.words.length * 32 ? { address: ip, bits } : undefined;
  },
);

/** An address of the peer, inside. */
export const remote: v.GenericSchema<unknown, Ip> = scalar(
  'an address such as "10.19.27.2"',
  (text) => (text.includes("%") ? undefined : parseIp(text)),
);

/** The name of a network device. */
export const device: v.GenericSchema<unknown, string> = scalar(
  "the name of a device: up to 15 letters, digits and . _ -",
  (text) => (isDevice(text) ? text : undefined),
);

/** A part, as a number from 0 on. */
export const percent: v.GenericSchema<unknown, number> = scalar('a part such as "20%"', (text) => {
  const [, digits] = /^(\d{1,3})%$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) / 100;
});

/** Can a network device have that name? (dev_valid_name in Linux, without what shells mind.) */
export function isDevice(name: string): boolean {
  return /^[\w.-]+$/.test(name) && name.length <= MAX_DEVICE && name !== "." && name !== "..";
}
