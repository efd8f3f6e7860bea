import { Command, CommanderError } from "commander";

import { commandLine, type Wrap } from "./command-line.ts";
import { EXIT, Exit } from "./exit.ts";
import { complain, painter } from "./terminal.ts";
import { cacheVerbs } from "./verbs/cache.ts";
import { dnsVerbs } from "./verbs/dns.ts";
import { operatingVerbs } from "./verbs/operating.ts";
import { storeVerbs } from "./verbs/store.ts";
import { toolingVerbs } from "./verbs/tooling.ts";
import { tunnelVerbs } from "./verbs/tunnel.ts";
import { udtVerbs } from "./verbs/udt.ts";
import { webVerbs } from "./verbs/web.ts";

/** Every area's verbs, in the order of `tern --help`. */
const AREAS = [
  operatingVerbs,
  toolingVerbs,
  webVerbs,
  cacheVerbs,
  dnsVerbs,
  udtVerbs,
  storeVerbs,
  tunnelVerbs,
];

const ABOUT =
  "The edge in one binary: web server, name server, balancer, caching proxy, tunnels, and files kept on several machines.";

const EXIT_CODES = `
Exit codes: 0 done, 1 failed or the config is wrong, 2 wrong usage, 3 tern is not running.`;

/** Parse and do; resolves with an exit code. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const debug = args.includes("--debug");
  const program = build((run) => async (...given) => {
    code = await run(...given);
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return tell(error, debug);
  }
}

/** One clear line; a stack only for those who ask. */
function tell(error: unknown, debug: boolean): number {
  // Commander has written its own words already; help and version are no mistakes.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  const red = painter(2);
  const whole = error instanceof Error && error.name === "ConfigError";
  complain(whole ? message : `${red("red", "tern:")} ${message}`);
  if (debug && error instanceof Error) complain(error.stack ?? "");
  return error instanceof Exit ? error.code : EXIT.failed;
}

/** The command line as a whole; `completion` walks it too. */
export function build(wrap: Wrap = () => async () => {}): Command {
  const program = new Command("tern")
    .description(ABOUT)
    .usage("VERB [options]")
    .option("--debug", "show the stack of an error")
    .helpOption("-h, --help", "help; `tern VERB --help` has examples")
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  const line = commandLine(program, wrap);
  for (const verbs of AREAS) verbs(line);
  return program;
}
