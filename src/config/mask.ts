import { parseDocument } from "yaml";

import { MASK } from "./secret.ts";
import { secretsIn } from "./secrets-in.ts";

/** In quotes, since a bare `***` would be an alias in YAML. */
const QUOTED = JSON.stringify(MASK);

/**
 * The text of a config with every secret in it replaced, everything else as it was: comments,
 * order, spacing. References (`file:`, `env:`) stay, as they say where and not what. `trace` is put
 * behind each mask: it tells one secret from another without telling the secret.
 */
export function masked(text: string, trace: (secret: string) => string = () => ""): string {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "error", merge: true });
  let out = "";
  let at = 0;
  for (const { start, end, whole } of secretsIn(document, text)) {
    const lineEnd = text[end - 1] === "\n" ? "\n" : "";
    out +=
      text.slice(at, start) + (whole ? QUOTED : MASK) + trace(text.slice(start, end)) + lineEnd;
    at = end;
  }
  return out + text.slice(at);
}
