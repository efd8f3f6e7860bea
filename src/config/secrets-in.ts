import { type Document, isAlias, isCollection, isMap, isPair, isScalar } from "yaml";

import { parseReference } from "./secret.ts";
import { walk } from "./walk.ts";

/** A run of characters in the text, `end` behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** A whole value, not just a part of one. */
  readonly whole: boolean;
}

const SECRET_NAME = new RegExp(
  [
    "(?:^|[-_])(?:password|passwd|passphrase|secret|token|psk)s?$",
    "(?:^|[-_])(?:access|secret|private|api)[-_]?keys?$",
    "^(?:key|authorization|cookie)$",
  ].join("|"),
  "i",
);
const COMMENT = /(?:^|\s)#.*$/gm;
/** `name: value` where nothing parses it: in comments, and in a text that is no YAML. */
const LOOSE = /([\w-]+)["']?[ \t]*[:=][ \t]*("[^"\n]*"?|'[^'\n]*'?|[^\s,{}[\]"'][^\s,}\]]*)/g;
const HASH = /\$(?:argon2\w*|2[aby]|scrypt|g?y|[1567])\$[^\s"'}\]]+/g;
/** A password may have an "@" itself: URLs go by the last one. */
const CREDENTIALS = /\b[a-z][a-z0-9+.-]*:\/\/[^/@\s]*?:([^/@\s]+(?:@[^/@\s"',{}[\]]+)*)@/gi;

/** Does a value under this key count as a secret? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Where a text holds secrets, in order and without overlap: values of keys named like one, in
 * comments too, and password hashes and passwords in URLs wherever they are. References (`file:`,
 * `env:`) are none, nor is the path of a certificate's key. `document` is the text as YAML.
 */
export function secretsIn(document: Document, text: string): Span[] {
  const spans = [
    ...valuesOf(document),
    ...everywhere(HASH, text),
    ...everywhere(CREDENTIALS, text),
  ];
  // What does not parse may hold secrets that are no values.
  if (document.errors.length > 0) spans.push(...loose(text, 0));
  else
    for (const { 0: comment, index } of text.matchAll(COMMENT))
      spans.push(...loose(comment, index));
  let end = 0;
  return spans
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
    .filter((span) => span.start >= end && ((end = span.end), true));
}

function* valuesOf(document: Document): Generator<Span> {
  const seen = new Set<unknown>();
  for (const { node } of walk(document)) {
    if (isScalar(node) && typeof node.value === "string" && isHash(node.value))
      yield* scalarsOf(document, node, seen);
    if (!isMap(node)) continue;
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "";
      const isPath = name === "key" && node.has("cert");
      // `users: { kim: HASH }`, as against a list of users with names.
      const isUsers = name === "users" && isMap(value);
      if (isSecretName(name) && !isPath) yield* scalarsOf(document, value, seen);
      if (isUsers)
        for (const user of value.items)
          if (isScalar(user.value)) yield* scalarsOf(document, user.value, seen);
    }
  }
}

/** `seen`: collections that were here before. Aliases lead there again and again, and round in circles. */
function* scalarsOf(document: Document, node: unknown, seen: Set<unknown>): Generator<Span> {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isCollection(target)) {
    if (seen.has(target)) return;
    seen.add(target);
    for (const item of target.items)
      yield* scalarsOf(document, isPair(item) ? item.value : item, seen);
  } else if (isScalar(target) && target.range && target.value !== null) {
    const [start, end] = target.range;
    if (!isReference(target.value)) yield { start, end, whole: true };
  }
}

function* everywhere(pattern: RegExp, text: string): Generator<Span> {
  for (const match of text.matchAll(pattern)) {
    // What is secret is the group, or all of the match when there is none; it stands at its end.
    const secret = match[1] ?? match[0];
    const start = match.index + match[0].lastIndexOf(secret);
    yield { start, end: start + secret.length, whole: false };
  }
}

function* loose(text: string, offset: number): Generator<Span> {
  for (const match of text.matchAll(LOOSE)) {
    const [all, name = "", value = ""] = match;
    if (!isSecretName(name) || isReference(value.replace(/^["']/, ""))) continue;
    const end = offset + match.index + all.length;
    yield { start: end - value.length, end, whole: true };
  }
}

function isHash(text: string): boolean {
  return text.search(HASH) === 0;
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && parseReference(value) !== undefined;
}
