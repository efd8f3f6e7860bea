import { type KeyPath, showPath } from "../key-path.ts";
import { isPlainList, isPlainMap, type Plain, samePlain } from "../plain.ts";
import { NAMES } from "./change.ts";
import { applied, at, type Edit } from "./edits.ts";

/**
 * Edits that were made to `from`, as they are to be made to `onto`: an item of a list is known by
 * its name, or by all that it says, not by its place. Throws Error when what was changed is gone
 * there, or was changed otherwise.
 */
export function rebased(edits: readonly Edit[], from: Plain, onto: Plain): Edit[] {
  let [ours, theirs] = [from, onto];
  return edits.flatMap((one) => {
    const moved = rebasedOne(one, ours, theirs);
    ours = applied(ours, one);
    if (moved === undefined) return [];
    theirs = applied(theirs, moved);
    return [moved];
  });
}

/** Undefined: it is so already. */
function rebasedOne(one: Edit, ours: Plain, theirs: Plain): Edit | undefined {
  const { path, kind } = one;
  const list = kind === "append" ? path : path.slice(0, -1);
  const place = placeIn(list, ours, theirs);
  if (place === undefined) {
    if (kind === "remove") return undefined; // with all that was around it
    throw gone(list);
  }
  if (kind === "append") {
    const count = (items: Plain | undefined): number =>
      isPlainList(items) ? items.filter((item) => samePlain(item, one.value)).length : 0;
    const known = count(at(theirs, place)) > count(at(ours, list));
    return known ? undefined : { ...one, path: place };
  }
  const there = placeIn(path, ours, theirs);
  const before = at(ours, path);
  const now = there && at(theirs, there);
  if (kind === "remove") {
    if (there === undefined || now === undefined) return undefined;
    if (!samePlain(now, before)) throw changed(path);
    return { ...one, path: there };
  }
  if (there === undefined && isPlainList(at(ours, list))) throw gone(path);
  if (samePlain(now, one.value)) return undefined;
  if (!samePlain(now, before)) throw changed(path);
  return { ...one, path: there ?? [...place, ...path.slice(-1)] };
}

/** The path by which `theirs` has what `ours` has at `path`; of a key that neither has, where it would be. */
function placeIn(path: KeyPath, ours: Plain, theirs: Plain): KeyPath | undefined {
  const found: (string | number)[] = [];
  let mine: Plain | undefined = ours;
  let their: Plain | undefined = theirs;
  for (const key of path) {
    const list = isPlainList(mine);
    // What stands above it is of another kind there.
    if (their !== undefined && (list ? !isPlainList(their) : isPlainList(their))) return undefined;
    const place: string | number | undefined =
      list && isPlainList(mine) && isPlainList(their) ? itemIn(their, mine, Number(key)) : key;
    if (place === undefined || (list && their === undefined)) return undefined;
    found.push(place);
    mine = mine === undefined ? undefined : at(mine, [key]);
    their = their === undefined ? undefined : at(their, [place]);
    if (their === undefined && mine !== undefined && (isPlainMap(mine) || isPlainList(mine)))
      return undefined;
  }
  return found;
}

/** Where `theirs` has the item that `ours` has at `index`. */
function itemIn(
  theirs: readonly Plain[],
  ours: readonly Plain[],
  index: number,
): number | undefined {
  const item = ours[index];
  if (item === undefined) return undefined;
  const same = theirs.findIndex((other) => samePlain(other, item));
  if (same >= 0) return samePlain(theirs[index], item) ? index : same;
  const name = nameOf(item);
  if (name === undefined) return undefined;
  const named = theirs.flatMap((other, i) => (nameOf(other) === name ? [i] : []));
  return named.length === 1 ? named[0] : undefined;
}

/** What an item is known by: `10.0.0.1:80` is the address of one that says nothing else. */
function nameOf(item: Plain): string | undefined {
  if (typeof item === "string") return item;
  if (!isPlainMap(item)) return undefined;
  const key = NAMES.find((one) => Object.hasOwn(item, one));
  const name = key === undefined ? undefined : item[key];
  return typeof name === "string" ? name : undefined;
}

function gone(path: KeyPath): Error {
  return new Error(`${showPath(path)} is not there any more`);
}

function changed(path: KeyPath): Error {
  return new Error(`${showPath(path)} was changed there too`);
}
