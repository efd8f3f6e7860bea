import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";

/** `tern cache …`: what proxies have stored. */
export function cacheVerbs({ verb, group, from }: CommandLine): void {
  const cache = group(
    "cache",
    "what proxies have stored: look at it, and make sure that it is not used any more",
    "tern cache stat\ntern cache ls example.net/news/\ntern cache purge example.net/news/1",
  );
  const ofCache = (name: "ls" | "stat" | "purge") =>
    from(async () => ({ default: (await import("../cache.ts"))[name] }));
  verb(
    "ls [prefix]",
    "stored responses in memory, the latest first",
    "tern cache ls\ntern cache ls example.net/news/ --limit 1000\ntern cache ls --json | jq",
    cache,
  )
    .option("--proxy <name>", "only of this one")
    .option("--limit <n>", "most of them", "100")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(ofCache("ls"));
  verb("stat", "hits, misses and what is stored", "tern cache stat\ntern cache stat --json", cache)
    .option("--proxy <name>", "only of this one")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(ofCache("stat"));
  verb(
    "purge [url]",
    "make sure that what is stored is not used any more, in memory and on disk, in all workers",
    "tern cache purge example.net/news/1\ntern cache purge --prefix example.net/news/\ntern cache purge --tag product-17\ntern cache purge --all",
    cache,
  )
    .option("--prefix <url>", "all that begins so")
    .option("--tag <tag>", "all that has this tag in Cache-Tag or Surrogate-Key")
    .option("--all", "everything")
    .option("--proxy <name>", "only of this one")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(ofCache("purge"));
}
