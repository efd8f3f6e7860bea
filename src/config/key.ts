import * as v from "valibot";

/** A key of a section: how it is read, what it is when absent (as an operator would write it), what it is for. */
export function key<T>(
  schema: v.GenericSchema<unknown, T>,
  absent: object | string | number | boolean | null,
  about: string,
) {
  return v.optional(v.pipe(schema, v.description(about)), absent);
}

/** Where in `input` the issue of a check across keys is, as valibot wants it told. */
export function pathTo(
  input: unknown,
  ...steps: readonly [string | number, ...(string | number)[]]
): [v.IssuePathItem, ...v.IssuePathItem[]] {
  let at = input;
  return steps.map((step) => {
    const item = { type: "unknown" as const, origin: "value" as const, input: at, key: step };
    const value: unknown = Reflect.get(Object(at), step);
    at = value;
    return { ...item, value };
  }) as [v.IssuePathItem, ...v.IssuePathItem[]]; // as many as there are steps
}

/** A key that may be left out, and then is nothing. */
export function maybe<T>(schema: v.GenericSchema<unknown, T>, about: string) {
  return v.optional(v.pipe(schema, v.description(about)));
}
