import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export type Form = Readonly<Record<string, unknown>>;

/** What a caller may send for `schema`. What JSON Schema cannot say is left to the check itself. */
export function form(schema: v.GenericSchema<unknown, unknown>): Form {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      // Scalars of config/ read a word ("5s") their own way and say so in their metadata.
      const { form: told } = v.getMetadata(valibotSchema) as { form?: Form };
      return told && { ...jsonSchema, ...told };
    },
  });
  return rest;
}
