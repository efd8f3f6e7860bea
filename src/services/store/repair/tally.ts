/** What a look at some names has found, and what was done about it. */
export interface Tally {
  /** Names looked at. */
  names: number;
  /** Bytes of data read to verify them. */
  read: number;
  /** Copies that were missing, older than others, or unclear. */
  lacking: number;
  /** Copies whose record was right and whose bytes were not. */
  damaged: number;
  /** Copies made whole. */
  mended: number;
  /** Bytes of those copies; with a dry run, of those that would be made. */
  moved: number;
  /** Copies that are still owed. */
  owed: number;
  /** Names of which no whole copy can be had. */
  lost: number;
  /** Copies where none belongs, and how many of them were removed. */
  strays: number;
  cleared: number;
  /** Deletions that nobody has to remember any more. */
  forgotten: number;
}

export function emptyTally(): Tally {
  return {
    names: 0,
    read: 0,
    lacking: 0,
    damaged: 0,
    mended: 0,
    moved: 0,
    owed: 0,
    lost: 0,
    strays: 0,
    cleared: 0,
    forgotten: 0,
  };
}

/** Add `more` to `tally`. */
export function add(tally: Tally, more: Readonly<Tally>): void {
  for (const key of Object.keys(tally) as (keyof Tally)[]) tally[key] += more[key];
}
