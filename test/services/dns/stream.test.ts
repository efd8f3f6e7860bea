import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { DnsStream, type Wire } from "../../../src/services/dns/stream.ts";
import { type Answerer, TRANSFER, type Transfer, type Via } from "../../../src/services/dns/via.ts";
import { AGAIN, GONE } from "../../../src/sys/socket.ts";

/** A wire that takes so many bytes, and keeps what it took. */
class FakeWire implements Wire {
  /** Bytes it takes before it is full; -1 breaks it. */
  room = Infinity;
  taken: number[] = [];
  reading = true;
  writing = false;
  end: "open" | "closed" | "aborted" = "open";

  write(bytes: Uint8Array, from: number, to: number): number {
    if (this.room < 0) return GONE;
    const n = Math.min(this.room, to - from);
    if (n === 0) return AGAIN;
    this.room -= n;
    this.taken.push(...bytes.subarray(from, from + n));
    return n;
  }
  interest(reading: boolean, writing: boolean): void {
    this.reading = reading;
    this.writing = writing;
  }
  close(): void {
    this.end = "closed";
  }
  abort(): void {
    this.end = "aborted";
  }
  /** What it was sent, message by message. */
  get messages(): number[][] {
    const found: number[][] = [];
    for (let at = 0; at + 2 <= this.taken.length; at += 2 + (found.at(-1)?.length ?? 0)) {
      const length = ((this.taken[at] ?? 0) << 8) | (this.taken[at + 1] ?? 0);
      found.push(this.taken.slice(at + 2, at + 2 + length));
    }
    return found;
  }
}

/** Answers a message with itself; one that begins with 0 not at all, with 1 by a transfer of 20 messages. */
class Echo implements Answerer {
  asked = 0;
  respond(bytes: Uint8Array, from: number, to: number, _: Via, into: Uint8Array, at: number) {
    this.asked++;
    if (bytes[from] === 0) return 0;
    if (bytes[from] === 1) return TRANSFER;
    into.set(bytes.subarray(from, to), at);
    return to - from;
  }
  transfer(): Transfer {
    let left = 20;
    return {
      next(into, at) {
        if (left === 0) return 0;
        into.fill(left--, at, at + 1000);
        return 1000;
      },
    };
  }
}

const IDLE = 1000;

function conversation() {
  const wire = new FakeWire();
  const echo = new Echo();
  const via: Via = {
    transport: "tcp",
    client: Uint8Array.of(127, 0, 0, 1),
    port: 53,
    room: 0xffff,
    now: 0,
    wall: 0,
  };
  const stream = new DnsStream(wire, via, () => echo);
  const feed = (bytes: readonly number[], now = 0): void =>
    stream.feed(Uint8Array.from(bytes), 0, bytes.length, now, 0);
  return { wire, echo, stream, feed };
}

/** A message of `length` bytes that begins with `first`, its length in front. */
const framed = (first: number, length = 12): number[] => [
  length >> 8,
  length & 255,
  first,
  ...Array.from({ length: length - 1 }, (_, i) => (i * 7) & 255),
];

describe("messages", () => {
  test.each([
    { story: "one", bytes: framed(5), answers: 1 },
    { story: "three at once", bytes: [...framed(5), ...framed(6), ...framed(7)], answers: 3 },
    {
      story: "one that wants no answer between two",
      bytes: [...framed(5), ...framed(0), ...framed(7)],
      answers: 2,
    },
    { story: "not the end of one", bytes: framed(5).slice(0, -1), answers: 0 },
    { story: "one and a bit", bytes: [...framed(5), 0], answers: 1 },
    { story: "the longest", bytes: framed(5, 0xffff), answers: 1 },
    {
      story: "very many of the longest",
      bytes: Array(4).fill(framed(5, 0xffff)).flat(),
      answers: 4,
    },
  ])("$story", ({ bytes, answers }) => {
    const { wire, feed } = conversation();
    feed(bytes);
    expect(wire.messages.length).toBe(answers);
    expect([wire.end, wire.reading, wire.writing]).toEqual(["open", true, false]);
  });

  test("in whatever pieces they come, and however little is taken at a time", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            first: fc.integer({ min: 2, max: 255 }),
            length: fc.integer({ min: 12, max: 3000 }),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        (messages, pieces, rooms) => {
          const { wire, stream, feed } = conversation();
          const all = messages.flatMap(({ first, length }) => framed(first, length));
          wire.room = 0;
          let at = 0;
          for (let i = 0; at < all.length || wire.taken.length < all.length; i++) {
            const piece = pieces[i % pieces.length] ?? 1;
            if (at < all.length && wire.reading) feed(all.slice(at, (at += piece)));
            wire.room = rooms[i % rooms.length] ?? 1;
            if (wire.writing) stream.writable(0, 0);
          }
          expect(wire.taken).toEqual(all);
          expect(stream.idle).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([
    { story: "eleven bytes are no message", bytes: [0, 11, 1, 2, 3] },
    { story: "none at all neither", bytes: [0, 0] },
  ])("$story", ({ bytes }) => {
    const { wire, feed } = conversation();
    feed(bytes);
    expect(wire.end).toBe("aborted");
  });
});

describe("a slow client", () => {
  test("is not asked for more than it takes", () => {
    const { wire, echo, stream, feed } = conversation();
    wire.room = 5;
    feed([...framed(5), ...framed(6)]);
    expect([echo.asked, wire.reading, wire.writing]).toEqual([2, false, true]);
    feed([...framed(7)]); // was on its way already
    expect(echo.asked).toBe(2);
    wire.room = Infinity;
    stream.writable(0, 0);
    expect([echo.asked, wire.reading, wire.writing]).toEqual([3, true, false]);
    expect(wire.messages.map(([first]) => first)).toEqual([5, 6, 7]);
  });

  test("has half a minute for what it was sent, whatever it takes meanwhile", () => {
    const { wire, stream, feed } = conversation();
    wire.room = 1;
    feed(framed(5), 100);
    wire.room = 1;
    stream.writable(20_000, 0);
    expect(stream.deadline(IDLE)).toBe(30_100);
    wire.room = Infinity;
    stream.writable(25_000, 0);
    expect(stream.deadline(IDLE)).toBe(100 + IDLE);
  });

  test("that breaks is given up", () => {
    const { wire, stream, feed } = conversation();
    wire.room = -1;
    feed(framed(5));
    expect([wire.end, stream.idle]).toEqual(["aborted", true]);
  });
});

describe("silence", () => {
  test("counts from the last whole message: single bytes do not stop the clock", () => {
    const { stream, feed } = conversation();
    feed(framed(5), 500);
    expect([stream.idle, stream.deadline(IDLE)]).toEqual([true, 1500]);
    feed([0], 1400);
    expect([stream.idle, stream.deadline(IDLE)]).toEqual([false, 1500]);
  });

  test("after the client's last word all that it asked is answered, then it is closed", () => {
    const { wire, stream, feed } = conversation();
    wire.room = 5;
    feed(framed(5));
    stream.ended();
    expect(wire.end).toBe("open");
    wire.room = Infinity;
    stream.writable(0, 0);
    expect([wire.messages.length, wire.end]).toEqual([1, "closed"]);
  });
});

describe("a transfer", () => {
  test("goes in turns, and what was asked behind it waits", () => {
    const { wire, echo, stream, feed } = conversation();
    feed([...framed(5), ...framed(1), ...framed(6)]);
    expect([wire.messages.length, wire.reading, wire.writing, echo.asked]).toEqual([
      9,
      false,
      true,
      2,
    ]);
    stream.writable(1, 0);
    stream.writable(2, 0);
    const sizes = wire.messages.map((m) => m.length);
    expect(sizes).toEqual([12, ...Array<number>(20).fill(1000), 12]);
    expect([wire.reading, stream.idle]).toEqual([true, true]);
  });

  test("gives the client half a minute for each piece", () => {
    const { wire, stream, feed } = conversation();
    wire.room = 3000;
    feed(framed(1), 100);
    expect(stream.deadline(IDLE)).toBe(30_100);
    wire.room = 500;
    stream.writable(9000, 0); // the rest of one, and a part of the next
    expect(stream.deadline(IDLE)).toBe(39_000);
    wire.room = 1;
    stream.writable(20_000, 0);
    expect(stream.deadline(IDLE)).toBe(39_000);
  });
});
