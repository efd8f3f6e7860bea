import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";

/** `tern store …`: a store without a config file, and the upkeep of those of the running tern. */
export function storeVerbs({ verb, group, from }: CommandLine): void {
  const store = group(
    "store",
    "files over many servers and disks: where they are, who keeps them",
    "tern store ./files\ntern store status --socket files/state/tern.sock    # of that one\ntern store status\ntern store where /_3fs_1/photos/one.jpg",
  )
    .argument("[dir]", "keep files in three volumes in this directory, two copies of each")
    .option("-l, --listen <address...>", "where", [":8082"])
    .option("--workers <n>", 'event-loop processes, or "auto"', "1")
    .option("--admin <address>", "admin API and /metrics there (default: none)")
    .action(
      from(async () => {
        const { default: run } = await import("../store.ts");
        return {
          default: (options: never, dir?: string) => {
            if (dir === undefined) return store.help({ error: true });
            return run(options, dir);
          },
        };
      }),
    );
  verb(
    "where <path>",
    "the members that should have a file, and what they have",
    "tern store where /_3fs_1/photos/one.jpg\ntern store where /photos/one.jpg --json",
    store,
  )
    .option("--store <name>", "only in this one")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(async () => ({ default: (await import("../store-where.ts")).storeWhere })));
  verb(
    "status",
    "stages and members of the running tern, and copies that are owed",
    "tern store status\ntern store status --json | jq .files.under_replicated",
    store,
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(async () => ({ default: (await import("../store-status.ts")).storeStatus })));
  for (const [kind, words, about] of [
    ["fsck", "fsck", "read and verify every copy, and mend what is not as it was written"],
    [
      "replace",
      "replace <member>",
      "make all copies of a member whose disk is new: its share only",
    ],
    ["drain", "drain <member>", "move a member's copies to others, and give it no new ones"],
    ["rebalance", "rebalance", "have every copy where it belongs, and none elsewhere"],
  ] as const) {
    const example = `tern store ${kind}${words === kind ? "" : " b"}`;
    const command = verb(words, about, `${example} --dry-run\n${example}`, store)
      .option("--store <name>", "of this one, where there are several")
      .option("--stage <n>", "of this one only")
      .option("-n, --dry-run", "say what there is to do, and do nothing")
      .option("--detach", "do not wait for the end; tern store status tells")
      .option("--stop", "stop the one that is running")
      .option(...CONFIG)
      .option(...SOCKET)
      .option(...JSON_OUT);
    if (kind === "fsck") command.option("--rate <bandwidth>", "read so fast; as scrub.rate says");
    if (kind === "drain") command.option("--undo", "it takes copies again");
    command.action(
      from(async () => {
        const { storeRepair } = await import("../store-repair.ts");
        return {
          default: (options: never, member?: string) => storeRepair(kind, options, member),
        };
      }),
    );
  }
}
