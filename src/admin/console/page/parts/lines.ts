/** What is drawn of a series: the newest `length` samples, the last one at the right edge. */
export function newest(samples: Float32Array, length: number): Float32Array {
  if (samples.length >= length) return samples.subarray(samples.length - length);
  const out = new Float32Array(length).fill(Number.NaN);
  out.set(samples, length - samples.length);
  return out;
}

/**
 * How many samples to give room to: a short history would be a speck at the edge of a long one.
 * It grows by steps, so that a line does not breathe.
 */
export function windowFor(known: number, most: number): number {
  return [30, 60, 120, 300].find((size) => size >= known || size >= most) ?? most;
}

/** The largest that is known; 0 when nothing is. */
export function highest(samples: Float32Array): number {
  let most = 0;
  for (const value of samples) if (value > most) most = value;
  return most;
}

/** The newest that is known; NaN when nothing is. */
export function latest(samples: Float32Array): number {
  for (let i = samples.length - 1; i >= 0; i--) {
    const value = samples[i] ?? Number.NaN;
    if (!Number.isNaN(value)) return value;
  }
  return Number.NaN;
}

/**
 * A round number not below `value` for the top of a scale, one that can be halved: 1, 2, 4, 6, 10,
 * 20, … With `base` 1024 it is round as KiB, MiB, ….
 */
export function roundTop(value: number, base: 1000 | 1024 = 1000): number {
  if (value <= 0) return 1;
  const unit = base ** Math.max(0, Math.floor(Math.log(value) / Math.log(base)));
  const power = 10 ** Math.floor(Math.log10(value / unit));
  const step = [1, 2, 4, 6, 10].find((s) => s * power * unit >= value) ?? 10;
  return step * power * unit;
}

/** Where samples lie in a box, in pieces where some are missing; `top` is at y = 0. */
export function pieces(
  samples: Float32Array,
  box: { readonly width: number; readonly height: number; readonly top: number },
): { readonly x: number; readonly y: number }[][] {
  const step = box.width / Math.max(1, samples.length - 1);
  const runs: { x: number; y: number }[][] = [];
  let run: { x: number; y: number }[] = [];
  for (const [i, value] of samples.entries()) {
    if (Number.isNaN(value)) {
      if (run.length > 0) runs.push(run);
      run = [];
    } else {
      const y = box.height * (1 - Math.min(value, box.top) / box.top);
      run.push({ x: round(i * step), y: round(y) });
    }
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** SVG path data of a line through the points of every piece; a lone point is a dot. */
export function linePath(runs: ReturnType<typeof pieces>): string {
  return runs
    .map((run) => {
      const line = run.map((p, i) => `${i === 0 ? "M" : "L"}${p.x} ${p.y}`).join("");
      return run.length === 1 ? `${line}h0` : line; // round ends make it seen
    })
    .join("");
}

/** The area under it. */
export function areaPath(runs: ReturnType<typeof pieces>, height: number): string {
  return runs
    .map((run) => {
      const [first, last] = [run[0], run.at(-1)];
      if (!first || !last) return "";
      return `M${first.x} ${height}${run.map((p) => `L${p.x} ${p.y}`).join("")}L${last.x} ${height}Z`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
