/** Plain JSON, as YAML writes it: what stands in the file, before any schema has read it. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainMap;

/** A map of such values. */
export type PlainMap = { readonly [key: string]: Plain };

export function isPlainMap(value: Plain | undefined): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPlainList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Do both say the same? The order of keys says nothing. */
export function samePlain(a: Plain | undefined, b: Plain | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (isPlainList(a) && isPlainList(b))
    return a.length === b.length && a.every((item, i) => samePlain(item, b[i]));
  if (!isPlainMap(a) || !isPlainMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && samePlain(a[key], b[key]))
  );
}
