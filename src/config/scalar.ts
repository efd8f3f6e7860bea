import * as v from "valibot";

/** What an editor is told of a value: a piece of JSON Schema. */
export type Form = Readonly<Record<string, unknown>>;

/** Thrown inside `read` to say more than what was expected; ends up in the problem's message. */
export class Refusal extends Error {}

/**
 * A value written as one word: `"5s"`, `10.0.0.1-10:8000`. `read` gives undefined for what it
 * cannot make sense of, which is then reported as `expected ..., got ...`; it throws a Refusal to
 * report something better. Numbers arrive as their text, since YAML reads `5` as one.
 */
export function scalar<T>(
  expected: string,
  read: (text: string) => T | undefined,
  form: Form = { type: "string" },
): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.unknown(),
    v.metadata({ description: sentence(expected), examples: examplesIn(expected), ...form }),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const input = dataset.value;
      const text = typeof input === "number" ? String(input) : input;
      try {
        const value = typeof text === "string" ? read(text) : undefined;
        if (value !== undefined) return value;
        addIssue({ expected });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        addIssue({ expected, message: error.message });
      }
      return NEVER;
    }),
  );
}

/** One value or a list of them: `listen: ":80"` is `listen: [":80"]`. Always a flat list. */
export function oneOrMany<T>(
  item: v.GenericSchema<unknown, T | readonly T[]>,
): v.GenericSchema<unknown, readonly T[]> {
  return v.pipe(
    v.union([v.array(item), item]),
    v.transform((value): readonly T[] =>
      Array.isArray(value) ? (value.flat() as T[]) : [value as T],
    ),
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** What an expectation has in quotes is how such values are written. */
function examplesIn(expected: string): string[] {
  return [...expected.matchAll(/"([^"]+)"/g)].map(([, example = ""]) => example);
}
