import { type Document, isAlias, isCollection, isMap, isScalar, visit } from "yaml";

import { parseReference } from "./secret.ts";

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
const HASH = /^["']?\$(?:argon2|2[aby]\$|scrypt|[156]\$)/;
const CREDENTIALS = /^(["']?[a-z][a-z0-9+.-]*:\/\/[^/@\s]*?:)([^/@\s]+)@/i;

/** Does a value under this key count as a secret? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Where a document holds secrets, in the order of the text: values of keys named like one,
 * password hashes wherever they are, passwords in URLs. References (`file:`, `env:`) are none,
 * nor is the path of a certificate's key.
 */
export function secretsIn(document: Document, text: string): Span[] {
  const spans = new Map<number, Span>();

  const hide = (node: unknown): void => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isCollection(target)) {
      for (const item of target.items) hide(isPairLike(item) ? item.value : item);
    } else if (isScalar(target) && target.range && target.value !== null) {
      const [start, end] = target.range;
      if (!isReference(target.value)) spans.set(start, { start, end, whole: true });
    }
  };

  visit(document, {
    Map(_, map) {
      for (const { key, value } of map.items) {
        const name = isScalar(key) ? String(key.value) : "";
        const path = name === "key" && map.has("cert");
        if (isSecretName(name) && !path) hide(value);
        // `users: { kim: HASH }`, as against a list of users with names.
        if (name === "users" && isMap(value))
          for (const user of value.items) if (isScalar(user.value)) hide(user.value);
      }
    },
    Scalar(_, scalar) {
      if (!scalar.range) return;
      const [start, end] = scalar.range;
      const source = text.slice(start, end);
      if (HASH.test(source)) hide(scalar);
      const [, before, password] = CREDENTIALS.exec(source) ?? [];
      if (before === undefined || password === undefined || spans.has(start)) return;
      const at = start + before.length;
      spans.set(at, { start: at, end: at + password.length, whole: false });
    },
  });
  return [...spans.values()].toSorted((a, b) => a.start - b.start);
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && parseReference(value) !== undefined;
}

function isPairLike(item: unknown): item is { value: unknown } {
  return typeof item === "object" && item !== null && "value" in item && "key" in item;
}
