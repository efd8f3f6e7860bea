import { describe, expect, test } from "bun:test";

import { UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import { TRAILER } from "../../../src/wire/tunnel/plaintext.ts";
import { Repair } from "../../../src/wire/tunnel/repair.ts";
import { IN_FRONT } from "../../../src/wire/tunnel/repaired.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { Wan, type WanOptions } from "../../fake/wan.ts";

const SECOND = 1_000_000;
const LONGEST = 1396;

function memory(length: number) {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Two ends and a link in virtual time. */
function world(options: WanOptions, patience = 3000) {
  let now = 0;
  let dice = options.seed ?? 1;
  const random = (): number => (dice = (Math.imul(dice, 1_103_515_245) + 12_345) & 0x7fff_ffff);
  const wan = new Wan(options);
  const make = () => {
    const got: Uint8Array[] = [];
    const repair = new Repair(
      {
        room: LONGEST,
        congestion: () => new Bbr(random()),
        patience,
        random,
        deliver: (p) => void got.push(p.slice()),
      },
      now,
    );
    return { got, repair };
  };
  const ends = [make(), make()];
  const out = memory(2048);
  const into = memory(2048);
  const pump = (): void => {
    for (const [i, { repair }] of ends.entries())
      for (let n = repair.poll(now, out, IN_FRONT); n > 0; n = repair.poll(now, out, IN_FRONT))
        wan.put(out.bytes, IN_FRONT, n, 1 - i, now);
  };
  const run = (until: number): void => {
    for (;;) {
      pump();
      const next = Math.min(wan.wakeAt, ...ends.map(({ repair }) => repair.wakeAt));
      if (next > until) break;
      now = Math.max(now + 1, next);
      wan.take(now, (to, bytes, from, end) => {
        into.bytes.set(bytes.subarray(from, end), IN_FRONT);
        expect(ends[to]?.repair.receive(into, IN_FRONT, end - from, now)).toBe(true);
      });
    }
    now = until;
  };
  return {
    ends,
    wan,
    run,
    restart: (i: number) => void (ends[i] = make()),
    send: (i: number, flow: number, number: number, length = 100): boolean => {
      const plain = memory(length);
      plain.view.setUint32(0, number);
      plain.view.setUint16(4, flow);
      return ends[i]?.repair.offer(plain, 0, length, flow, now) ?? false;
    },
    numbers: (i: number, flow: number): number[] =>
      (ends[i]?.got ?? []).flatMap((p) => {
        const view = new DataView(p.buffer);
        return view.getUint16(4) === flow ? [view.getUint32(0)] : [];
      }),
  };
}

const upTo = (count: number): number[] => [...Array(count).keys()];

describe("packets on a repaired path", () => {
  test.each([
    { story: "a clean one", options: { delay: 10_000 } },
    { story: "one that loses many", options: { delay: 50_000, loss: 0.1 } },
    {
      story: "one that loses, repeats and mixes",
      options: { delay: 20_000, loss: 0.05, duplicate: 0.05, reorder: 0.1 },
    },
  ])("all arrive in the order of their flow over $story", ({ options }) => {
    const { send, run, numbers, ends } = world(options);
    run(2 * SECOND);
    expect(ends.map(({ repair }) => repair.isOpen)).toEqual([true, true]);
    for (let i = 0; i < 500; i++) {
      send(0, i % 3, Math.floor(i / 3));
      send(1, 9, i);
      run((2 + i / 100) * SECOND);
    }
    run(12 * SECOND);
    expect(numbers(1, 0)).toEqual(upTo(167));
    expect(numbers(1, 1)).toEqual(upTo(167));
    expect(numbers(1, 2)).toEqual(upTo(166));
    expect(numbers(0, 9)).toEqual(upTo(500));
  });

  test("one that is missing holds up its flow only", () => {
    const { send, run, numbers, wan } = world({ delay: 50_000 });
    run(SECOND);
    wan.down = true;
    send(0, 1, 0);
    run(SECOND + 20_000); // longer than what is sent twice is apart
    wan.down = false;
    send(0, 1, 1);
    send(0, 2, 0);
    send(0, UNORDERED, 5);
    run(SECOND + 75_000);
    expect([numbers(1, 1), numbers(1, 2), numbers(1, UNORDERED)]).toEqual([[], [0], [5]]);
    run(2 * SECOND);
    expect(numbers(1, 1)).toEqual([0, 1]);
  });

  test("what is too old is not waited for", () => {
    const { send, run, numbers, wan } = world({ delay: 50_000 }, 500);
    run(SECOND);
    wan.down = true;
    send(0, 1, 0);
    run(2 * SECOND);
    wan.down = false;
    send(0, 1, 1);
    run(4 * SECOND);
    expect(numbers(1, 1)).toEqual([1]);
  });

  test("an end that begins anew is met anew", () => {
    const { send, run, numbers, restart, ends } = world({ delay: 50_000 });
    run(SECOND);
    for (let i = 0; i < 20; i++) send(0, 1, i);
    run(2 * SECOND);
    restart(1);
    run(4 * SECOND);
    expect(ends.map(({ repair }) => repair.isOpen)).toEqual([true, true]);
    for (let i = 0; i < 20; i++) {
      send(0, 1, i);
      send(1, 1, i);
    }
    run(5 * SECOND);
    expect([numbers(1, 1), numbers(0, 1)]).toEqual([upTo(20), upTo(20)]);
  });

  test("both begin anew after a night without a link", () => {
    const { send, run, numbers, wan, ends } = world({ delay: 50_000 });
    run(SECOND);
    wan.down = true;
    run(200 * SECOND);
    wan.down = false;
    run(235 * SECOND);
    expect(ends.map(({ repair }) => repair.isOpen)).toEqual([true, true]);
    for (let i = 0; i < 20; i++) send(0, 1, i);
    run(236 * SECOND);
    expect(numbers(1, 1)).toEqual(upTo(20));
  });

  test("more than the link carries waits a round trip, and is dropped then", () => {
    const { send, run, ends, wan } = world({ delay: 75_000, rate: 20e6, loss: 0.01 });
    run(SECOND);
    for (let ms = 0; ms < 8000; ms++) {
      for (let i = 0; i < 4; i++) send(0, 1, ms, 1300); // 42 Mbit/s
      run(SECOND + ms * 1000);
    }
    const got = ends[1]?.got.length ?? 0;
    expect((got * 1300 * 8) / 8 / 1e6).toBeGreaterThan(15);
    expect(ends[0]?.repair.dropped).toBeGreaterThan(0);
    expect(wan.longestQueue).toBeLessThan(300_000); // two round trips
  });
});

test("a path that has more room all at once is filled within seconds", () => {
  const { send, run, ends, wan } = world({ delay: 50_000, rate: 5e6, loss: 0.01 });
  run(SECOND);
  let before = 0;
  for (let ms = 0; ms < 12_000; ms++) {
    if (ms === 7000) wan.options.rate = 60e6;
    if (ms === 11_000) before = ends[1]?.got.length ?? 0;
    for (let i = 0; i < 4; i++) send(0, 1, ms, 1300); // 42 Mbit/s
    run(SECOND + ms * 1000);
  }
  const got = (ends[1]?.got.length ?? 0) - before;
  expect((got * 1300 * 8) / 1e6).toBeGreaterThan(30);
});

describe("what is no such plaintext", () => {
  test.each([
    { story: "too short", length: TRAILER - 1 },
    { story: "of nobody", length: 100 },
  ])("$story is refused", ({ length }) => {
    const { ends } = world({});
    expect(ends[0]?.repair.receive(memory(200), IN_FRONT, length, 0)).toBe(false);
  });
});
