import type { Command } from "commander";

import { changeForms } from "../app/changes.ts";
import { SERVICES } from "../app/services.ts";
import { EXIT, Exit } from "./exit.ts";
import { build } from "./program.ts";
import { print } from "./terminal.ts";

const SHELLS = { bash, zsh, fish } as const;

/** `tern completion SHELL`: made from the command line itself, so it knows every verb and option. */
export default function completion(_options: unknown, shell: string): number {
  if (!Object.hasOwn(SHELLS, shell))
    throw new Exit(EXIT.usage, `no completion for ${shell}: it is bash, zsh or fish`);
  print(SHELLS[shell as keyof typeof SHELLS](verbs(build())));
  return EXIT.ok;
}

interface Verb {
  readonly name: string;
  readonly about: string;
  /** Verbs of its own. */
  readonly words: readonly string[];
  /** What may stand behind each of those. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly options: readonly {
    readonly flag: string;
    readonly about: string;
    readonly file: boolean;
  }[];
  /** Its argument is a file or a directory. */
  readonly takesPath: boolean;
}

function verbs(program: Command): Verb[] {
  return program.commands.map((command) => {
    const names = command.name() === "do" ? offers() : {};
    // What can stand behind a verb of verbs (`dns`) is offered together.
    const all = command.commands.length > 0 ? command.commands : [command];
    const options = new Map(
      all
        .flatMap((one) => one.options)
        .map((option) => [
          option.long ?? option.short ?? "",
          { about: option.description, file: /<(file|path)>/.test(option.flags) },
        ]),
    );
    return {
      name: command.name(),
      about: command.description(),
      words: [...command.commands.map((one) => one.name()), ...Object.keys(names)],
      names,
      takesPath: all.some((one) => one.registeredArguments.some((a) => PATHS.includes(a.name()))),
      options: [...options].map(([flag, { about, file }]) => ({ flag, about, file })),
    };
  });
}

/** What `tern do` can always do, by service; actions are known to a running tern only. */
function offers(): Record<string, string[]> {
  const forms = Object.entries(changeForms(SERVICES));
  return Object.fromEntries(forms.map(([service, changes]) => [service, Object.keys(changes)]));
}

/** Arguments that are files or directories. */
const PATHS: readonly string[] = ["file", "dir", "zonefile"];

function bash(all: Verb[]): string {
  const cases = all.map(({ name, options, words, names, takesPath }) => {
    const flags = options.map((o) => o.flag).join(" ");
    const files = options.filter((o) => o.file).map((o) => o.flag);
    const path = `COMPREPLY=($(compgen -f -- "$current"))`;
    const before =
      files.length > 0
        ? `[[ "$previous" =~ ^(${["-c", ...files].join("|")})$ ]] && { ${path}; return; }\n        `
        : "";
    const own =
      words.length > 0
        ? `[[ $COMP_CWORD -eq 2 ]] && { COMPREPLY=($(compgen -W "${words.join(" ")} --help" -- "$current")); return; }\n        `
        : "";
    const third = Object.entries(names)
      .map(
        ([word, all]) =>
          `[[ $COMP_CWORD -eq 3 && "\${COMP_WORDS[2]}" == ${word} ]] && { COMPREPLY=($(compgen -W "${all.join(" ")}" -- "$current")); return; }\n        `,
      )
      .join("");
    const bare = takesPath ? `[[ "$current" != -* ]] && { ${path}; return; }\n        ` : "";
    return `      ${name})\n        ${own}${third}${before}${bare}COMPREPLY=($(compgen -W "${flags} --help" -- "$current")) ;;`;
  });
  return `# bash completion for tern
_tern() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${all.map((v) => v.name).join(" ")} --help" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
      completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
${cases.filter((_, i) => all[i]?.name !== "completion").join("\n")}
  esac
}
complete -o filenames -F _tern tern`;
}

function zsh(all: Verb[]): string {
  const quoted = (text: string): string =>
    text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
  const cases = all.map(({ name, options, words: own, names, takesPath }) => {
    const words = options.map(
      ({ flag, about, file }) => `'${flag}[${quoted(about)}]${file ? ":file:_files" : ""}'`,
    );
    const rest =
      name === "completion" ? ["'1:shell:(bash zsh fish)'"] : takesPath ? ["'*:path:_files'"] : [];
    if (own.length > 0) words.push(`'1:verb:(${own.join(" ")})'`);
    const behind = [...new Set(Object.values(names).flat())];
    if (behind.length > 0) words.push(`'2:name:(${behind.join(" ")})'`);
    return `    ${name}) _arguments ${[...words, ...rest].join(" ")} ;;`;
  });
  return `#compdef tern
_tern() {
  if (( CURRENT == 2 )); then
    local -a verbs=(
${all.map((v) => `      '${v.name}:${quoted(v.about)}'`).join("\n")}
    )
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${cases.join("\n")}
  esac
}
_tern "$@"`;
}

function fish(all: Verb[]): string {
  const quoted = (text: string): string =>
    `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = all.flatMap(({ name, about, options, words, names, takesPath }) => {
    const here = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c tern -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
      ...options.map(
        ({ flag, about, file }) =>
          `complete -c tern ${here} -l ${flag.slice(2)} -d ${quoted(about)}${file ? " -r -F" : ""}`,
      ),
      ...(takesPath ? [`complete -c tern ${here} -F`] : []),
      ...(words.length > 0 ? [`complete -c tern ${here} -a '${words.join(" ")}'`] : []),
      ...Object.entries(names).map(
        ([word, all]) =>
          `complete -c tern -n '__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${word}' -a '${all.join(" ")}'`,
      ),
      ...(name === "completion" ? [`complete -c tern ${here} -a 'bash zsh fish'`] : []),
    ];
  });
  return ["# fish completion for tern", "complete -c tern -f", ...lines].join("\n");
}
