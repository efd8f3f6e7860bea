import { PAYLOAD, stream } from "../wire/tunnel/stream.ts";
import type { RowReport } from "./compare.ts";
import { digits, median, table } from "./figures.ts";
import type { Options } from "./web.ts";

const SECOND = 1_000_000;
/** The stream begins after one second; the first five of it are its start. */
const STARTED = 6 * SECOND;
const END = 18 * SECOND;
const RATE = 100e6;
const ROUND_TRIPS = [150, 200, 20];
const LOSSES = [0.01, 0.02, 0.05];
const FECS = [undefined, { data: 10, parity: 1 }];
const HEAD = [
  [
    "path",
    "fec",
    "Mbit/s",
    "first 5 s",
    "p95, ms",
    "longest, ms",
    "call p95, ms",
    "mended",
    "repeated",
  ],
];

/** What parity gains a stream, and a call beside it, in virtual time: medians of `rounds` throws of the dice. */
export function fec({ rounds, say }: Options): Promise<RowReport[]> {
  const rows = ROUND_TRIPS.flatMap((rtt) =>
    LOSSES.flatMap((loss) =>
      FECS.map((rules) => {
        const seen = Array.from({ length: rounds }, (_, i) => look(rtt, loss, rules, i + 1));
        const middle = (seen[0] ?? []).map((_, k) => median(seen.map((one) => one[k] ?? NaN)));
        const path = `${rtt} ms, ${loss * 100} %`;
        return [path, rules === undefined ? "–" : "10 + 1", ...middle.map(digits)];
      }),
    ),
  );
  say(table([...HEAD, ...rows]));
  return Promise.resolve([]);
}

/** One run: the columns of HEAD behind the first two. */
function look(
  rtt: number,
  loss: number,
  rules: (typeof FECS)[number],
  seed: number,
): readonly number[] {
  const link = { delay: (rtt / 2) * 1000, loss, rate: RATE, seed };
  const world = stream(rules === undefined ? link : { ...link, fec: rules });
  const early = world.run(STARTED);
  const { stream: segments, voice } = world.delays;
  const [segmentsBefore, voiceBefore] = [segments.length, voice.length];
  const late = world.run(END);
  const mbits = (count: number, time: number): number => (count * PAYLOAD * 8) / time;
  return [
    mbits(late - early, END - STARTED),
    mbits(early, STARTED - SECOND),
    slow(segments.slice(segmentsBefore), 0.95),
    slow(segments.slice(segmentsBefore), 1),
    slow(voice.slice(voiceBefore), 0.95),
    world.mended,
    world.near.stats.retransmitted,
  ];
}

/** So many of them took no longer than this, ms. */
function slow(delays: readonly number[], share: number): number {
  const sorted = delays.toSorted((a, b) => a - b);
  return (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN) / 1000;
}
