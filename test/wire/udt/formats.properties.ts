import fc from "fast-check";

import {
  type Acknowledgement,
  emitAcknowledgement,
  noAcknowledgement,
  readAcknowledgement,
} from "../../../src/wire/udt/acknowledgement.ts";
import { emitHandshake, HANDSHAKE, parseHandshake } from "../../../src/wire/udt/handshake.ts";
import { eachLoss, putLoss } from "../../../src/wire/udt/loss-report.ts";
import { emit, HEADER, parse } from "../../../src/wire/udt/packet.ts";
import { ahead, shift } from "../../../src/wire/udt/sequence.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** Any bytes that are a packet are written back as they were. */
export const readsWhatIsWritten = fc.property(
  fc.uint8Array({ minLength: 0, maxLength: 80 }),
  fc.boolean(),
  (bytes, control) => {
    if (control && bytes.length >= 2) bytes.set([0x80, (bytes[1] ?? 0) % 9]);
    const packet = parse(bytes);
    if (packet === undefined) return;
    const out = new Uint8Array(100);
    const length = emit(packet, out, 3);
    if (!Buffer.from(out.subarray(3, 3 + length)).equals(bytes)) throw new Error("not the same");
  },
);

export const handshakes = fc.property(
  fc.uint8Array({ minLength: 0, maxLength: HANDSHAKE + 8 }),
  (bytes) => {
    const hello = parseHandshake(bytes, 0, bytes.length);
    if (hello === undefined) return bytes.length < HANDSHAKE;
    const out = new Uint8Array(100);
    const length = emitHandshake(hello, 0, 0, out, 5);
    return Buffer.from(out.subarray(5 + HEADER, 5 + length)).equals(
      bytes.subarray(HEADER, HANDSHAKE),
    );
  },
);

export const acknowledgements = fc.property(
  fc.record({
    kind: fc.constantFrom("light", "full", "extended"),
    number: word,
    next: fc.integer({ min: 0, max: 0x7fff_ffff }),
    rtt: word,
    rttVariance: word,
    free: word,
    speed: word,
    capacity: word,
    received: word,
    echo: word,
    time: word,
  }),
  (given) => {
    const ack: Acknowledgement = { ...given };
    const out = new Uint8Array(100);
    const read = noAcknowledgement();
    const length = emitAcknowledgement(ack, 9, out, 2);
    if (!readAcknowledgement(read, out, 2, 2 + length)) return false;
    if (ack.kind === "light") return read.kind === "light" && read.next === ack.next;
    const { received, echo } = ack.kind === "extended" ? ack : { received: 0, echo: 0 };
    return Bun.deepEquals(read, { ...ack, received, echo });
  },
);

/** Ranges that are written are read; and of any bytes no range is made that goes backwards. */
export const lossReports = fc.property(
  fc.array(fc.tuple(fc.integer({ min: 0, max: 0x7fff_ffff }), fc.nat({ max: 5000 }))),
  fc.uint8Array({ maxLength: 40 }),
  (given, noise) => {
    const ranges = given.map(([first, more]) => [first, shift(first, more)] as const);
    const out = new Uint8Array(8 * ranges.length + 3);
    let end = 3;
    for (const [first, last] of ranges) end += putLoss(out, end, first, last);
    const read: (readonly [number, number])[] = [];
    const whole = eachLoss(out, 3, end, (first, last) => read.push([first, last]) > 0);
    const sane = eachLoss(noise, 0, noise.length, (first, last) => ahead(last, first) >= 0);
    return whole && Bun.deepEquals(read, ranges) && (sane || noise.length >= 4);
  },
);
