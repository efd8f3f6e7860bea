import type { Ip } from "./ip.ts";

/** The 4 or 16 bytes of an address; an IPv4 one has 16 as `::ffff:` (RFC 4291, 2.5.5.2); undefined: IPv6 in 4. */
export function ipBytes(ip: Ip, version: 4 | 6): Uint8Array | undefined {
  if (ip.version === 4) {
    const [word] = ip.words;
    const bytes = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
    return Uint8Array.from(
      version === 4 ? bytes : [...Array<number>(10).fill(0), 255, 255, ...bytes],
    );
  }
  if (version === 4) return undefined;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of ip.words.entries()) view.setUint32(4 * i, word);
  return bytes;
}

/** 4 or 16 bytes as an address, as they are: `::ffff:1.2.3.4` stays IPv6. */
export function bytesIp(bytes: Uint8Array): Ip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return { version: 4, words: [view.getUint32(0)] };
  return {
    version: 6,
    words: [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)],
  };
}
