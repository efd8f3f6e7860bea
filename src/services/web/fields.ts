/** Which header fields a file is sent with, by its path: what the config says, decided once per file. */
import { extensionOf, typeOf } from "../../wire/http/mime.ts";
import type { SiteConfig } from "./config.ts";

export type Field = readonly [name: string, value: string];

export interface FieldSet {
  readonly type: string;
  /** All but the type, what caching needs, and what depends on the coding. */
  readonly fields: readonly Field[];
  /** Milliseconds for Cache-Control: max-age and Expires; undefined when the config says nothing. */
  readonly maxAge: number | undefined;
}

type Rules = Pick<
  SiteConfig,
  "headers" | "path_headers" | "early_hints" | "expires" | "mime_types" | "charset" | "index"
>;

/** Fields for files by their URL path. */
export function fieldRules(rules: Rules): (path: string) => FieldSet {
  // Shorter prefixes first, so that longer ones have the last word.
  const byPrefix = Object.entries(rules.path_headers).sort(([a], [b]) => a.length - b.length);
  const hasExpires = Object.keys(rules.expires).length > 0;

  return (path) => {
    const fields = new Map<string, Field>();
    const put = (name: string, value: string): void => {
      fields.set(name.toLowerCase(), [name, value]);
    };
    for (const [name, value] of Object.entries(rules.headers)) put(name, value);
    const maxAge = hasExpires ? expiryOf(path, rules.expires) : undefined;
    if (maxAge !== undefined) fields.delete("cache-control");
    for (const [prefix, more] of byPrefix) {
      if (!path.startsWith(prefix)) continue;
      for (const [name, value] of Object.entries(more)) put(name, value);
    }
    const own = fields.get("content-type");
    fields.delete("content-type");
    const links = hintsFor(path, rules);
    const list = [...fields.values(), ...links.map((link): Field => ["Link", link])];
    return {
      type: own?.[1] ?? contentType(path, rules),
      fields: list,
      maxAge: fields.has("cache-control") ? undefined : maxAge,
    };
  };
}

/** Link values for a file, named in the config by its own path or, for an index, by its directory's. */
export function hintsFor(
  path: string,
  rules: Pick<Rules, "early_hints" | "index">,
): readonly string[] {
  const { early_hints: hints, index } = rules;
  const own = hints[path];
  if (own) return own;
  const slash = path.lastIndexOf("/") + 1;
  return index.includes(path.slice(slash)) ? (hints[path.slice(0, slash)] ?? []) : [];
}

function expiryOf(path: string, expires: Readonly<Record<string, number>>): number | undefined {
  const extension = extensionOf(path);
  return Object.hasOwn(expires, extension) ? expires[extension] : expires["*"];
}

/** The table's charset is UTF-8; another one, or none, is the operator's word. */
function contentType(path: string, { mime_types: types, charset }: Rules): string {
  const full = typeOf(path, types);
  if (!full.startsWith("text/")) return full;
  const extension = extensionOf(path);
  const written = Object.hasOwn(types, extension) ? types[extension] : undefined;
  if (written?.includes(";")) return written;
  const bare = full.split(";", 1)[0] ?? full;
  return charset === null ? bare : `${bare}; charset=${charset}`;
}
