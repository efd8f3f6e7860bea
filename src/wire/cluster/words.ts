/** Something that one node tells the others, so many milliseconds ago. */
export interface Word {
  readonly text: string;
  readonly ago: number;
}

/** Words in the order they were said; the first is the `first`th that its node ever said there. */
export interface Words {
  readonly first: number;
  readonly words: readonly Word[];
}

/** Characters of the longest text that is read. */
const MAX_WORDS = 512 * 1024;

/** As text: a JSON array of the first one's number, and `[text, ago]` of each. */
export function emitWords({ first, words }: Words): string {
  return JSON.stringify([first, words.map(({ text, ago }) => [text, Math.round(ago)])]);
}

/** Read it. Undefined: it is something else. */
export function parseWords(text: string): Words | undefined {
  if (text.length > MAX_WORDS) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [first, all]: unknown[] = value;
  if (!isCount(first) || !Array.isArray(all)) return undefined;
  const words = all.map(wordOf);
  return words.every((one) => one !== undefined) ? { first, words } : undefined;
}

function wordOf(value: unknown): Word | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [text, ago]: unknown[] = value;
  return typeof text === "string" && isCount(ago) ? { text, ago } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
