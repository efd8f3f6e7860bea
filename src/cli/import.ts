import { readFileSync, writeFileSync } from "node:fs";

import { import3xsd } from "../config/import/three-xsd.ts";
import { EXIT, Exit } from "./exit.ts";
import { complain, print } from "./terminal.ts";

/** `tern import 3xsd.conf`: YAML on standard output, what it could not carry on standard error. */
export default function importVerb({ output }: { output?: string }, file: string): number {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Exit(EXIT.failed, `${file}: ${(error as Error).message}`);
  }
  const { yaml, notes } = import3xsd(text, file);
  if (output === undefined) print(yaml.trimEnd());
  else writeFileSync(output, yaml, { flag: "wx" }); // an operator's file is never overwritten
  for (const { line, message } of notes) complain(`${file}:${line}: ${message}`);
  return EXIT.ok;
}
