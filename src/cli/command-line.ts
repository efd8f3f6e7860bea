import type { Command } from "commander";

/** What a verb does: its options, then its positional arguments; answers an exit code. */
export type Verb<O> = (options: O, ...args: string[]) => Promise<number> | number;

/** What stands between commander and a verb. Commander hands arguments, options, then itself. */
export type Wrap = (
  run: (...given: any[]) => Promise<number>, // any: each verb knows its own
) => (...given: any[]) => Promise<void>;

/** The option for the config file, where a verb reads it. */
export const CONFIG = [
  "-c, --config <file>",
  "config file (default: ./tern.yaml, else the built-in one)",
] as const;
/** The option for the running tern, where a verb asks it. */
export const SOCKET = [
  "--socket <path>",
  "admin socket, when it is not the config's (or $TERN_SOCKET)",
] as const;
/** The option of a verb that can print for programs. */
export const JSON_OUT = ["--json", "print JSON"] as const;

/** What the files of `verbs/` write the command line with. */
export interface CommandLine {
  /** A verb (`spec` has its arguments, too), of the program or of a group; one example a line. */
  readonly verb: (spec: string, about: string, examples: string, of?: Command) => Command;
  /** A verb of verbs: `tern dns …`. */
  readonly group: (name: string, about: string, examples: string) => Command;
  /**
   * The verb's function, loaded once it is needed, so that the quick ones stay quick. Positional
   * arguments come behind the options, the rest of a line as arguments of its own.
   */
  readonly from: <O>(
    load: () => Promise<{ readonly default: Verb<O> }>,
  ) => (...given: any[]) => Promise<void>; // any: as Wrap
}

/** Writes into `program`. */
export function commandLine(program: Command, wrap: Wrap): CommandLine {
  return {
    verb: (spec, about, examples, of = program) => {
      const command = of.command(spec).description(about).exitOverride();
      const whole = of === program ? command.name() : `${of.name()} ${command.name()}`;
      return command
        .option("--debug", "show the stack of an error")
        .showHelpAfterError(`(tern ${whole} --help says more)`)
        .addHelpText("after", shown(examples));
    },
    group: (name, about, examples) =>
      program
        .command(name)
        .description(about)
        .helpCommand(false)
        .exitOverride()
        .addHelpText("after", shown(examples)),
    from: <O>(load: () => Promise<{ readonly default: Verb<O> }>) =>
      wrap(async (...given) => {
        const [options, ...args] = given.slice(0, -1).toReversed() as [O, ...string[]];
        return (await load()).default(options, ...args.toReversed().flat());
      }),
  };
}

function shown(examples: string): string {
  return `\nExamples:\n${examples.replaceAll(/^/gm, "  ")}`;
}
