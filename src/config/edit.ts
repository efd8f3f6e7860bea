import { type Document, isSeq, parseDocument } from "yaml";

import { type Change, changed, firstChange } from "./editing/change.ts";
import { applied, at, type Edit, editsBetween } from "./editing/edits.ts";
import { spliced } from "./editing/layout.ts";
import { rebased } from "./editing/rebase.ts";
import { wayOf } from "./editing/splices.ts";
import { type KeyPath, showPath } from "./key-path.ts";
import { parseYaml, YAML_WORDS } from "./parse-yaml.ts";
import { type Plain, samePlain } from "./plain.ts";

export type { Plain } from "./plain.ts";

export type { Edit } from "./editing/edits.ts";

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
  return editsBetween(valueOf(parse(from)), valueOf(parse(to)));
}

/**
 * A text with edits made to it that were made to another one, `base`: to the same things, wherever
 * they stand by now. Throws Error, in words for the operator, when one of them is not there any
 * more, or was changed otherwise meanwhile.
 */
export function editAlike(text: string, base: string, edits: readonly Edit[]): string {
  return edit(text, rebased(edits, valueOf(parse(base)), valueOf(parse(text))));
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
  const document = parseDocument(text, YAML_WORDS) as Document; // one of its own: it is changed
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
  return checked(parseYaml(text, { withTokens: true }));
}

function checked(document: Document): Document {
  const [error] = document.errors;
  if (error) throw new Error(`the config is no good YAML: ${error.message}`);
  return document;
}

/** An empty text is an empty map. */
function valueOf(document: Document): Plain {
  return (document.toJS() as Plain | undefined) ?? {};
}
