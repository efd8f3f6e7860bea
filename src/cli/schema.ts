import { SECTIONS } from "../app/services.ts";
import { jsonSchema } from "../config/schema.ts";
import { EXIT } from "./exit.ts";
import { printJson } from "./terminal.ts";

/** `tern schema`. */
export default async function schema(): Promise<number> {
  printJson(await jsonSchema(SECTIONS));
  return EXIT.ok;
}
