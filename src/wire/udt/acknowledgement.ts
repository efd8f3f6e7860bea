/**
 * The payload of an acknowledgement. All that is sent before `next` has arrived, and:
 *
 *      light  next
 *      full   next, rtt, rtt variance, free packets [, packets/s arriving, packets/s of the link [, received, echo]]
 *
 * The last two words are ours: how many packets have arrived in all (gaps or not), and the time of the newest one
 * (as its sender stamped it, plus how long it was held here). With them the sender knows, whatever is lost, how
 * fast and how late its packets arrive. libudt reads the first six words and no further. Where they are, the
 * time in the header is that of our clock; libudt leaves it 0.
 */
import { Control, HEADER, putControl, putWord, word } from "./packet.ts";

const LIGHT = 4;
const SHORT = 16;
const FULL = 24;
const EXTENDED = 32;

/** One is kept and filled again for each that arrives. Times µs. */
export type Acknowledgement = {
  kind: "light" | "full" | "extended";
  /** To be said back by ACK2; 0 of light ones. */
  number: number;
  next: number;
  rtt: number;
  rttVariance: number;
  free: number;
  /** Packets per second; 0: not said. */
  speed: number;
  capacity: number;
  received: number;
  echo: number;
  /** The clock of the one who acknowledges. */
  time: number;
};

export function noAcknowledgement(): Acknowledgement {
  const zeros = { number: 0, next: 0, rtt: 0, rttVariance: 0, free: 0, speed: 0, capacity: 0 };
  return { kind: "light", ...zeros, received: 0, echo: 0, time: 0 };
}

/** Fills `ack` with the packet `bytes[from..to)`; false: it is none. */
export function readAcknowledgement(
  ack: Acknowledgement,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const at = from + HEADER;
  const length = to - at;
  if (length < LIGHT) return false;
  ack.next = word(bytes, at) & 0x7fff_ffff;
  if (length < SHORT) {
    ack.kind = "light";
    ack.number = 0;
    return true;
  }
  ack.kind = length >= EXTENDED ? "extended" : "full";
  ack.number = word(bytes, from + 4);
  ack.time = word(bytes, from + 8);
  ack.rtt = word(bytes, at + 4);
  ack.rttVariance = word(bytes, at + 8);
  ack.free = word(bytes, at + 12);
  ack.speed = length >= FULL ? word(bytes, at + 16) : 0;
  ack.capacity = length >= FULL ? word(bytes, at + 20) : 0;
  if (length >= EXTENDED) {
    ack.received = word(bytes, at + 24);
    ack.echo = word(bytes, at + 28);
  }
  return true;
}

/** Writes `ack` for socket `to`; returns its length. */
export function emitAcknowledgement(
  ack: Acknowledgement,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  const light = ack.kind === "light";
  putControl(out, at, Control.ack, light ? 0 : ack.number, ack.time, to);
  putWord(out, at + HEADER, ack.next);
  if (light) return HEADER + LIGHT;
  const words = at + HEADER;
  putWord(out, words + 4, ack.rtt);
  putWord(out, words + 8, ack.rttVariance);
  putWord(out, words + 12, ack.free);
  putWord(out, words + 16, ack.speed);
  putWord(out, words + 20, ack.capacity);
  if (ack.kind === "full") return HEADER + FULL;
  putWord(out, words + 24, ack.received);
  putWord(out, words + 28, ack.echo);
  return HEADER + EXTENDED;
}
