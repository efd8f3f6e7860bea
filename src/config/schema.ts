import type { JsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

import { root } from "./root.ts";

/**
 * A JSON Schema of the whole config, for editors (completion, hover, squiggles). It is made from
 * the declarations that the loader checks by, so what an editor offers is what is taken; the
 * loader alone knows the rules that go across keys.
 */
export async function jsonSchema(
  sections: Readonly<Record<string, GenericSchema>>,
): Promise<JsonSchema> {
  // Only `tern schema` wants it: nobody else should pay for its loading.
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  const convert = (schema: GenericSchema): JsonSchema => {
    // Transformations and checks say nothing that an editor could use.
    const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: "ignore" });
    return rest;
  };
  const whole = convert(root);
  const properties = Object.fromEntries(
    Object.entries(sections).map(([name, schema]) => [name, convert(schema)]),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "tern.yaml",
    description: "Config of tern: a section that is absent is off.",
    ...whole,
    properties: { ...whole.properties, ...properties },
  };
}
