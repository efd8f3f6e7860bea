import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from "yaml";

import { NAMES } from "./editing/change.ts";
import { inline } from "./editing/emit.ts";
import { type Splice, spliced } from "./editing/layout.ts";
import { keyOf, pairs } from "./editing/place.ts";
import type { KeyPath } from "./key-path.ts";
import { masked } from "./mask.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { Problem } from "./problem.ts";
import { MASK } from "./secret.ts";
import { Source } from "./source.ts";

export type Unmasked =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const NOTHING_HERE = `${MASK} stands for a secret, and there is none here: write it out`;
/** A mask inside of a value: the password of a URL. */
const MASKED_URL = /:\/\/[^/@\s]*?:\*\*\*@/;
const COMMENT = /(?:^|\s)#.*$/gm;

/**
 * The secrets of `running` put back where `text` has masks: at the same place, an item of a list
 * being known by its name, else by what it says. A mask where there is no secret is a problem. What
 * is no YAML stays as it is; the loader says what is wrong with it.
 */
export function unmask(text: string, running: string, file: string): Unmasked {
  if (!text.includes(MASK)) return { ok: true, text };
  const source = attempt(() => new Source(text, file));
  if (source === undefined || source.document.errors.length > 0) return { ok: true, text };
  const known = new Known(running);
  const splices: Splice[] = [];
  const problems: Problem[] = [];
  for (const leaf of leaves(source.document.contents as Node | null, false)) {
    const value: unknown = leaf.node.value;
    if (typeof value !== "string" || !value.includes(MASK)) continue;
    const [start = 0, end = 0] = leaf.node.range ?? [];
    const found = known.at(source.document, leaf.path);
    if (found !== undefined && found.shown === value) {
      if (found.value !== value) splices.push({ start, end, text: sourceOf(found, leaf.flow) });
    } else if (value === MASK || MASKED_URL.test(value)) {
      problems.push(source.problem(leaf.path, "value", NOTHING_HERE));
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, text: spliced(text, [...splices, ...comments(source, running)]) };
}

interface Secret {
  /** As the masked text has it. */
  readonly shown: unknown;
  readonly value: unknown;
  /** As it is written. */
  readonly written: string;
  readonly flow: boolean;
}

/** The running text, seen and unseen. */
class Known {
  readonly #shown: Document;
  readonly #real: Document;
  readonly #text: string;

  constructor(running: string) {
    this.#text = running;
    this.#real = parseYaml(running);
    this.#shown = parseYaml(masked(running));
  }

  /** What stands where `path` leads to in `document`, which may have moved. */
  at(document: Document, path: KeyPath): Secret | undefined {
    let theirs = document.contents as Node | null | undefined;
    let ours = this.#shown.contents as Node | null | undefined;
    let real = this.#real.contents as Node | null | undefined;
    let flow = false;
    for (const key of path) {
      if (!ours || !real) return undefined;
      flow ||= isFlow(real);
      const at = isSeq(theirs) && isSeq(ours) ? itemFor(theirs, Number(key), ours) : key;
      if (at === undefined) return undefined;
      theirs = child(theirs, key);
      ours = child(ours, at);
      real = child(real, at);
    }
    if (!isScalar(ours) || !isScalar(real)) return undefined;
    const [start = 0, end = 0] = real.range ?? [];
    return {
      shown: ours.value,
      value: real.value,
      written: this.#text.slice(start, end),
      flow: flow || real.type !== "PLAIN",
    };
  }
}

/** As it was written, where that still says the same. */
function sourceOf({ value, written, flow }: Secret, inFlow: boolean): string {
  const oneLine = !/[\n\r]/.test(written) && !/^[|>]/.test(written);
  return oneLine && (flow || !inFlow) ? written : inline(value as string, { json: false });
}

interface Leaf {
  readonly node: { readonly value: unknown; readonly range?: readonly number[] | null };
  readonly path: KeyPath;
  /** Between brackets. */
  readonly flow: boolean;
}

function* leaves(node: Node | null, flow: boolean, path: KeyPath = []): Generator<Leaf> {
  if (isScalar(node)) yield { node, path, flow };
  const inside = flow || isFlow(node);
  if (isMap(node))
    for (const pair of pairs(node)) yield* leaves(pair.value, inside, [...path, keyOf(pair) ?? ""]);
  if (isSeq(node))
    for (const [i, item] of node.items.entries()) yield* leaves(item as Node, inside, [...path, i]);
}

function isFlow(node: Node | null | undefined): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function child(node: Node | null | undefined, key: string | number): Node | null | undefined {
  if (isSeq(node)) return node.items[Number(key)] as Node | undefined;
  if (isMap(node)) return pairs(node).find((pair) => keyOf(pair) === String(key))?.value;
  return undefined;
}

/** Which item of `ours` is the one at `index` of `theirs`? Never another one's secret. */
function itemFor(
  theirs: { readonly items: readonly unknown[] },
  index: number,
  ours: { readonly items: readonly unknown[] },
): number | undefined {
  const item = theirs.items[index] as Node;
  const name = nameOf(item);
  const by = (test: (other: Node) => boolean): number | undefined => {
    const found = ours.items.flatMap((other, i) => (test(other as Node) ? [i] : []));
    return found.length === 1 ? found[0] : undefined;
  };
  if (name !== undefined) return by((other) => nameOf(other) === name);
  const same = ours.items[index] as Node | undefined;
  const said = plainOf(item);
  if (same && plainOf(same) === said) return index;
  return theirs.items.length === ours.items.length && same && nameOf(same) === undefined
    ? index
    : by((other) => plainOf(other) === said);
}

function nameOf(node: Node): string | undefined {
  if (!isMap(node)) return undefined;
  const key = NAMES.find((one) => node.has(one));
  return key === undefined ? undefined : `${key} ${JSON.stringify(node.get(key))}`;
}

function plainOf(node: Node): string {
  return isAlias(node) ? `*${node.source}` : JSON.stringify(node);
}

/** Comments that were masked, as they were. */
function comments({ text, document }: Source, running: string): Splice[] {
  const real = running.split("\n");
  const shown = masked(running).split("\n");
  // A secret that takes several lines shifts what is below it: then comments stay masked.
  if (real.length !== shown.length) return [];
  const known = new Map<string, string[]>();
  for (const [i, line] of shown.entries()) {
    const [, comment] = splitComment(line);
    const [, was] = splitComment(real[i] ?? "");
    if (comment === undefined || was === undefined || comment === was) continue;
    known.set(comment, [...(known.get(comment) ?? []), was]);
  }
  const values = [...leaves(document.contents as Node | null, false)].map(({ node }) => node.range);
  const splices: Splice[] = [];
  for (const { 0: found, index } of text.matchAll(COMMENT)) {
    const start = index + found.indexOf("#");
    const inValue = values.some((range) => range && range[0]! < start && start < range[1]!); // a pair
    const comment = text.slice(start, index + found.length);
    const was = inValue ? undefined : known.get(comment)?.shift();
    if (was !== undefined) splices.push({ start, end: start + comment.length, text: was });
  }
  return splices;
}

function splitComment(line: string): [string, string?] {
  const at = /(?:^|\s)#/.exec(line);
  if (!at) return [line];
  const start = at.index + at[0].length - 1;
  return [line.slice(0, start), line.slice(start)];
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined; // brackets without end: the loader tells
  }
}
