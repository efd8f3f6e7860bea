import type { KeyPath } from "../key-path.ts";
import { isPlainList, isPlainMap, type Plain, samePlain } from "../plain.ts";

/** The smallest things that can be done to a value. */
export type Change =
  | { readonly kind: "replace"; readonly path: KeyPath; readonly value: Plain }
  /** The last key of the path is new in its map, or its index in its list. */
  | { readonly kind: "insert"; readonly path: KeyPath; readonly value: Plain }
  | { readonly kind: "remove"; readonly path: KeyPath };

/** The first step on the way from `before` to `after`; undefined when they say the same. */
export function firstChange(before: Plain, after: Plain, path: KeyPath = []): Change | undefined {
  if (samePlain(before, after)) return undefined;
  if (isPlainMap(before) && isPlainMap(after)) {
    const gone = Object.keys(before).find((key) => !Object.hasOwn(after, key));
    if (gone !== undefined) return { kind: "remove", path: [...path, gone] };
    for (const [key, value] of Object.entries(after)) {
      const old = before[key];
      if (old === undefined) return { kind: "insert", path: [...path, key], value };
      const change = firstChange(old, value, [...path, key]);
      if (change) return change;
    }
  }
  if (isPlainList(before) && isPlainList(after)) return firstItem(before, after, path);
  return { kind: "replace", path, value: after };
}

function firstItem(before: readonly Plain[], after: readonly Plain[], path: KeyPath): Change {
  const first = before.findIndex((item, i) => !samePlain(item, after[i]));
  const i = first < 0 ? before.length : first;
  const [old, next] = [before[i], after[i]];
  if (next === undefined) return { kind: "remove", path: [...path, before.length - 1] };
  if (old === undefined) return { kind: "insert", path: [...path, i], value: next };
  if (before.length > after.length && !sameThing(old, next))
    return { kind: "remove", path: [...path, i] };
  if (before.length < after.length && !sameThing(old, next))
    return { kind: "insert", path: [...path, i], value: next };
  return (
    firstChange(old, next, [...path, i]) ?? { kind: "replace", path: [...path, i], value: next }
  );
}

/** What an item of a list is known by, so that one that changes is told from one that goes. */
export const NAMES: readonly string[] = ["name", "id", "address"];

function sameThing(a: Plain, b: Plain): boolean {
  if (!isPlainMap(a) || !isPlainMap(b)) return false;
  const name = NAMES.find((key) => Object.hasOwn(a, key));
  return name !== undefined && samePlain(a[name], b[name]);
}

/** `value` with a change made to it. The path is one that exists, all but the last key of an insert. */
export function changed(value: Plain, change: Change, depth = 0): Plain {
  const { path } = change;
  const key = path[depth];
  if (key === undefined) return change.kind === "remove" ? null : change.value;
  const last = depth === path.length - 1;
  if (isPlainList(value)) {
    const i = Number(key);
    if (last && change.kind === "remove") return value.toSpliced(i, 1);
    if (last && change.kind === "insert") return value.toSpliced(i, 0, change.value);
    return value.with(i, changed(value[i] ?? null, change, depth + 1));
  }
  const map = isPlainMap(value) ? value : {};
  if (last && change.kind === "remove") {
    const { [key]: _, ...rest } = map;
    return rest;
  }
  return { ...map, [key]: changed(map[key] ?? null, change, depth + 1) };
}
