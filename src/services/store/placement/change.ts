/** What would become of stored names if a stage were to find them in another way. */
import { placementOf } from "./placement.ts";
import { copiesOf, type StageRecord } from "./stage.ts";

/** Names tried. */
const SAMPLE = 10_000;

/** Percentages of a sample of names. */
export interface Loss {
  /** Copies that would be looked for where they are not. */
  readonly misplaced: number;
  /** Names of which no copy at all would be found. */
  readonly lost: number;
}

/** What a change from `before` to `after` would cost; undefined when it moves nothing. */
export function lossBy(before: StageRecord, after: StageRecord): Loss | undefined {
  if (sameArithmetic(before, after)) return undefined;
  const from = placementOf(before);
  const to = placementOf(after);
  const copies = Math.min(copiesOf(before), copiesOf(after));
  let misplaced = 0;
  let lost = 0;
  for (let i = 0; i < SAMPLE; i++) {
    const key = `/sample/${i}`;
    const idsOf = (stage: StageRecord, order: readonly number[]) =>
      order.slice(0, copies).map((index) => stage.slots[index]?.id);
    const there = new Set(idsOf(before, from(key)));
    const wrong = idsOf(after, to(key)).filter((id) => !there.has(id)).length;
    misplaced += wrong;
    if (wrong === copies) lost++;
  }
  const percent = (count: number, of: number): number => Math.round((1000 * count) / of) / 10;
  return { misplaced: percent(misplaced, SAMPLE * copies), lost: percent(lost, SAMPLE) };
}

/** The number of copies may change: the first of more are where the first of fewer were. */
function sameArithmetic(a: StageRecord, b: StageRecord): boolean {
  const shape = ({ placement, region, slots }: StageRecord): string => {
    const md5 = placement !== "hrw-1";
    const kept = slots.map(({ id, weight, zone }) => (md5 ? [id] : [id, weight, zone ?? null]));
    return JSON.stringify([placement, md5 ? region : 0, kept.toSorted(byId)]);
  };
  return shape(a) === shape(b);
}

function byId([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
