import { closest } from "../core/suggest.ts";

/** A JSON Schema, as far as `key=value` needs it. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
}

/** One key of a form, for people. */
export interface Field {
  readonly key: string;
  readonly required: boolean;
  /** `text`, `number`, `up | down`. */
  readonly kind: string;
  readonly about: string;
}

/** Throws Error in words for the operator: not `key=value`, or no such key. */
export function inputOf(words: readonly string[], form: unknown): Record<string, unknown> {
  const fields = properties(form as Schema);
  const entries = words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw new Error(`expected key=value, got ${JSON.stringify(word)}`);
    const key = word.slice(0, at);
    const schemas = fields.get(key);
    if (schemas === undefined && fields.size > 0) {
      const meant = closest(key, [...fields.keys()]);
      const hint =
        meant === undefined
          ? `; it is ${[...fields.keys()].join(", ")}`
          : `; did you mean ${meant}?`;
      throw new Error(`no such key: ${key}${hint}`);
    }
    return [key, valueOf(word.slice(at + 1), schemas ?? [])] as const;
  });
  return Object.fromEntries(entries);
}

/** What a form takes. */
export function fieldsOf(form: unknown): Field[] {
  const all = alternatives(form as Schema);
  return [...properties(form as Schema)].map(([key, schemas]) => ({
    key,
    required: all.length > 0 && all.every((one) => one.required?.includes(key) ?? false),
    kind: kindOf(schemas),
    about: schemas.find(({ description }) => description !== undefined)?.description ?? "",
  }));
}

/** Every property that any branch has, with what each says of it. */
function properties(form: Schema): Map<string, Schema[]> {
  const found = new Map<string, Schema[]>();
  for (const { properties = {} } of alternatives(form))
    for (const [key, schema] of Object.entries(properties))
      found.set(key, [...(found.get(key) ?? []), ...alternatives(schema)]);
  return found;
}

function alternatives(schema: Schema): Schema[] {
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  if (branches.length === 0) return [schema];
  const { description } = schema;
  const inner = branches.flatMap(alternatives);
  return description === undefined ? inner : inner.map((one) => ({ description, ...one }));
}

function kindOf(schemas: readonly Schema[]): string {
  const words = schemas.flatMap(({ enum: options, const: only, type, items }) => {
    if (options) return options.map(String);
    if (only !== undefined) return [JSON.stringify(only)];
    const types = typeof type === "string" ? [type] : (type ?? ["value"]);
    return types.map((one) =>
      one === "array" ? `${kindOf([items ?? {}])},…` : (NAMES[one] ?? one),
    );
  });
  return [...new Set(words)].join(" | ");
}

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "number",
  boolean: "true | false",
  object: "JSON",
};

/** A text stays one wherever a text is taken. */
function valueOf(text: string, schemas: readonly Schema[]): unknown {
  const takes = (type: string): boolean =>
    schemas.some(({ type: own }) => own === type || (Array.isArray(own) && own.includes(type)));
  const listed = schemas.flatMap(
    ({ enum: options, const: only }) => options ?? (only === undefined ? [] : [only]),
  );
  const exact = listed.find((option) => String(option) === text);
  if (exact !== undefined) return exact;
  if (takes("string")) return text;
  if (takes("boolean") && /^(?:true|false)$/.test(text)) return text === "true";
  if ((takes("number") || takes("integer")) && text.trim() !== "" && !Number.isNaN(Number(text)))
    return Number(text);
  if (takes("array") && !text.startsWith("[")) {
    const items = schemas.flatMap(({ items }) => (items ? alternatives(items) : []));
    return text === "" ? [] : text.split(",").map((item) => valueOf(item, items));
  }
  if (takes("array") || takes("object"))
    try {
      return JSON.parse(text);
    } catch {
      return text; // what is wrong with it is said by the form's own check
    }
  return text;
}
