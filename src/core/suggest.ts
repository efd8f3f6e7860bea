/** The word most probably meant; undefined when none is near. Case does not count. */
export function closest(word: string, words: Iterable<string>): string | undefined {
  const asked = word.toLowerCase();
  let nearest = Number.POSITIVE_INFINITY;
  let best: string | undefined;
  for (const candidate of words) {
    const far = distance(asked, candidate.toLowerCase());
    // One slip in three letters: more, and the suggestion is a guess.
    if (far >= nearest || far > Math.max(asked.length, candidate.length) / 3) continue;
    nearest = far;
    best = candidate;
  }
  return best;
}

/** Letters added, dropped, changed, or swapped with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(before, j - 2) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return at(above, b.length);
}

function at(row: readonly number[], i: number): number {
  return row[i] ?? 0;
}
