import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { KEPT } from "../state/series.ts";
import {
  areaPath,
  highest,
  latest,
  linePath,
  newest,
  pieces,
  roundTop,
  windowFor,
} from "./lines.ts";

const WIDTH = 600;
const HEIGHT = 140;

export interface Line {
  readonly name: string;
  readonly samples: Float32Array;
}

/** The last minutes of one or two figures of a kind, with a scale, and values under the pointer. */
export function Chart(props: {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly show: (value: number) => string;
  /** 1024 for bytes. */
  readonly base?: 1000 | 1024;
}): JSX.Element {
  const [at, setAt] = useState<number | undefined>(undefined);
  const room = windowFor(Math.max(0, ...props.lines.map((l) => l.samples.length)), KEPT);
  const lines = props.lines.map((line) => ({ ...line, samples: newest(line.samples, room) }));
  const top = roundTop(Math.max(...lines.map((line) => highest(line.samples)), 0), props.base);
  const now = lines.map((l) => `${l.name} ${props.show(latest(l.samples))}`).join(", ");

  const point = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    setAt(Math.max(0, Math.min(room - 1, Math.round(share * (room - 1)))));
  };
  const valueOf = (samples: Float32Array): number =>
    at === undefined ? latest(samples) : (samples[at] ?? Number.NaN);

  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{props.title}</span>
        <ul class="legend">
          {lines.map((line, i) => (
            <li key={line.name}>
              <svg class={`swatch line-${i}`} viewBox="0 0 18 4" aria-hidden="true">
                <path class="line" d="M0 2H18" />
              </svg>
              {line.name} <b>{props.show(valueOf(line.samples))}</b>
            </li>
          ))}
          {at !== undefined && <li class="soft">{when(room - 1 - at)}</li>}
        </ul>
      </figcaption>
      <div class="plot" onPointerMove={point} onPointerLeave={() => setAt(undefined)}>
        <span class="scale top">{props.show(top)}</span>
        <span class="scale middle">{props.show(top / 2)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
          <title>{`${props.title}, now: ${now}`}</title>
          <path
            class="grid"
            d={`M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}`}
          />
          {lines.map((line, i) => {
            const runs = pieces(line.samples, { width: WIDTH, height: HEIGHT, top });
            return (
              <g class={`line-${i}`} key={line.name}>
                {lines.length === 1 && <path class="area" d={areaPath(runs, HEIGHT)} />}
                <path class="line" d={linePath(runs)} />
              </g>
            );
          })}
          {at !== undefined && (
            <path class="cross" d={`M${(at / (room - 1)) * WIDTH} 0V${HEIGHT}`} />
          )}
        </svg>
      </div>
      <div class="times soft" aria-hidden="true">
        <span>{when(room)}</span>
        <span>now</span>
      </div>
    </figure>
  );
}

function when(secondsAgo: number): string {
  if (secondsAgo < 1) return "now";
  return secondsAgo < 60 ? `${secondsAgo} s ago` : `${Math.round(secondsAgo / 6) / 10} min ago`;
}
