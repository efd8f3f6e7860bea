import { bytesIp } from "../core/ip-bytes.ts";
import { parseIp4, parseIp6, showIp } from "../core/ip.ts";

/**
 * What a `struct sockaddr` says. `flow` is the sin6_flowinfo, `scope` the interface index of a
 * link-local address, 0 for none. `unnamed` is a unix socket bound to nothing, as most clients are.
 */
export type SocketAddress =
  | { readonly kind: "inet"; readonly host: string; readonly port: number }
  | {
      readonly kind: "inet6";
      readonly host: string;
      readonly port: number;
      readonly flow: number;
      readonly scope: number;
    }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "abstract"; readonly name: string }
  | { readonly kind: "unnamed" };

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** sizeof(struct sockaddr_storage): no address is longer. */
export const SOCKADDR_MAX = 128;

// struct sockaddr_in  { u16 family; be16 port; u8 addr[4]; u8 zero[8]; }
// struct sockaddr_in6 { u16 family; be16 port; be32 flow; u8 addr[16]; u32 scope; }
// struct sockaddr_un  { u16 family; char path[108]; }
// `family` and `scope` are in host order; every machine we run on is little-endian.
const IN_SIZE = 16;
const IN6_SIZE = 28;
const PATH_AT = 2;
const UNIX_PATH_MAX = 108;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Read the bytes the kernel wrote (as long as it said they are). Undefined means a family we do
 * not speak, too few bytes, or a unix name that is not UTF-8.
 */
export function parse(bytes: Uint8Array): SocketAddress | undefined {
  if (bytes.length < PATH_AT) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint16(0, true)) {
    case AF_INET:
      if (bytes.length < IN_SIZE) return undefined;
      return {
        kind: "inet",
        host: showIp(bytesIp(bytes.subarray(4, 8))),
        port: view.getUint16(2),
      };
    case AF_INET6:
      if (bytes.length < IN6_SIZE) return undefined;
      return {
        kind: "inet6",
        host: showIp(bytesIp(bytes.subarray(8, 24))),
        port: view.getUint16(2),
        flow: view.getUint32(4),
        scope: view.getUint32(24, true),
      };
    case AF_UNIX:
      return parseName(bytes.subarray(PATH_AT));
    default:
      return undefined;
  }
}

/** unix(7): no name at all, a name that begins with NUL and may hold more, or a path up to its NUL. */
function parseName(name: Uint8Array): SocketAddress | undefined {
  if (name.length === 0) return { kind: "unnamed" };
  if (name.length > UNIX_PATH_MAX + 1) return undefined; // the kernel may add one NUL after a full path
  try {
    if (name[0] === 0) return { kind: "abstract", name: utf8.decode(name.subarray(1)) };
    const end = name.indexOf(0);
    return { kind: "unix", path: utf8.decode(end < 0 ? name : name.subarray(0, end)) };
  } catch {
    return undefined;
  }
}

/**
 * The bytes bind(2) and connect(2) want; their length is the length to give. Undefined when the
 * text cannot be one: not an IP address, a port over 65535, a unix name that is empty or too long.
 */
export function emit(address: SocketAddress): Uint8Array<ArrayBuffer> | undefined {
  switch (address.kind) {
    case "inet": {
      const ip = parseIp4(address.host);
      return ip && inet(AF_INET, IN_SIZE, address.port, (view) => view.setUint32(4, ip.words[0]));
    }
    case "inet6": {
      const ip = parseIp6(address.host);
      return (
        ip &&
        inet(AF_INET6, IN6_SIZE, address.port, (view) => {
          view.setUint32(4, address.flow);
          for (const [i, word] of ip.words.entries()) view.setUint32(8 + 4 * i, word);
          view.setUint32(24, address.scope, true);
        })
      );
    }
    case "unix":
      // A path ends at its first NUL, so one with a NUL inside would bind something else.
      if (address.path === "" || address.path.includes("\0")) return undefined;
      return unix(`${address.path}\0`);
    case "abstract":
      return unix(`\0${address.name}`);
    case "unnamed":
      return Uint8Array.of(AF_UNIX, 0);
  }
}

function inet(
  family: number,
  size: number,
  port: number,
  fill: (view: DataView) => void,
): Uint8Array<ArrayBuffer> | undefined {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) return undefined;
  const bytes = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  fill(view);
  return bytes;
}

function unix(name: string): Uint8Array<ArrayBuffer> | undefined {
  const text = new TextEncoder().encode(name);
  if (text.length > UNIX_PATH_MAX) return undefined;
  const bytes = new Uint8Array(new ArrayBuffer(PATH_AT + text.length));
  bytes[0] = AF_UNIX;
  bytes.set(text, PATH_AT);
  return bytes;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `[fe80::1%2]:80`, `unix:/run/x`, `unix:@name`, `unix:`. */
export function show(address: SocketAddress): string {
  switch (address.kind) {
    case "inet":
      return `${address.host}:${address.port}`;
    case "inet6":
      return `[${address.host}${address.scope === 0 ? "" : `%${address.scope}`}]:${address.port}`;
    case "unix":
      return `unix:${address.path}`;
    case "abstract":
      return `unix:@${address.name}`;
    case "unnamed":
      return "unix:";
  }
}
