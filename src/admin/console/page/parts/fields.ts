import type { Plain } from "../state/answers.ts";

/** One field of a form, made of a property of a JSON Schema. */
export interface Field {
  readonly name: string;
  readonly about: string;
  readonly required: boolean;
  /** `json` is whatever has no field of its own. */
  readonly kind: "text" | "number" | "yes-no" | "choice" | "list" | "json";
  /** Of `choice`. */
  readonly choices: readonly string[];
  /** As the schema says; "" for none. */
  readonly fallback: string;
}

/** The fields of an object's schema. `without` are known already. */
export function fieldsOf(schema: Plain, without: readonly string[] = []): Field[] {
  const properties = asObject(schema["properties"]);
  const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
  return Object.entries(properties)
    .filter(([name]) => !without.includes(name))
    .map(([name, property]) => field(name, asObject(property), required.includes(name)));
}

/** What was typed, as the input the schema asks for. Optional fields left empty are left out. */
export function inputOf(
  fields: readonly Field[],
  typed: Readonly<Record<string, string>>,
): { readonly input: Plain; readonly wrong: Readonly<Record<string, string>> } {
  const input: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const { name, kind, required } of fields) {
    const text = typed[name] ?? "";
    if (text.trim() === "") {
      if (required) wrong[name] = "This is needed";
      continue;
    }
    const value = valueOf(kind, text);
    if (value === undefined) wrong[name] = kind === "number" ? "A number, please" : "JSON, please";
    else input[name] = value;
  }
  return { input, wrong };
}

function valueOf(kind: Field["kind"], text: string): unknown {
  switch (kind) {
    case "text":
    case "choice":
      return text;
    case "number":
      return Number.isFinite(Number(text)) ? Number(text) : undefined;
    case "yes-no":
      return text === "yes";
    case "list":
      return text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    case "json":
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return undefined;
      }
  }
}

function field(name: string, schema: Plain, required: boolean): Field {
  const { kind, choices } = shape(schema);
  const fallback = schema["default"];
  return {
    name,
    about: typeof schema["description"] === "string" ? schema["description"] : "",
    required: required && fallback === undefined,
    kind,
    choices,
    fallback:
      fallback === undefined
        ? ""
        : typeof fallback === "boolean"
          ? fallback
            ? "yes"
            : "no"
          : typeof fallback === "string"
            ? fallback
            : JSON.stringify(fallback),
  };
}

function shape(schema: Plain): Pick<Field, "kind" | "choices"> {
  const plain = (kind: Field["kind"]): Pick<Field, "kind" | "choices"> => ({ kind, choices: [] });
  if (Array.isArray(schema["enum"]))
    return { kind: "choice", choices: (schema["enum"] as unknown[]).map(String) };
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(options)) return anyOf((options as unknown[]).map(asObject));
  switch (schema["type"]) {
    case "string":
      return plain("text");
    case "number":
    case "integer":
      return plain("number");
    case "boolean":
      return plain("yes-no");
    case "array":
      return plain(asObject(schema["items"])["type"] === "string" ? "list" : "json");
    default:
      return plain(schema["const"] === undefined ? "json" : "text");
  }
}

/** Several ways to write it: one of some words, or text where text is one of them. */
function anyOf(options: readonly Plain[]): Pick<Field, "kind" | "choices"> {
  const words = options.map((o) => o["const"]);
  if (words.every((word) => typeof word === "string")) return { kind: "choice", choices: words };
  const kinds = options.map((o) => shape(o).kind);
  const kind = kinds.find((k) => k !== "json" && k !== "choice") ?? "json";
  return { kind: kinds.includes("text") ? "text" : kind, choices: [] };
}

function asObject(value: unknown): Plain {
  return typeof value === "object" && value !== null ? (value as Plain) : {};
}
