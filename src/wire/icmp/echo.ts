/** ICMP echo, RFC 792 and RFC 4443 §4: what ping says and hears. */

export type Family = 4 | 6;

/** type, code, checksum, identifier, sequence: then whatever we put in. */
const HEADER = 8;
const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;
/** Says what it is to whoever looks at the wire. */
const GREETING = new TextEncoder().encode("tern probe ");
/** Bytes of a token: what nobody who has not seen the request can answer with. */
export const TOKEN_SIZE = 8;

/**
 * An echo request that carries `token`. The checksum of IPv6 covers addresses only the kernel
 * knows, and it fills it in.
 */
export function emitRequest(
  family: Family,
  id: number,
  sequence: number,
  token: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(HEADER + GREETING.length + TOKEN_SIZE));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, REQUEST[family]);
  view.setUint16(4, id);
  view.setUint16(6, sequence);
  bytes.set(GREETING, HEADER);
  bytes.set(token.subarray(0, TOKEN_SIZE), HEADER + GREETING.length);
  if (family === 4) view.setUint16(2, checksum(bytes));
  return bytes;
}

/**
 * The token of an echo reply to one of our requests; undefined for anything else. A raw IPv4
 * socket reads the IP header too (`headed`); others begin with ICMP. Shares memory with `bytes`.
 */
export function parseReply(
  bytes: Uint8Array,
  family: Family,
  headed: boolean,
): Uint8Array | undefined {
  const from = headed ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
  const payload = from + HEADER;
  const token = payload + GREETING.length;
  if (bytes.length < token + TOKEN_SIZE || bytes[from] !== REPLY[family]) return undefined;
  if (!GREETING.every((byte, i) => bytes[payload + i] === byte)) return undefined;
  return bytes.subarray(token, token + TOKEN_SIZE);
}

/** RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
