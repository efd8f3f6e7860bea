/**
 * One value out of what every worker said: numbers are added, objects merged by key, lists that
 * differ are joined; of anything else the first stands.
 */
export function merge(values: readonly unknown[]): unknown {
  const [first] = values;
  if (values.every((value) => typeof value === "number"))
    return values.reduce((total, value) => total + value, 0);
  if (values.every(isObject)) {
    const keys = new Set(values.flatMap((value) => Object.keys(value)));
    return Object.fromEntries(
      [...keys].map((key) => [
        key,
        merge(values.flatMap((value) => (Object.hasOwn(value, key) ? [value[key]] : []))),
      ]),
    );
  }
  if (values.every((value) => Array.isArray(value)))
    return values.every((value) => Bun.deepEquals(value, first)) ? first : values.flat();
  return first;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
