/** Lines around a difference that are shown with it. */
const CONTEXT = 3;
/** Beyond this many lines that differ, the rest is taken as replaced: nobody reads it line by line. */
const MOST_EDITS = 1000;

/** A line of the old text, of the new, or of both. */
interface Step {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

/**
 * The differences of two texts as `diff -u` prints them; "" when there are none. `shown` is how a
 * line is written: what it hides is compared all the same.
 */
export function unifiedDiff(
  before: string,
  after: string,
  names: readonly [string, string],
  shown: (line: string) => string = (line) => line,
): string {
  if (before === after) return "";
  const steps = stepsBetween(linesOf(before), linesOf(after));
  const hunks = hunksOf(steps).map((hunk) => showHunk(hunk, shown));
  return [`--- ${names[0]}`, `+++ ${names[1]}`, ...hunks, ""].join("\n");
}

/** Marks a last line that has no end, as diff does. */
const NO_END = "\n\\ No newline at end of file";

function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, last + NO_END];
}

/** The shortest way from one list of lines to the other (Myers, 1986), its ends being equal cut off. */
function stepsBetween(a: readonly string[], b: readonly string[]): Step[] {
  let top = 0;
  while (top < a.length && top < b.length && a[top] === b[top]) top++;
  let bottom = 0;
  const least = Math.min(a.length, b.length) - top;
  while (bottom < least && a[a.length - 1 - bottom] === b[b.length - 1 - bottom]) bottom++;
  const both = (lines: readonly string[]): Step[] => lines.map((line) => ({ kind: " ", line }));
  return [
    ...both(a.slice(0, top)),
    ...myers(a.slice(top, a.length - bottom), b.slice(top, b.length - bottom)),
    ...both(a.slice(a.length - bottom)),
  ];
}

function myers(a: readonly string[], b: readonly string[]): Step[] {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  /** For each diagonal x - y (at index + most + 1), the furthest x that so many edits reach. */
  const furthest = new Int32Array(2 * most + 3);
  const past: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    past.push(furthest.slice());
    for (let k = -edits; k <= edits; k += 2) {
      const at = k + most + 1;
      const down = k === -edits || (k !== edits && furthest[at - 1]! < furthest[at + 1]!); // in range
      let x = down ? furthest[at + 1]! : furthest[at - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[at] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, past, most);
    }
  }
  return [
    ...a.map((line): Step => ({ kind: "-", line })),
    ...b.map((line): Step => ({ kind: "+", line })),
  ];
}

function walkBack(
  a: readonly string[],
  b: readonly string[],
  past: readonly Int32Array[],
  most: number,
): Step[] {
  const steps: Step[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = past.length - 1; edits >= 0; edits--) {
    const furthest = past[edits] ?? new Int32Array();
    const k = x - y;
    const at = k + most + 1;
    const down = k === -edits || (k !== edits && furthest[at - 1]! < furthest[at + 1]!); // in range
    const fromK = down ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : furthest[fromK + most + 1]!; // in range
    const fromY = edits === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      steps.push({ kind: " ", line: a[x - 1] ?? "" });
      x--;
      y--;
    }
    if (edits === 0) break;
    steps.push(down ? { kind: "+", line: b[y - 1] ?? "" } : { kind: "-", line: a[x - 1] ?? "" });
    if (down) y--;
    else x--;
  }
  return steps.toReversed();
}

interface Hunk {
  readonly oldStart: number;
  readonly newStart: number;
  readonly steps: Step[];
}

function hunksOf(steps: readonly Step[]): Hunk[] {
  const hunks: Hunk[] = [];
  let current: Hunk | undefined;
  let [oldLine, newLine, quiet] = [1, 1, 0];
  for (const [i, step] of steps.entries()) {
    if (step.kind !== " " && !current) {
      const lead = steps.slice(Math.max(0, i - CONTEXT), i).filter(({ kind }) => kind === " ");
      const around = lead.slice(-Math.min(CONTEXT, quiet));
      current = {
        oldStart: oldLine - around.length,
        newStart: newLine - around.length,
        steps: [...around],
      };
      hunks.push(current);
      quiet = 0;
    }
    if (step.kind === " ") quiet++;
    else quiet = 0;
    current?.steps.push(step);
    if (current && quiet > 2 * CONTEXT) {
      current.steps.length -= quiet - CONTEXT;
      current = undefined;
    }
    if (step.kind !== "+") oldLine++;
    if (step.kind !== "-") newLine++;
  }
  if (current && quiet > CONTEXT) current.steps.length -= quiet - CONTEXT;
  return hunks;
}

function showHunk({ oldStart, newStart, steps }: Hunk, shown: (line: string) => string): string {
  const count = (not: Step["kind"]): number => steps.filter(({ kind }) => kind !== not).length;
  const range = (start: number, lines: number): string =>
    lines === 1 ? `${start}` : `${lines === 0 ? start - 1 : start},${lines}`;
  const head = `@@ -${range(oldStart, count("+"))} +${range(newStart, count("-"))} @@`;
  return [head, ...steps.map(({ kind, line }) => kind + shown(line))].join("\n");
}
