import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";
import { DO_EXAMPLES } from "../do-examples.ts";

/** The life of a server: to run it, look at it, change it, and end it. */
export function operatingVerbs({ verb, from }: CommandLine): void {
  verb(
    "run",
    "serve what the config says, until told to stop",
    "tern run\ntern run -c /etc/tern/tern.yaml",
  )
    .option(...CONFIG)
    .action(from(() => import("../run.ts")));
  verb(
    "check",
    "look for every problem in a config",
    "tern check -c tern.yaml\ntern check --json -c tern.yaml",
  )
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(from(() => import("../check.ts")));
  verb(
    "reload",
    "move the running tern to its config as it is now",
    "tern check -c tern.yaml && tern reload -c tern.yaml",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("../reload.ts")));
  verb(
    "status",
    "what runs: listeners, workers, the last reload",
    "tern status\ntern status --watch\ntern status --json | jq .workers",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("-w, --watch", "show it again every second")
    .action(from(() => import("../status.ts")));
  verb(
    "pools",
    "groups of servers: who is up, since when, and what they have in hand",
    "tern pools\ntern pools --watch\ntern pools --json | jq '.app.hosts'",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("-w, --watch", "show it again every second, with rates")
    .action(from(() => import("../pools.ts")));
  verb(
    "do [service] [name] [words...]",
    "change what runs, or ask something of it; without words: what there is to do",
    DO_EXAMPLES,
  )
    .helpOption(false)
    .option("-h, --help", "what the running tern can do, with what it takes")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("../do.ts")));
  verb(
    "save",
    "write what runs to the config file, its comments kept",
    "tern diff; tern save\ntern save --force",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("--force", "also over what somebody else has written there meanwhile")
    .action(from(() => import("../save.ts")));
  verb(
    "diff",
    "the config file against what runs; exit code 1 when they differ",
    "tern diff\ntern diff --json | jq .changed",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("../diff.ts")));
  verb("stop", "finish what is in hand and end", "tern stop")
    .option(...CONFIG)
    .option(...SOCKET)
    .option("--no-wait", "do not wait for the end")
    .action(from(() => import("../stop.ts")));
  verb(
    "upgrade",
    "replace the running program by the one now on disk, without losing a request",
    "cp tern-new /usr/local/bin/tern && tern upgrade",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("../upgrade.ts")));
}
