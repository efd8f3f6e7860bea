/** What a kernel does with a packet that is still to be cut and summed: the reference for cut and join. */
import { sum } from "../../../src/wire/tunnel/checksum.ts";

export interface Uncut {
  readonly version: 4 | 6;
  readonly layer4: "tcp" | "udp";
  readonly payload: Uint8Array;
  readonly size: number;
  readonly flags?: number;
  readonly options?: number;
  readonly ecn?: boolean;
  readonly id?: number;
  readonly port?: number;
}

const GSO = { "4tcp": 1, "6tcp": 4, "4udp": 5, "6udp": 5 } as const;

/** A packet with its virtio_net_hdr, as a TUN device gives it; not cut when the payload is longer than `size`. */
export function uncut(wanted: Uncut): Uint8Array<ArrayBuffer> {
  const {
    version,
    layer4,
    payload,
    size,
    flags = 0x18,
    options = 12,
    ecn = false,
    id = 0xfff0,
    port = 0x5678,
  } = wanted;
  const start = version === 4 ? 20 : 40;
  const own = layer4 === "tcp" ? 20 + options : 8;
  const length = start + own + payload.length;
  const bytes = new Uint8Array(10 + length);
  const view = new DataView(bytes.buffer);
  const cut = payload.length > size;
  bytes[0] = 1;
  bytes[1] = cut ? GSO[`${version}${layer4}`] | (ecn ? 0x80 : 0) : 0;
  view.setUint16(2, start + own, true);
  view.setUint16(4, cut ? size : 0, true);
  view.setUint16(6, start, true);
  view.setUint16(8, layer4 === "tcp" ? 16 : 6, true);
  const ip = 10;
  if (version === 4) {
    bytes[ip] = 0x45;
    view.setUint16(ip + 2, length);
    view.setUint16(ip + 4, id);
    bytes[ip + 8] = 64;
    bytes[ip + 9] = layer4 === "tcp" ? 6 : 17;
    bytes.set([10, 0, 0, 1, 10, 0, 0, 2], ip + 12);
    view.setUint16(ip + 10, ~sum(bytes, ip, 20) & 0xffff);
  } else {
    bytes[ip] = 0x60;
    view.setUint16(ip + 4, length - 40);
    bytes[ip + 6] = layer4 === "tcp" ? 6 : 17;
    bytes[ip + 7] = 64;
    bytes.fill(0xfd, ip + 8, ip + 24);
    bytes.fill(0xfc, ip + 24, ip + 40);
  }
  const at = ip + start;
  view.setUint32(at, 0x1234_0000 + port);
  if (layer4 === "tcp") {
    view.setUint32(at + 4, 0xffff_ff00);
    bytes[at + 12] = (own / 4) << 4;
    bytes[at + 13] = flags;
    bytes.fill(1, at + 20, at + own);
  } else view.setUint16(at + 4, length - start);
  bytes.set(payload, at + own);
  const field = at + (layer4 === "tcp" ? 16 : 6);
  view.setUint16(field, pseudo(bytes, ip, length - start));
  return bytes;
}

/** The packets that go onto a wire, in hexadecimal, each with its checksums done. Throws when one cannot be right. */
export function onTheWire(packet: Uint8Array): string[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const gso = (packet[1] ?? 0) & 0x7f;
  const start = view.getUint16(6, true);
  const offset = view.getUint16(8, true);
  const ip = packet.subarray(10);
  const whole = new DataView(ip.buffer, ip.byteOffset, ip.length);
  const six = (ip[0] ?? 0) >>> 4 === 6;
  if ((six ? 40 + whole.getUint16(4) : whole.getUint16(2)) !== ip.length) throw new Error("length");
  if (!six && sum(ip, 0, 20) !== 0xffff) throw new Error("IP checksum");
  if ((packet[0] ?? 0) !== 1) return [Buffer.from(ip).toString("hex")];
  if (whole.getUint16(start + offset) !== pseudo(ip, 0, ip.length - start))
    throw new Error("pseudo-header");
  if (gso === 0) return [finished(ip.slice(), start, offset)];
  const own = gso === 5 ? 8 : ((ip[start + 12] ?? 0) >>> 4) * 4;
  const headers = start + own;
  if (view.getUint16(2, true) !== headers) throw new Error("hdr_len");
  const size = view.getUint16(4, true);
  const made: string[] = [];
  for (let from = headers, i = 0; from < ip.length; from += size, i++) {
    const body = ip.subarray(from, from + size);
    const one = new Uint8Array(headers + body.length);
    one.set(ip.subarray(0, headers));
    one.set(body, headers);
    const own4 = new DataView(one.buffer);
    if (six) own4.setUint16(4, one.length - 40);
    else {
      own4.setUint16(2, one.length);
      own4.setUint16(4, whole.getUint16(4) + i);
      own4.setUint16(10, 0);
      own4.setUint16(10, ~sum(one, 0, 20) & 0xffff);
    }
    if (gso === 5) own4.setUint16(start + 4, one.length - start);
    else {
      own4.setUint32(start + 4, whole.getUint32(start + 4) + i * size);
      if (from + size < ip.length) one[start + 13] = (one[start + 13] ?? 0) & ~0x09;
      if (i > 0) one[start + 13] = (one[start + 13] ?? 0) & ~0x80;
    }
    own4.setUint16(start + offset, pseudo(one, 0, one.length - start));
    made.push(finished(one, start, offset));
  }
  return made;
}

function finished(ip: Uint8Array, start: number, offset: number): string {
  const view = new DataView(ip.buffer, ip.byteOffset, ip.length);
  view.setUint16(start + offset, ~sum(ip, start, ip.length - start) & 0xffff);
  return Buffer.from(ip).toString("hex");
}

function pseudo(bytes: Uint8Array, ip: number, length: number): number {
  const six = (bytes[ip] ?? 0) >>> 4 === 6;
  const protocol = bytes[ip + (six ? 6 : 9)] ?? 0;
  return six
    ? sum(bytes, ip + 8, 32, length + protocol)
    : sum(bytes, ip + 12, 8, length + protocol);
}
