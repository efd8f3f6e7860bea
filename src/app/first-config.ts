import { ConfigError } from "../config/problem.ts";
import { type Config, type ConfigPlace, type Read, readConfigText, textAt } from "./config-text.ts";
import { explainError, Failure } from "./failure.ts";
import { type Carried, inTheLast, RunningText } from "./running-text.ts";

/** What a process begins with. */
export interface FirstConfig {
  readonly config: Config;
  /** When it replaces another: where that one was. */
  readonly before: Carried | undefined;
}

/**
 * The config to begin with: the file's, and what was changed in the process that this one replaces
 * and not saved. Throws ConfigError or Failure.
 */
export function firstConfig(place: ConfigPlace, carried: Carried | undefined): FirstConfig {
  const disk = attempt(() => textAt(place));
  if (carried === undefined)
    return { config: good(attempt(() => readConfigText(place, disk))), before: undefined };
  const { text, unsaved } = goneOn(disk, carried);
  const config = good(attempt(() => readConfigText(place, text)));
  return { config, before: { ...carried, text, file: disk, unsaved } };
}

/** The text to go on with, when the file says `disk` now. */
function goneOn(disk: string, carried: Carried): Pick<Carried, "text" | "unsaved"> {
  const { text, file, unsaved } = carried;
  if (unsaved.length === 0) return { text: disk, unsaved };
  if (disk === file) return { text, unsaved };
  try {
    const merged = new RunningText(text, carried).appliedTo(disk);
    // From here on they are changes of what the file says now.
    return { text: merged, unsaved: inTheLast(unsaved, disk, merged) };
  } catch (cause) {
    const why = `the file has changed, and what was changed and not saved does not fit it: ${explainError(cause)}; tern save or tern reload first`;
    throw new Failure(why, { cause });
  }
}

function good(read: Read): Config {
  if (!read.ok) throw new ConfigError(read.problems);
  return read.config;
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Failure(explainError(cause), { cause });
  }
}
