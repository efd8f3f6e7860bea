import type { JSX } from "preact";

import { areaPath, highest, latest, linePath, newest, pieces, windowFor } from "./lines.ts";

const WIDTH = 120;
const HEIGHT = 28;
/** Samples, at one a second. */
const MOST = 120;

/** A small line beside a figure: the last minutes of it, on a scale of its own. */
export function Spark(props: {
  readonly samples: Float32Array;
  /** What it shows: "connections of web-1". */
  readonly label: string;
  readonly show: (value: number) => string;
  /** The least top of the scale, so that a flicker near zero does not look like a storm. */
  readonly floor?: number;
}): JSX.Element {
  const samples = newest(props.samples, windowFor(props.samples.length, MOST));
  const most = highest(samples);
  const top = Math.max(most, props.floor ?? 1) * 1.1;
  const runs = pieces(samples, { width: WIDTH, height: HEIGHT, top });
  const said = `${props.label}: ${props.show(latest(samples))}, highest lately ${props.show(most)}`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{said}</title>
      <path class="area" d={areaPath(runs, HEIGHT)} />
      <path class="line" d={linePath(runs)} />
    </svg>
  );
}
