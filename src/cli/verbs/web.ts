import type { CommandLine } from "../command-line.ts";

/** `tern web DIR`: a directory, served without a config file. */
export function webVerbs({ verb, from }: CommandLine): void {
  verb(
    "web <dir>",
    "serve a directory, without a config file",
    "tern web . --listen :8080\ntern web ./site --spa --listen 127.0.0.1:3000\ntern web /srv/files --autoindex --webdav",
  )
    .option("-l, --listen <address...>", "where", [":8080"])
    .option("--autoindex", "list directories")
    .option("--webdav", "let clients on this machine write")
    .option("--spa", "answer unknown paths with /index.html")
    .option("--workers <n>", 'event-loop processes, or "auto"', "1")
    .option("--admin <address>", "admin API and /metrics there (default: none)")
    .option("--access-log <file>", 'one line for each request; "-" is standard output')
    .action(from(() => import("../web.ts")));
}
