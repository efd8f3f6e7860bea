import { parseDocument } from "yaml";

import { MASK } from "./secret.ts";
import { isSecretName, secretsIn } from "./secrets-in.ts";

/** In quotes, since a bare `***` would be an alias in YAML. */
const QUOTED = JSON.stringify(MASK);
const COMMENT = /(?:^|\s)#.*$/gm;
/** `name: value` where nothing parses it: in comments, and in a text that is no YAML. */
const LOOSE = /([\w-]+)(["']?[ \t]*[:=][ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s,{}[\]"'][^\s,}\]]*)/g;
const HASH = /\$(?:argon2\w*|2[aby]|scrypt|[156])\$[^\s"'}\]]+/g;

/**
 * The text of a config with every secret in it replaced, everything else as it was: comments,
 * order, spacing. References (`file:`, `env:`) stay, as they say where and not what.
 */
export function masked(text: string): string {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "error", merge: true });
  let out = "";
  let at = 0;
  for (const { start, end, whole } of secretsIn(document, text)) {
    if (start < at) continue;
    const lineEnd = text[end - 1] === "\n" ? "\n" : "";
    out += text.slice(at, start) + (whole ? QUOTED : MASK) + lineEnd;
    at = end;
  }
  out += text.slice(at);
  // What does not parse may hold secrets that were not found above.
  const rest = document.errors.length > 0 ? loosely(out) : out.replace(COMMENT, loosely);
  return rest.replace(HASH, MASK);
}

function loosely(text: string): string {
  return text.replace(LOOSE, (all, name: string, between: string, value: string) =>
    isSecretName(name) && !/^["']?(?:file|env):/.test(value) ? `${name}${between}${QUOTED}` : all,
  );
}
