import { run } from "../app/run.ts";
import { announce } from "./announce.ts";
import { configPlace } from "./config-place.ts";

/** `tern run`: until told to stop. */
export default function runVerb({ config }: { config?: string }): Promise<number> {
  return run({ place: configPlace(config), args: process.argv.slice(2), announce });
}
