const DURATIONS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|[smhd])$/;

/** `250ms`, `5s`, `1.5h`, `7d` or `0`, in milliseconds, rounded to a whole one. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const [, count, unit] = DURATION.exec(text) ?? [];
  const scale = DURATIONS.find(([name]) => name === unit)?.[1];
  return scale === undefined ? undefined : whole(Number(count) * scale);
}

/** Whole milliseconds as the config writes them, in the largest unit that fits: 90000 is `90s`. */
export function showDuration(ms: number): string {
  if (ms === 0) return "0";
  const [name, scale] = DURATIONS.find(([, scale]) => ms % scale === 0) ?? ["ms", 1];
  return `${ms / scale}${name}`;
}

const SIZES = ["", "k", "m", "g", "t"] as const;
const SIZE = /^(\d+(?:\.\d+)?)(?:([kmgt])?(?:i?b)?)?$/i;

/** `512`, `1k`, `64MiB`, `1.5g`, in bytes. `k`, `kB` and `KiB` are all 1024: nobody means 1000. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = SIZE.exec(text) ?? [];
  if (count === undefined) return undefined;
  const power = SIZES.indexOf((unit ?? "").toLowerCase() as (typeof SIZES)[number]);
  return whole(Number(count) * 1024 ** power);
}

/** Whole bytes as the config writes them: 65536 is `64k`. */
export function showSize(bytes: number): string {
  let power = 0;
  while (bytes > 0 && power < SIZES.length - 1 && bytes % 1024 ** (power + 1) === 0) power++;
  return `${bytes / 1024 ** power}${SIZES[power]}`;
}

/** Events or bits per second. */
export type Rate =
  | { readonly kind: "events"; readonly perSecond: number }
  | { readonly kind: "bits"; readonly perSecond: number };

const PERIODS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const BITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };
const EVENTS_RATE = /^(\d+(?:\.\d+)?)\/([smh])$/;
const BITS_RATE = /^(\d+(?:\.\d+)?)([kmg]?)bit(?:\/s)?$/i;
const BYTES_RATE = /^(.*[a-z])\/s$/i;

/** `50/s` or `30/m` in events, `10Mbit` (decimal, as links are sold) or `20MiB/s` in bits. Never zero. */
export function parseRate(text: string): Rate | undefined {
  const events = EVENTS_RATE.exec(text);
  if (events) return positive("events", Number(events[1]) / (PERIODS[events[2] ?? ""] ?? 1));
  const bits = BITS_RATE.exec(text);
  if (bits) return positive("bits", Number(bits[1]) * (BITS[(bits[2] ?? "").toLowerCase()] ?? 1));
  const bytes = parseSize(BYTES_RATE.exec(text)?.[1] ?? "");
  return bytes === undefined ? undefined : positive("bits", bytes * 8);
}

/** A rate as the config writes it; a slow one per minute or hour when that is a round number. */
export function showRate({ kind, perSecond }: Rate): string {
  if (kind === "bits") {
    const [name, scale] = Object.entries(BITS).findLast(([, scale]) => perSecond % scale === 0) ?? [
      "",
      1,
    ];
    return `${plain(perSecond / scale)}${name === "k" ? name : name.toUpperCase()}bit`;
  }
  for (const [name, seconds] of Object.entries(PERIODS))
    if (Number.isInteger(perSecond * seconds)) return `${plain(perSecond * seconds)}/${name}`;
  return `${plain(perSecond)}/s`;
}

function positive(kind: Rate["kind"], perSecond: number): Rate | undefined {
  return perSecond > 0 && Number.isFinite(perSecond) ? { kind, perSecond } : undefined;
}

/** Past 2^53 the number read would not be the number written. */
function whole(n: number): number | undefined {
  const rounded = Math.round(n);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** Without an exponent, which the readers above do not take. */
function plain(n: number): string {
  const text = String(n);
  return text.includes("e") ? n.toFixed(20).replace(/\.?0+$/, "") : text;
}
