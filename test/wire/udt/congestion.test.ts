import { expect, test } from "bun:test";

import { Aimd } from "../../../src/wire/udt/congestion/aimd.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import type { Congestion } from "../../../src/wire/udt/congestion/congestion.ts";
import { FixedRate } from "../../../src/wire/udt/congestion/fixed.ts";
import { counting, pouring, World } from "./two-ends.ts";

const SECOND = 1_000_000;
const MBIT = 1_000_000;
const PACKETS = 16_384;
/** Virtual seconds cost little, but a busy machine is slow, ms. */
const PATIENCE = 60_000;

type Link = { rtt: number; loss: number; rate: number };

/** What each of `flows` gets in each of so many spans of 5 s, Mbit/s, and the longest queue in each, ms. */
function race(
  link: Link,
  flows: readonly { startAt: number; congestion: () => Congestion }[],
  spans: number,
): { rates: number[][]; queues: number[] } {
  const one = { delay: (link.rtt * 1_000) / 2, loss: link.loss, rate: link.rate * MBIT };
  const world = new World(one, one, 200);
  const readers = flows.map(() => counting());
  const begun = world.now;
  flows.forEach(({ startAt, congestion }, i) => {
    world.run(begun + startAt * SECOND - world.now);
    world.pair({
      congestion,
      clientProgram: pouring(),
      serverProgram: readers[i]!,
      client: { sendPackets: PACKETS },
      server: { receivePackets: PACKETS },
    });
  });
  const queues: number[] = [];
  const rates: number[][] = [];
  for (let i = 0; i < spans; i++) {
    const before = readers.map((reader) => reader.bytes);
    world.there.longestQueue = 0;
    world.run(5 * SECOND);
    rates.push(readers.map((reader, k) => ((reader.bytes - before[k]!) * 8) / 5 / MBIT));
    queues.push(world.there.longestQueue / 1_000);
  }
  return { rates, queues };
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
let seed = 0;
const bbr = (): Congestion => new Bbr((seed += 5));

// Room for payload on these links is 96 % of them, less what is lost on the way.
test.each([
  { rtt: 150, loss: 0.01, rate: 100, first: 88, later: 90 },
  { rtt: 200, loss: 0.02, rate: 100, first: 84, later: 88 },
  { rtt: 20, loss: 0.001, rate: 100, first: 95, later: 95 },
  { rtt: 20, loss: 0.05, rate: 100, first: 80, later: 84 },
  { rtt: 50, loss: 0, rate: 2, first: 1.7, later: 1.8 },
])(
  "bbr alone: $rate Mbit/s, $rtt ms, $loss lost: at least $first, then $later Mbit/s; a short queue",
  ({ first, later, ...link }) => {
    const { rates, queues } = race(link, [{ startAt: 0, congestion: bbr }], 4);
    expect(mean(rates.slice(0, 3).flat())).toBeGreaterThan(first); // 15 s from the first packet of all
    expect(mean(rates.slice(1).flat())).toBeGreaterThan(later);
    expect(Math.max(...queues.slice(1))).toBeLessThan(1.5 * link.rtt);
  },
  PATIENCE,
);

test.each([
  { story: "together", rtt: 150, loss: 0.01, starts: [0, 0] },
  { story: "together", rtt: 20, loss: 0.001, starts: [0, 0] },
  { story: "one 5 s after the other", rtt: 150, loss: 0.01, starts: [0, 5] },
  { story: "one 5 s after the other", rtt: 150, loss: 0, starts: [0, 5] },
])(
  "two bbr, $rtt ms, $loss lost, $story: within 30 per cent in the end",
  ({ starts, rtt, loss }) => {
    const flows = starts.map((startAt) => ({ startAt, congestion: bbr }));
    const { rates, queues } = race({ rtt, loss, rate: 100 }, flows, 8);
    const last = rates.slice(4);
    const [a, b] = [mean(last.map((rate) => rate[0]!)), mean(last.map((rate) => rate[1]!))];
    expect(a + b).toBeGreaterThan(86);
    expect(Math.max(a, b) / Math.min(a, b)).toBeLessThan(1.3);
    expect(Math.max(...queues.slice(4))).toBeLessThan(Math.max(60, 1.5 * rtt));
  },
  PATIENCE,
);

test("udt's own fills a clean link, and falls where packets are lost", () => {
  const [clean, lossy] = [0, 0.01].map((loss) =>
    mean(
      race(
        { rtt: 20, loss, rate: 100 },
        [{ startAt: 0, congestion: () => new Aimd() }],
        4,
      ).rates.flat(),
    ),
  );
  expect(clean).toBeGreaterThan(60);
  expect(lossy).toBeLessThan(clean! / 2);
});

test("a fixed rate is that rate, whatever is lost", () => {
  const flows = [{ startAt: 0, congestion: () => new FixedRate(50 * MBIT, 1_500) }];
  const { rates } = race({ rtt: 100, loss: 0.02, rate: 100 }, flows, 4);
  for (const [rate] of rates.slice(1)) {
    expect(rate!).toBeGreaterThan(44);
    expect(rate!).toBeLessThan(50);
  }
});

test("bbr finds what the link has become", () => {
  const link = { delay: 20_000, rate: 100 * MBIT };
  const world = new World(link);
  const { options } = world.there;
  const got = counting();
  world.pair({ clientProgram: pouring(), serverProgram: got });
  const measure = (seconds: number): number => {
    const before = got.bytes;
    world.run(seconds * SECOND);
    return ((got.bytes - before) * 8) / seconds / MBIT;
  };
  measure(5);
  options.rate = 20 * MBIT;
  measure(5);
  expect(measure(5)).toBeGreaterThan(17);
  options.rate = 200 * MBIT;
  measure(8);
  expect(measure(5)).toBeGreaterThan(170);
});

test("bbr comes back from almost nothing: a packet in a third of a second", () => {
  const world = new World({ delay: 500, rate: 100 * MBIT });
  const { options } = world.there;
  const got = counting();
  world.pair({ clientProgram: pouring(), serverProgram: got });
  world.run(2 * SECOND);
  options.rate = 0.04 * MBIT;
  options.queue = 15_000;
  world.run(60 * SECOND);
  options.rate = 100 * MBIT;
  world.run(10 * SECOND);
  const before = got.bytes;
  world.run(5 * SECOND);
  expect(((got.bytes - before) * 8) / 5 / MBIT).toBeGreaterThan(80);
});
