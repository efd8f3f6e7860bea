import { existsSync } from "node:fs";

import embedded from "../../conf/default.yaml" with { type: "text" };
import type { ConfigPlace } from "../app/config-text.ts";

/** What `run` looks for in the working directory. */
const USUAL = "tern.yaml";

/** The file asked for, the usual one, or the config inside the program. */
export function configPlace(file: string | undefined): ConfigPlace {
  if (file !== undefined) return { kind: "file", path: file };
  if (existsSync(USUAL)) return { kind: "file", path: USUAL };
  return {
    kind: "text",
    name: "conf/default.yaml (built in)",
    text: embedded,
    base: process.cwd(),
  };
}
