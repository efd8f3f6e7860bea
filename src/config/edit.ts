import { type Document, isSeq, parseDocument } from "yaml";

import { type Change, changed, firstChange } from "./editing/change.ts";
import { spliced } from "./editing/layout.ts";
import { wayOf } from "./editing/splices.ts";
import { type KeyPath, showPath } from "./key-path.ts";
import { isPlainList, isPlainMap, type Plain, samePlain } from "./plain.ts";
import { YAML_WORDS } from "./source.ts";

export type { Plain } from "./plain.ts";

/** One change of a config's text. Comments and everything around it stay as they are. */
export type Edit =
  /** Put a value there; maps on the way are made. */
  | { readonly kind: "set"; readonly path: KeyPath; readonly value: Plain }
  /** Take a key or an item away. Nothing happens when it is not there. */
  | { readonly kind: "remove"; readonly path: KeyPath }
  /** Put one more item at the end of a list; the list is made when there is none. */
  | { readonly kind: "append"; readonly path: KeyPath; readonly value: Plain };

/** A config as it is written, for those who want to change it. */
export interface Written {
  /** Undefined when nothing stands there. */
  at(path: KeyPath): Plain | undefined;
}

/** The values of a text that is good YAML. */
export function written(text: string): Written {
  const whole = valueOf(parse(text));
  return { at: (path) => at(whole, path) };
}

/**
 * A text with edits made to it, in their order. Only the characters that must change do: every
 * comment that is not on a line of its own value's stays, and so do order, quotes and brackets.
 * Throws Error, in words for the operator, when an edit makes no sense there or cannot be written.
 */
export function edit(text: string, edits: readonly Edit[]): string {
  let document = parse(text);
  let value = valueOf(document);
  const target = edits.reduce<Plain>((so, one) => applied(so, one), value);
  let now = text;
  for (let change; (change = firstChange(value, target));) {
    ({ text: now, document, value } = stepped(now, document, value, target, change));
  }
  return now;
}

/** The edits that lead from one text's values to another's. */
export function difference(from: string, to: string): Edit[] {
  let value = valueOf(parse(from));
  const target = valueOf(parse(to));
  const edits: Edit[] = [];
  for (let change; (change = firstChange(value, target));) {
    const one = editOf(change, value, target);
    edits.push(one);
    value = applied(value, one);
  }
  return edits;
}

interface State {
  readonly text: string;
  readonly document: Document;
  readonly value: Plain;
}

/** One change made in the text; the result is read again, so that what is said is what was meant. */
function stepped(
  text: string,
  document: Document,
  value: Plain,
  target: Plain,
  change: Change,
): State {
  const way = wayOf(document, text, change);
  if (way.kind === "write out") {
    const whole = at(target, way.path);
    if (whole === undefined || way.path.length >= change.path.length) throw refused(change.path);
    return stepped(text, document, value, target, {
      kind: "replace",
      path: way.path,
      value: whole,
    });
  }
  const wanted = changed(value, change);
  const spliceable = way.splices.length > 0 ? read(spliced(text, way.splices)) : undefined;
  if (spliceable && samePlain(spliceable.value, wanted)) return spliceable;
  const rewritten = read(rewrite(text, change) ?? "");
  if (rewritten && samePlain(rewritten.value, wanted)) return rewritten;
  throw refused(change.path);
}

function refused(path: KeyPath): Error {
  const name = showPath(path) || "the config";
  return new Error(
    `${name} cannot be changed where it is written: something else refers to it by an anchor (&, *); edit the file by hand`,
  );
}

/** The change made by the yaml package, which writes the whole text anew; comments stay, spacing may not. */
function rewrite(text: string, change: Change): string | undefined {
  const document = parse(text);
  const { path } = change;
  try {
    const home = document.getIn(path.slice(0, -1));
    if (change.kind === "remove") document.deleteIn(path);
    else if (change.kind === "insert" && isSeq(home))
      home.items.splice(Number(path.at(-1)), 0, document.createNode(change.value));
    else document.setIn(path, document.createNode(change.value));
    return document.toString({ lineWidth: 0 });
  } catch {
    return undefined; // an anchor that is gone and still named
  }
}

function read(text: string): State | undefined {
  try {
    const document = parse(text);
    return { text, document, value: valueOf(document) };
  } catch {
    return undefined;
  }
}

function parse(text: string): Document {
  const document = parseDocument(text, { ...YAML_WORDS, keepSourceTokens: true }) as Document;
  const [error] = document.errors;
  if (error) throw new Error(`the config is no good YAML: ${error.message}`);
  return document;
}

/** An empty text is an empty map. */
function valueOf(document: Document): Plain {
  return (document.toJS() as Plain | undefined) ?? {};
}

function at(value: Plain, path: KeyPath): Plain | undefined {
  let here: Plain | undefined = value;
  for (const key of path) {
    if (isPlainList(here)) here = here[Number(key)];
    else if (isPlainMap(here) && Object.hasOwn(here, key)) here = here[key];
    else return undefined;
  }
  return here;
}

/** A value with one edit made to it. */
function applied(value: Plain, one: Edit, depth = 0): Plain {
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
