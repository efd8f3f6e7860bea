import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from "yaml";

import { type KeyPath, showPath } from "./key-path.ts";
import { Lines } from "./lines.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { Problem } from "./problem.ts";
import { MASK } from "./secret.ts";
import { secretsIn, type Span } from "./secrets-in.ts";

/** Where a problem is: at a key, or at the value behind it. */
export type Spot = "key" | "value";

/** Most columns of a line that an excerpt shows. */
const EXCERPT_WIDTH = 120;
/** An alias may multiply what it names; more than this is an attack or a mistake. */
const MAX_ALIASES = 100;

/** The text of a config, what it says, and where it says it. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly document: Document;
  readonly #lines: Lines;
  #secrets: readonly Span[] | undefined;

  constructor(text: string, file: string) {
    this.file = file;
    this.text = text;
    this.#lines = new Lines(text);
    this.document = parseYaml(text);
  }

  /** What the text says, as plain values; throws when aliases multiply it without bound. */
  value(): unknown {
    return this.document.toJS({ maxAliasCount: MAX_ALIASES });
  }

  /** A problem at an offset of the text. */
  problemAt(offset: number, path: KeyPath, message: string): Problem {
    const { line, column } = this.#lines.place(offset);
    const place = { file: this.file, line, column };
    const excerpt = this.#excerpt(line, column);
    return { ...place, path: showPath(path), message, excerpt };
  }

  /** A problem with the key or the value at a path, or with the nearest thing above it. */
  problem(path: KeyPath, spot: Spot, message: string, about: KeyPath = path): Problem {
    return this.problemAt(this.#offset(path, spot), about, message);
  }

  /** The line of an offset, from 1. */
  lineOf(offset: number): number {
    return this.#lines.place(offset).line;
  }

  #offset(path: KeyPath, spot: Spot): number {
    let node = this.document.contents as Node | null;
    let offset = startOf(node) ?? 0;
    for (const [depth, key] of path.entries()) {
      const found = step(this.document, node, key);
      if (found === undefined) return offset;
      const last = depth === path.length - 1;
      node = found.value;
      // Where nothing is written behind a key, the key is what there is to point at.
      const empty = isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
      const useKey = (last && spot === "key") || empty;
      offset = (useKey ? startOf(found.key) : startOf(node)) ?? startOf(found.key) ?? offset;
    }
    return offset;
  }

  #excerpt(line: number, column: number): string {
    const source = this.#lines.span(line);
    const before = this.#masked(source.start, source.start + column - 1).replaceAll("\t", " ");
    const whole =
      before + this.#masked(source.start + column - 1, source.end).replaceAll("\t", " ");
    if (whole === "") return "";
    const cut = whole.length > EXCERPT_WIDTH ? Math.max(0, before.length - EXCERPT_WIDTH / 2) : 0;
    const left = cut > 0 ? `…${whole.slice(cut + 1)}` : whole;
    const text = left.length > EXCERPT_WIDTH ? `${left.slice(0, EXCERPT_WIDTH - 1)}…` : left;
    return `  ${text.trimEnd()}\n  ${" ".repeat(before.length - cut)}^`;
  }

  /** The text from `start` to `end` with every secret in it replaced. */
  #masked(start: number, end: number): string {
    this.#secrets ??= secretsIn(this.document, this.text);
    let text = "";
    let at = start;
    for (const secret of this.#secrets) {
      if (secret.end <= at || secret.start >= end) continue;
      text += this.text.slice(at, Math.max(at, secret.start)) + MASK;
      at = Math.min(secret.end, end);
    }
    return text + this.text.slice(at, end);
  }
}

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | null;
}

/** One step down, through aliases and merge keys. */
function step(document: Document, from: Node | null, key: string | number): Found | undefined {
  const node = isAlias(from) ? from.resolve(document) : from;
  if (isSeq(node)) {
    const value = node.items[Number(key)] as Node | undefined;
    return value && { key: value, value };
  }
  if (!isMap(node)) return undefined;
  const pairs = node.items as Pair<Node, Node | null>[];
  const pair = pairs.find((pair) => keyOf(pair) === String(key));
  if (pair) return { key: pair.key, value: pair.value };
  for (const merged of pairs.filter((pair) => keyOf(pair) === "<<")) {
    const value = isAlias(merged.value) ? merged.value.resolve(document) : merged.value;
    for (const source of isSeq(value) ? (value.items as Node[]) : [value as Node | null]) {
      const found = step(document, source, key);
      if (found) return found;
    }
  }
  return undefined;
}

function keyOf(pair: Pair<Node, Node | null>): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function startOf(node: Node | null | undefined): number | undefined {
  return node?.range?.[0];
}
