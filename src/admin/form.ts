import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export type Form = Readonly<Record<string, unknown>>;

/** What a caller may send for `schema`. What JSON Schema cannot say is left to the check itself. */
export function form(schema: GenericSchema<unknown, unknown>): Form {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
  });
  return rest;
}
