import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";

/** What is done without a running tern: schemas, passwords, other configs, completion. */
export function toolingVerbs({ verb, from }: CommandLine): void {
  verb("schema", "JSON Schema of the config, for editors", "tern schema > tern.schema.json").action(
    from(() => import("../schema.ts")),
  );
  verb(
    "hash-password",
    "argon2id hash for the config, of a password that is asked for or read from a pipe",
    "tern hash-password\npwgen 20 1 | tern hash-password",
  ).action(from(() => import("../hash-password.ts")));
  verb("version", "version of this program", "tern version\ntern version --json")
    .option(...JSON_OUT)
    .action(from(() => import("../version.ts")));
  verb(
    "import <file>",
    "turn a 3xsd.conf or a pythondirector's XML into YAML, with a note for what it cannot carry",
    "tern import /etc/3xsd.conf > tern.yaml\ntern import pydir.xml > tern.yaml\ntern import --compare old.xml new.xml",
  )
    .option("-o, --output <file>", "write here instead of standard output")
    .option(
      "--compare <old>",
      "instead, the web API calls that turn one pythondirector into this one",
    )
    .action(from(() => import("../import.ts")));
  verb(
    "export",
    "what runs, or what a config says, as pythondirector's XML",
    "tern export --pydir > running.xml\ntern export --pydir -c tern.yaml",
  )
    .option("--pydir", "as pythondirector's XML")
    .option("--running", "of the running tern only (default: of it if it runs, else of the config)")
    .option("-o, --output <file>", "write here instead of standard output")
    .option(...CONFIG)
    .option(...SOCKET)
    .action(from(() => import("../export.ts")));
  verb(
    "completion <shell>",
    "completion for bash, zsh or fish",
    "tern completion bash > /etc/bash_completion.d/tern\ntern completion zsh > ~/.zfunc/_tern\ntern completion fish > ~/.config/fish/completions/tern.fish",
  ).action(from(() => import("../completion.ts")));
}
