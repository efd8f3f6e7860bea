/**
 * UDT 4 packets, as bytes and as values (draft-gg-udt-03 §2; what libudt 4.11 does where they differ). The payload
 * of control packets is big-endian words.
 *
 *      data   0|seq(31)           part(2) ordered(1) message(29)   time   to
 *      control  1|kind(15)|extra(16)   info                        time   to
 *
 * The hot path reads and writes words in place (`word`, `putWord`); `parse`, `emit` and `show` are for everybody else.
 */

export const HEADER = 16;
/** IPv4 and UDP headers. libudt counts them whatever the family is. */
export const IP_UDP = 28;
/** UDT over IPv4 in an Ethernet frame, as libudt. */
export const DEFAULT_MSS = 1500;
/** Less would not hold a handshake. */
export const LEAST_MSS = IP_UDP + HEADER + 48;
/** More would not be a UDP datagram. */
export const MOST_MSS = 65_535;

/** Where a data packet sits in its message. The numbers are the wire's. */
export const Part = { middle: 0, last: 1, first: 2, solo: 3 } as const;
export type Part = (typeof Part)[keyof typeof Part];

export const Control = {
  handshake: 0,
  keepalive: 1,
  ack: 2,
  nak: 3,
  congestion: 4,
  shutdown: 5,
  ack2: 6,
  drop: 7,
  error: 8,
  user: 0x7fff,
} as const;
export type Control = (typeof Control)[keyof typeof Control];

const PART_SHIFT = 30;
/** In w1 of a data packet: not to be read before what was sent earlier. */
export const ORDERED = 0x2000_0000;
export const MESSAGE_MASK = 0x1fff_ffff;
const CONTROLS: ReadonlyMap<number, string> = new Map(
  Object.entries(Control).map(([name, code]) => [code, name]),
);

type Common = { readonly time: number; readonly to: number; readonly body: Uint8Array };
export type DataPacket = Common & {
  readonly kind: "data";
  readonly seq: number;
  readonly part: Part;
  readonly ordered: boolean;
  readonly message: number;
};
export type ControlPacket = Common & {
  readonly kind: "control";
  readonly control: Control;
  /** 16 bits: what a user-defined packet (0x7fff) is. */
  readonly extra: number;
  readonly info: number;
};
export type Packet = DataPacket | ControlPacket;

/** The big-endian 32-bit word at `at`, 0 to 2^32 - 1. The bytes must be there. */
export function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

/** Writes `value` as a big-endian 32-bit word. */
export function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The socket id that the datagram `bytes[from..to)` is for; 0: a listener; -1: it is not UDT. */
export function socketId(bytes: Uint8Array, from: number, to: number): number {
  return to - from < HEADER ? -1 : word(bytes, from + 12);
}

/** The second word of a data packet. */
export function messageWord(part: Part, ordered: boolean, message: number): number {
  return ((part << PART_SHIFT) | (ordered ? ORDERED : 0) | message) >>> 0;
}

/** The part that the second word of a data packet says. */
export function partOf(info: number): Part {
  return (info >>> PART_SHIFT) as Part;
}

/** Writes the header of a control packet; its payload follows at `at + HEADER`. */
export function putControl(
  out: Uint8Array,
  at: number,
  control: Control,
  info: number,
  time: number,
  to: number,
): void {
  putWord(out, at, (0x8000_0000 | (control << 16)) >>> 0);
  putWord(out, at + 4, info);
  putWord(out, at + 8, time);
  putWord(out, at + 12, to);
}

/** Reads a packet. Undefined: it is not UDT. `body` shares memory. */
export function parse(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < HEADER) return undefined;
  const head = word(bytes, 0);
  const info = word(bytes, 4);
  const rest = { time: word(bytes, 8), to: word(bytes, 12), body: bytes.subarray(HEADER) };
  if (head >>> 31 === 0) {
    return {
      kind: "data",
      seq: head,
      part: partOf(info),
      ordered: (info & ORDERED) !== 0,
      message: info & MESSAGE_MASK,
      ...rest,
    };
  }
  const control = (head >>> 16) & 0x7fff;
  if (!CONTROLS.has(control)) return undefined;
  return { kind: "control", control: control as Control, extra: head & 0xffff, info, ...rest };
}

/** Writes `packet` to `out[at..]`, which must have room for it; returns its length. */
export function emit(packet: Packet, out: Uint8Array, at = 0): number {
  if (packet.kind === "data") {
    putWord(out, at, packet.seq);
    putWord(out, at + 4, messageWord(packet.part, packet.ordered, packet.message));
    putWord(out, at + 8, packet.time);
    putWord(out, at + 12, packet.to);
  } else {
    putControl(out, at, packet.control, packet.info, packet.time, packet.to);
    putWord(out, at, (word(out, at) | packet.extra) >>> 0);
  }
  out.set(packet.body, at + HEADER);
  return HEADER + packet.body.length;
}

/** One line for logs and traces. */
export function show(packet: Packet): string {
  const tail = `to=${packet.to} length=${packet.body.length}`;
  if (packet.kind === "control")
    return `${CONTROLS.get(packet.control)} info=${packet.info} ${tail}`;
  const part = ["middle", "last", "first", "solo"][packet.part];
  return `data seq=${packet.seq} message=${packet.message} ${part}${packet.ordered ? " ordered" : ""} ${tail}`;
}
