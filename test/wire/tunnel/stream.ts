import { UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import { Repair } from "../../../src/wire/tunnel/repair.ts";
import { IN_FRONT } from "../../../src/wire/tunnel/repaired.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { CubicReceiver, CubicSender, type Sack } from "../../fake/cubic.ts";
import { Wan, type WanOptions } from "../../fake/wan.ts";

/** Of a datagram: the path's MTU is 1500. */
const ROOM = 1424;
/** What a segment carries, in a tunnel with an MTU of 1380. */
export const PAYLOAD = 1328;
/** Headers of IP and TCP, and the trailer: of as many segments as the kernel leaves uncut. */
const HEADERS = 68;
const UNCUT = 12;
/** IPv4, TCP, and a trailer of zeros; with SACK's one block. */
const ACK = 56;
const SACK = 68;
/** IP, UDP, Ethernet, and the seal. */
const OVERHEAD = 74;
/** Both ends have met by then, µs. */
const BEGIN = 1_000_000;

/** One bulk stream of cubic through a repaired path, in virtual time (µs); it begins after a second. */
export function stream(options: WanOptions) {
  let now = 0;
  let dice = options.seed ?? 1;
  const random = (): number => (dice = (Math.imul(dice, 1_103_515_245) + 12_345) & 0x7fff_ffff);
  const link = { overhead: OVERHEAD, ...options };
  const there = new Wan(link);
  const back = new Wan({ ...link, seed: (options.seed ?? 1) + 1000 });
  const sender = new CubicSender();
  const receiver = new CubicReceiver();
  const said = new Map<number, Sack>();
  let acks = 0;
  const plain = memory(HEADERS + UNCUT * PAYLOAD);
  const end = (deliver: (plain: Uint8Array) => void): Repair => {
    const congestion = (): Bbr => new Bbr(random());
    return new Repair({ room: ROOM, congestion, patience: 3000, random, deliver }, now);
  };
  const near = end((packet) => {
    const number = new DataView(packet.buffer, packet.byteOffset).getUint32(24);
    const segments: number[] = [];
    let next = 0;
    // It speaks for those before it that were not sent, too.
    for (const [i, sack] of said) {
      if (i > number) break;
      said.delete(i);
      segments.push(...sack.segments);
      next = sack.next;
    }
    sender.acknowledge({ next, segments }, now);
  });
  const far = end((packet) => {
    const view = new DataView(packet.buffer, packet.byteOffset);
    for (let i = 0; i < (packet.length - HEADERS) / PAYLOAD; i++) {
      receiver.take(view.getUint32(4 * i));
      acknowledge(false);
    }
  });
  const acknowledge = (all: boolean): void => {
    for (let sack = receiver.say(all); sack !== undefined; sack = receiver.say(all)) {
      said.set(++acks, sack);
      const ack = acknowledgement(acks, sack.next, receiver.isWhole);
      far.offer(ack, 0, ack.bytes.length, UNORDERED, now);
    }
  };
  const out = memory(2048);
  const into = memory(2048);
  const send = (from: Repair, wan: Wan): void => {
    for (let n = from.poll(now, out, IN_FRONT); n > 0; n = from.poll(now, out, IN_FRONT))
      wan.put(out.bytes, IN_FRONT, n, 0, now);
  };
  const arrive = (wan: Wan, to: Repair): void =>
    wan.take(now, (_, bytes, from, upTo) => {
      into.bytes.set(bytes.subarray(from, upTo), IN_FRONT);
      to.receive(into, IN_FRONT, upTo - from, now);
    });
  return {
    sender,
    near,
    there,
    /** Goes on to `until`, and says how many segments have arrived in order. */
    run(until: number): number {
      for (;;) {
        while (now >= BEGIN) {
          let count = 0;
          for (let seq = 0; count < UNCUT && (seq = sender.poll(now)) >= 0; count++)
            plain.view.setUint32(4 * count, seq);
          if (count === 0) break;
          near.offer(plain, 0, HEADERS + count * PAYLOAD, 1, now);
        }
        send(near, there);
        send(far, back);
        const begins = now < BEGIN ? BEGIN : sender.wakeAt;
        const wakes = [there, back, near, far].map(({ wakeAt }) => wakeAt);
        const next = Math.min(...wakes, begins);
        if (next > until) break;
        now = Math.max(now + 1, next);
        arrive(there, far);
        arrive(back, near);
        acknowledge(true);
      }
      now = until;
      return receiver.next;
    },
  };
}

/** An acknowledgement as TCP writes it; `number` is in place of its sequence number. */
function acknowledgement(number: number, next: number, whole: boolean) {
  const ack = memory(whole ? ACK : SACK);
  ack.bytes[0] = 0x45;
  ack.bytes[9] = 6;
  ack.view.setUint32(24, number);
  ack.view.setUint32(28, next);
  ack.view.setUint16(32, whole ? 0x5010 : 0x8010);
  if (!whole) ack.view.setUint32(40, 0x0101_050a);
  return ack;
}

function memory(length: number) {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  return { bytes, view: new DataView(bytes.buffer) };
}
