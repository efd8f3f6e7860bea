import type { BodyCipher } from "./ciphers.ts";

/** The ways of 3wdd to make packets shorter. */
export type Squeeze = "off" | "zlib" | "lzo";

/** What both ways are made of. `inflate` and `unlzo` say undefined to what they cannot unpack within `most`. */
export interface Squeezers {
  deflate(plain: Uint8Array): Uint8Array;
  inflate(packed: Uint8Array, most: number): Uint8Array | undefined;
  lzo(plain: Uint8Array): Uint8Array;
  unlzo(packed: Uint8Array, most: number): Uint8Array | undefined;
}

/** Longest IP packet. */
const MAX_PACKET = 65_535;
/** Packets that nearly fill the device's MTU are taken for ones that do not get shorter. */
const NOT_WORTH_IT = 100;
const ZLIB = [0x78, 0x9c] as const;
/** python-lzo: a byte for the method, and how long it was (u32, big-endian). */
const LZO = 0xf0;
const LZO_HEAD = 5;

/** Frames' bodies of packets, and the other way: packed, then hidden. */
export interface Bodies {
  emit(packet: Uint8Array): Uint8Array;
  /** Undefined: no packet comes of it. */
  parse(body: Uint8Array): Uint8Array | undefined;
}

/** Whatever we do ourselves, what the peer packed is told by how it begins: no IP packet begins so. */
export function bodies(
  { cipher, squeeze, mtu }: { cipher: BodyCipher; squeeze: Squeeze; mtu: number },
  squeezers: Squeezers,
): Bodies {
  const pack = (packet: Uint8Array): Uint8Array => {
    if (packet.length >= mtu - NOT_WORTH_IT) return packet;
    return squeeze === "zlib" ? squeezers.deflate(packet) : withHead(packet, squeezers.lzo(packet));
  };
  return {
    emit: (packet) => cipher.hide(squeeze === "off" ? packet : pack(packet)),
    parse(body) {
      const shown = cipher.show(body);
      if (shown === undefined) return undefined;
      if (shown[0] === ZLIB[0] && shown[1] === ZLIB[1]) return squeezers.inflate(shown, MAX_PACKET);
      if (shown[0] !== LZO) return shown;
      if (shown.length < LZO_HEAD) return undefined;
      const { buffer, byteOffset } = shown;
      const length = new DataView(buffer, byteOffset).getUint32(1);
      if (length > MAX_PACKET) return undefined;
      const packet = squeezers.unlzo(shown.subarray(LZO_HEAD), length);
      return packet?.length === length ? packet : undefined;
    },
  };
}

function withHead(packet: Uint8Array, packed: Uint8Array): Uint8Array {
  const out = new Uint8Array(LZO_HEAD + packed.length);
  out[0] = LZO;
  new DataView(out.buffer).setUint32(1, packet.length);
  out.set(packed, LZO_HEAD);
  return out;
}
