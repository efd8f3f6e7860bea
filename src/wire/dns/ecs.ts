import { bytesIp, ipBytes } from "../../core/ip-bytes.ts";
/** The client subnet option (RFC 7871, 6) as a value; `readQuery` reads it without making one. */
import { type Ip, parseIp, showIp } from "../../core/ip.ts";

/** A prefix of a client's address. */
export interface Subnet {
  /** Zeros behind the bits given. Undefined: the client wants nobody told, or family 0. */
  readonly address: string | undefined;
  /** Bits of the address that are given. */
  readonly source: number;
  /** In an answer: the bits for which it holds. */
  readonly scope: number;
}

/** The option's content: family(2) source(1) scope(1) address. Undefined when it is malformed. */
export function parseSubnet(bytes: Uint8Array): Subnet | undefined {
  const [high, family, source = 0, scope = 0] = bytes;
  const bits = high === 0 ? [0, 32, 128][family ?? 3] : undefined;
  const address = bytes.subarray(4);
  if (bits === undefined || bytes.length < 4 || source > bits || scope > bits) return undefined;
  if (address.length !== Math.ceil(source / 8)) return undefined;
  if (source % 8 > 0 && (address.at(-1) ?? 0) & (0xff >>> (source % 8))) return undefined;
  if (bits === 0) return { address: undefined, source, scope };
  const whole = new Uint8Array(bits / 8);
  whole.set(address);
  return { address: showIp(bytesIp(whole)), source, scope };
}

/** The inverse of `parseSubnet`; bits behind `source` are left out. Undefined for no address. */
export function emitSubnet(subnet: Subnet): Uint8Array | undefined {
  if (subnet.address === undefined) return Uint8Array.of(0, 0, 0, subnet.scope);
  const ip = parseIp(subnet.address);
  const version = subnet.address.includes(":") ? 6 : 4;
  const whole = ip && prefixOf(ip, version, subnet.source);
  if (whole === undefined) return undefined;
  return Uint8Array.of(0, version === 4 ? 1 : 2, subnet.source, subnet.scope, ...whole);
}

function prefixOf(ip: Ip, version: 4 | 6, source: number): Uint8Array | undefined {
  const whole = ipBytes(ip, version);
  if (whole === undefined || source > whole.length * 8) return undefined;
  const prefix = whole.slice(0, Math.ceil(source / 8));
  const last = prefix.length - 1;
  if (source % 8 > 0) prefix[last] = (prefix[last] as number) & (0xff00 >>> (source % 8));
  return prefix;
}
