/** How bad one direction of a link is. */
export interface Conditions {
  /** One way, µs. */
  readonly delay: number;
  /** Up to so much more or less, µs; packets stay in order. */
  readonly jitter: number;
  /** Shares from 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  /** Share of packets that are not delayed: they overtake the others. */
  readonly reorder: number;
  /** Packets that are lost in a row, on average (Gilbert-Elliott). */
  readonly burst: number;
  /** Bits per second; 0: as fast as it goes. */
  readonly rate: number;
  /** Bytes that may wait for their turn. */
  readonly queue: number;
  readonly down: boolean;
}

/** A link without faults. */
export const CLEAN: Conditions = {
  delay: 0,
  jitter: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  burst: 1,
  rate: 0,
  queue: 1000 * 1514,
  down: false,
};

/** Both directions of a link: from the near namespace to the far one, and back. */
export type Pair = readonly [Conditions, Conditions];

/** Full Ethernet frames, in which a queue is given. */
const FRAME = 1514;
const TIMES: Record<string, number> = { us: 1, ms: 1000, s: 1_000_000 };
const RATES: Record<string, number> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/**
 * Words of a line: `delay=75ms jitter=2ms loss=1 burst=4 rate=100mbit queue=1000 duplicate=0.1
 * reorder=1 down up`, shares in percent, the queue in packets; for both directions, or for one with
 * `ab.` or `ba.` in front. Undefined when a word is none of these.
 */
export function change(pair: Pair, line: string): Pair | undefined {
  let changed = pair;
  for (const word of line.split(/\s+/).filter((one) => one !== "")) {
    const [, way, option = ""] = /^(ab\.|ba\.)?(.*)$/.exec(word) ?? [];
    const step = changeOf(option);
    if (step === undefined) return undefined;
    const [near, far] = changed;
    changed = [
      way === "ba." ? near : { ...near, ...step },
      way === "ab." ? far : { ...far, ...step },
    ];
  }
  return changed;
}

function changeOf(option: string): Partial<Conditions> | undefined {
  if (option === "down" || option === "up") return { down: option === "down" };
  const [, name, digits, unit = ""] = /^(\w+)=(\d+(?:\.\d+)?)(\w*)$/.exec(option) ?? [];
  const value = Number(digits);
  const time = TIMES[unit];
  const rate = RATES[unit];
  switch (name ?? "") {
    case "delay":
      return time === undefined ? undefined : { delay: value * time };
    case "jitter":
      return time === undefined ? undefined : { jitter: value * time };
    case "rate":
      return rate === undefined ? undefined : { rate: value * rate };
    case "loss":
      return unit === "" ? { loss: value / 100 } : undefined;
    case "duplicate":
      return unit === "" ? { duplicate: value / 100 } : undefined;
    case "reorder":
      return unit === "" ? { reorder: value / 100 } : undefined;
    case "burst":
      return unit === "" && value >= 1 ? { burst: value } : undefined;
    case "queue":
      return unit === "" ? { queue: value * FRAME } : undefined;
    default:
      return undefined;
  }
}
