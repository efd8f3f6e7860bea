import { UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import type { ParityRules } from "../../../src/wire/tunnel/parity.ts";
import { IN_FRONT } from "../../../src/wire/tunnel/repaired.ts";
import { CubicReceiver, CubicSender, type Sack } from "../../fake/cubic.ts";
import { Wan, type WanOptions } from "../../fake/wan.ts";
import { RepairedEnd } from "./repaired-end.ts";

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
/** A call: a packet of so many bytes each 20 ms, of two flows the other one. */
const VOICE = 200;
const VOICE_GAP = 20_000;
const STREAM_FLOW = 1;
const VOICE_FLOW = 2;

/**
 * One bulk stream of cubic through a repaired path, and a call beside it, in virtual time (µs); they begin after a
 * second.
 */
export function stream({ fec, ...options }: WanOptions & { readonly fec?: ParityRules }) {
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
  const offeredAt = new Map<number, number>();
  const delays = { stream: [] as number[], voice: [] as number[] };
  const spoken = memory(VOICE);
  let speaksAt = BEGIN;
  const near = new RepairedEnd(fec, random, now, (packet) => {
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
  const far = new RepairedEnd(fec, random, now, (packet) => {
    const view = new DataView(packet.buffer, packet.byteOffset);
    if (packet.length === VOICE) {
      delays.voice.push(now - view.getUint32(0));
      return;
    }
    for (let i = 0; i < (packet.length - HEADERS) / PAYLOAD; i++) {
      const seq = view.getUint32(4 * i);
      const at = offeredAt.get(seq);
      if (at !== undefined) delays.stream.push(now - at);
      offeredAt.delete(seq);
      receiver.take(seq);
      acknowledge(false);
    }
  });
  const acknowledge = (all: boolean): void => {
    for (let sack = receiver.say(all); sack !== undefined; sack = receiver.say(all)) {
      said.set(++acks, sack);
      const ack = acknowledgement(acks, sack.next, receiver.isWhole);
      far.repair.offer(ack, 0, ack.bytes.length, UNORDERED, now);
    }
  };
  const out = memory(2048);
  const into = memory(2048);
  const send = (from: RepairedEnd, wan: Wan): void => {
    for (let n = from.poll(now, out, IN_FRONT); n > 0; n = from.poll(now, out, IN_FRONT))
      wan.put(out.bytes, IN_FRONT, n, 0, now);
  };
  const arrive = (wan: Wan, to: RepairedEnd): void =>
    wan.take(now, (_, bytes, from, upTo) => {
      into.bytes.set(bytes.subarray(from, upTo), IN_FRONT);
      to.receive(into, IN_FRONT, upTo - from, now);
    });
  return {
    sender,
    near: near.repair,
    there,
    /** How long each segment, and each packet of the call, took to get there, µs. */
    delays,
    /** How many datagrams were made of parity over there. */
    get mended(): number {
      return far.mender.mended;
    },
    /** Goes on to `until`, and says how many segments have arrived in order. */
    run(until: number): number {
      for (;;) {
        while (now >= BEGIN) {
          let count = 0;
          for (let seq = 0; count < UNCUT && (seq = sender.poll(now)) >= 0; count++) {
            plain.view.setUint32(4 * count, seq);
            if (!offeredAt.has(seq)) offeredAt.set(seq, now);
          }
          if (count === 0) break;
          near.repair.offer(plain, 0, HEADERS + count * PAYLOAD, STREAM_FLOW, now);
        }
        for (; now >= speaksAt; speaksAt += VOICE_GAP) {
          spoken.view.setUint32(0, now);
          near.repair.offer(spoken, 0, VOICE, VOICE_FLOW, now);
        }
        send(near, there);
        send(far, back);
        const begins = now < BEGIN ? BEGIN : sender.wakeAt;
        const wakes = [there, back, near, far].map(({ wakeAt }) => wakeAt);
        const next = Math.min(...wakes, begins, speaksAt);
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
