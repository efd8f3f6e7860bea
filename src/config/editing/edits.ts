import { type KeyPath, showPath } from "../key-path.ts";
import { isPlainList, isPlainMap, type Plain } from "../plain.ts";
import { type Change, firstChange } from "./change.ts";

/** One change of a config's text. Comments and everything around it stay as they are. */
export type Edit =
  /** Put a value there; maps on the way are made. */
  | { readonly kind: "set"; readonly path: KeyPath; readonly value: Plain }
  /** Take a key or an item away. Nothing happens when it is not there. */
  | { readonly kind: "remove"; readonly path: KeyPath }
  /** Put one more item at the end of a list; the list is made when there is none. */
  | { readonly kind: "append"; readonly path: KeyPath; readonly value: Plain };

/** The smallest edits that lead from one value to another. */
export function editsBetween(from: Plain, to: Plain): Edit[] {
  let value = from;
  const edits: Edit[] = [];
  for (let change; (change = firstChange(value, to));) {
    const one = editOf(change, value, to);
    edits.push(one);
    value = applied(value, one);
  }
  return edits;
}

/** What stands at a path; undefined when nothing does. */
export function at(value: Plain, path: KeyPath): Plain | undefined {
  let here: Plain | undefined = value;
  for (const key of path) {
    if (isPlainList(here)) here = here[Number(key)];
    else if (isPlainMap(here) && Object.hasOwn(here, key)) here = here[key];
    else return undefined;
  }
  return here;
}

/** A value with one edit made to it. Throws Error, in words, when it makes no sense there. */
export function applied(value: Plain, one: Edit, depth = 0): Plain {
  const { path, kind } = one;
  const key = path[depth];
  if (key === undefined) {
    if (kind === "set") return one.value;
    if (kind === "remove") return {};
    if (isPlainList(value)) return [...value, one.value];
    if (value === null || (isPlainMap(value) && Object.keys(value).length === 0))
      return [one.value];
    throw new Error(`${showPath(path)} is no list`);
  }
  const last = depth === path.length - 1;
  if (isPlainList(value)) {
    const i = Number(key);
    const item = value[i];
    if (item === undefined && kind === "remove") return value;
    if (!Number.isInteger(i) || i < 0 || i > value.length)
      throw new Error(`${showPath(path.slice(0, depth + 1))} is not there`);
    if (last && kind === "remove") return value.toSpliced(i, 1);
    return value.toSpliced(i, 1, applied(item ?? {}, one, depth + 1));
  }
  if (!isPlainMap(value) && value !== null) {
    if (kind === "remove") return value;
    throw new Error(`${showPath(path.slice(0, depth))} is no map`);
  }
  const map = value ?? {};
  const old = Object.hasOwn(map, key) ? map[key] : undefined;
  if (kind === "remove") {
    if (old === undefined) return value;
    const { [key]: _, ...rest } = map;
    return last ? rest : { ...map, [key]: applied(old, one, depth + 1) };
  }
  return { ...map, [key]: applied(old ?? {}, one, depth + 1) };
}

function editOf(change: Change, value: Plain, target: Plain): Edit {
  const { kind, path } = change;
  if (kind === "remove") return { kind, path };
  const home = path.slice(0, -1);
  const list = at(value, home);
  if (kind === "replace" || !isPlainList(list)) return { kind: "set", path, value: change.value };
  if (path.at(-1) === list.length) return { kind: "append", path: home, value: change.value };
  return { kind: "set", path: home, value: at(target, home) ?? [] }; // somewhere in the middle
}
