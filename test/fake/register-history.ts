/** What clients asked of one name and heard, and what none of them may have heard. */

/** Milliseconds of one clock. `ended` is undefined when nobody knows whether it was done. */
export interface Change {
  readonly value: string;
  readonly began: number;
  readonly ended: number | undefined;
}

export interface Read {
  readonly value: string;
  readonly began: number;
  readonly ended: number;
}

/** What is there before anybody writes. */
export const NOTHING = "";

/**
 * The reads that no order of the changes explains: of what nobody had written by then, or of what an
 * acknowledged change, begun when it was done, had replaced before the read began. A regular register
 * (Lamport 1986): while a change is under way a read may find it or not.
 */
export function wrongReads(changes: readonly Change[], reads: readonly Read[]): Read[] {
  return reads.filter(({ value, began, ended }) => {
    const from: readonly Change[] =
      value === NOTHING
        ? [
            { value, began: -Infinity, ended: -Infinity },
            ...changes.filter((c) => c.value === value),
          ]
        : changes.filter((c) => c.value === value);
    return !from.some(
      (source) =>
        source.began <= ended &&
        !changes.some(
          (later) =>
            later.ended !== undefined &&
            later.ended < began &&
            source.ended !== undefined &&
            later.began > source.ended,
        ),
    );
  });
}
