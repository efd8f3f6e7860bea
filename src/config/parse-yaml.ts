import { type Document, parseDocument } from "yaml";

/** YAML 1.2: `off` and `no` are words; tags of other schemas and keys that are no words are refused. */
export const YAML_WORDS = {
  prettyErrors: false,
  logLevel: "error",
  schema: "core",
  merge: true,
  resolveKnownTags: false,
  stringKeys: true,
} as const;

interface Parsed {
  readonly text: string;
  readonly withTokens: boolean;
  readonly document: WeakRef<Document>;
}

/** The text before a change and the one after it. */
const MOST = 2;
let recent: readonly Parsed[] = [];

/**
 * A config's text as YAML, for reading only: whoever comes next with the same text gets the same
 * document, since a change looks at each text several times in one go and parsing is what costs.
 * Nothing is kept from being collected. `withTokens`: with the places of commas, colons and dashes.
 */
export function parseYaml(text: string, { withTokens = false } = {}): Document {
  const known = recent.find((one) => one.text === text && (one.withTokens || !withTokens));
  const found = known?.document.deref();
  if (found) return found;
  const document = parseDocument(text, { ...YAML_WORDS, keepSourceTokens: withTokens }) as Document;
  const others = recent.filter((one) => one.text !== text).slice(0, MOST - 1);
  recent = [{ text, withTokens, document: new WeakRef(document) }, ...others];
  return document;
}
