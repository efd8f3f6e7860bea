import { Command, CommanderError } from "commander";

import { EXIT, Exit } from "./exit.ts";
import { complain, painter } from "./terminal.ts";

/** Every verb's own file is loaded when the verb is asked for, so that the quick ones stay quick. */
type Verb<O> = (options: O, ...args: string[]) => Promise<number> | number;

const CONFIG = [
  "-c, --config <file>",
  "config file (default: ./tern.yaml, else the built-in one)",
] as const;
const SOCKET = [
  "--socket <path>",
  "admin socket, when it is not the config's (or $TERN_SOCKET)",
] as const;
const JSON_OUT = ["--json", "print JSON"] as const;

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

type Wrap = (
  run: (...given: any[]) => Promise<number>, // commander hands arguments, options, then itself
) => (...given: any[]) => Promise<void>;

/** The command line as a whole; `completion` walks it too. */
export function build(wrap: Wrap = () => async () => {}): Command {
  const program = new Command("tern")
    .description("The edge in one binary: web server, name server, balancer.")
    .usage("VERB [options]")
    .option("--debug", "show the stack of an error")
    .helpOption("-h, --help", "help; `tern VERB --help` has examples")
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", EXIT_CODES);

  const verb = (spec: string, about: string, examples: string, of = program): Command => {
    const command = of.command(spec).description(about).exitOverride();
    const whole = of === program ? command.name() : `${of.name()} ${command.name()}`;
    return command
      .option("--debug", "show the stack of an error")
      .showHelpAfterError(`(tern ${whole} --help says more)`)
      .addHelpText("after", `\nExamples:\n${examples.replaceAll(/^/gm, "  ")}`);
  };
  /** The verb's function, once it is needed. Positional arguments come behind the options. */
  const from = <O>(load: () => Promise<{ default: Verb<O> }>) =>
    wrap(async (...given) => {
      const [options, ...args] = given.slice(0, -1).toReversed() as [O, ...string[]];
      // The rest of a line comes as a list of its own.
      return (await load()).default(options, ...args.toReversed().flat());
    });

  verb(
    "run",
    "serve what the config says, until told to stop",
    "tern run\ntern run -c /etc/tern/tern.yaml",
  )
    .option(...CONFIG)
    .action(from(() => import("./run.ts")));
  verb(
    "check",
    "look for every problem in a config",
    "tern check -c tern.yaml\ntern check --json -c tern.yaml",
  )
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(from(() => import("./check.ts")));
  verb(
    "reload",
    "move the running tern to its config as it is now",
    "tern check -c tern.yaml && tern reload -c tern.yaml",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("./reload.ts")));
  verb(
    "status",
    "what runs: listeners, workers, the last reload",
    "tern status\ntern status --watch\ntern status --json | jq .workers",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("-w, --watch", "show it again every second")
    .action(from(() => import("./status.ts")));
  verb(
    "pools",
    "groups of servers: who is up, since when, and what they have in hand",
    "tern pools\ntern pools --watch\ntern pools --json | jq '.app.hosts'",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("-w, --watch", "show it again every second, with rates")
    .action(from(() => import("./pools.ts")));
  verb(
    "do [service] [name] [words...]",
    "change what runs, or ask something of it; without words: what there is to do",
    "tern do\ntern do pools state pool=app host=10.0.0.1:80 to=drain\ntern do balance enable service=web group=green\ntern do pools --help",
  )
    .helpOption(false)
    .option("-h, --help", "what the running tern can do, with what it takes")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("./do.ts")));
  verb(
    "save",
    "write what runs to the config file, its comments kept",
    "tern diff; tern save\ntern save --force",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("--force", "also over what somebody else has written there meanwhile")
    .action(from(() => import("./save.ts")));
  verb(
    "diff",
    "the config file against what runs; exit code 1 when they differ",
    "tern diff\ntern diff --json | jq .changed",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("./diff.ts")));
  verb("stop", "finish what is in hand and end", "tern stop")
    .option(...CONFIG)
    .option(...SOCKET)
    .option("--no-wait", "do not wait for the end")
    .action(from(() => import("./stop.ts")));
  verb(
    "upgrade",
    "replace the running program by the one now on disk, without losing a request",
    "cp tern-new /usr/local/bin/tern && tern upgrade",
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("./upgrade.ts")));
  verb("schema", "JSON Schema of the config, for editors", "tern schema > tern.schema.json").action(
    from(() => import("./schema.ts")),
  );
  verb(
    "hash-password",
    "argon2id hash for the config, of a password that is asked for or read from a pipe",
    "tern hash-password\npwgen 20 1 | tern hash-password",
  ).action(from(() => import("./hash-password.ts")));
  verb("version", "version of this program", "tern version\ntern version --json")
    .option(...JSON_OUT)
    .action(from(() => import("./version.ts")));
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
    .action(from(() => import("./import.ts")));
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
    .action(from(() => import("./export.ts")));
  verb(
    "completion <shell>",
    "completion for bash, zsh or fish",
    "tern completion bash > /etc/bash_completion.d/tern\ntern completion zsh > ~/.zfunc/_tern\ntern completion fish > ~/.config/fish/completions/tern.fish",
  ).action(from(() => import("./completion.ts")));
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
    .action(from(() => import("./web.ts")));

  const cache = program
    .command("cache")
    .description("what proxies have stored: look at it, and make sure that it is not used any more")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nExamples:\n  tern cache stat\n  tern cache ls example.net/news/\n  tern cache purge example.net/news/1",
    );
  const ofCache = (name: "ls" | "stat" | "purge") =>
    from(async () => ({ default: (await import("./cache.ts"))[name] }));
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

  const dns = program
    .command("dns")
    .description("look at zones, ask name servers, see who is alive")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nExamples:\n  tern dns check example.net.zone\n  tern dns query www.example.net AAAA\n  tern dns status",
    );
  verb(
    "check <zonefile>",
    "look for every problem in a zone file",
    "tern dns check example.net.zone\ntern dns check --origin example.net db.example",
    dns,
  )
    .option("-o, --origin <name>", "the zone's name (default: the file's, without .zone)")
    .option(...JSON_OUT)
    .action(from(() => import("./dns-check.ts")));
  verb(
    "query <name> [type]",
    "ask a name server",
    "tern dns query www.example.net AAAA\ntern dns query -s 192.0.2.53 --tls example.net SOA\ntern dns query --json --nsid example.net NS",
    dns,
  )
    .option("-s, --server <address>", "which one", "127.0.0.1")
    .option("-p, --port <port>", "its port (default: the transport's)")
    .option("--tcp", "over TCP")
    .option("--tls", "over TLS")
    .option("--https", "over HTTPS")
    .option("--path <path>", "path of DNS over HTTPS (default: /dns-query)")
    .option("--name <name>", "the server's name, for TLS")
    .option("--dnssec", "with signatures")
    .option("--nsid", "ask for the server's own name")
    .option("--subnet <network>", "ask for a client of this network")
    .option("--recurse", "let the server ask others")
    .option("--timeout <seconds>", "longest wait", "5")
    .option(...JSON_OUT)
    .action(from(() => import("./dns-query.ts")));
  verb(
    "status",
    "zones and computed names of the running tern: who is up, since when, and why",
    "tern dns status\ntern dns status --json | jq",
    dns,
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("./dns-status.ts")));
  verb(
    "state <record> <to>",
    "take a record of computed names up, down or to drain; auto leaves it to the probes",
    "tern dns state 10.0.0.7 down\ntern dns state 10.0.0.7 drain --name www.example.net\ntern dns state 10.0.0.7 auto",
    dns,
  )
    .option("--name <name>", "only in this name")
    .option(...CONFIG)
    .option(...SOCKET)
    .action(from(() => import("./dns-state.ts")));
  verb(
    "roll <zone> <step>",
    "replace the key of a zone that is signed here: begin, then finish; or abandon",
    "tern dns roll example.net begin\ntern dns roll example.net finish",
    dns,
  )
    .option("--force", "even when others may still need the key that goes")
    .option(...CONFIG)
    .option(...SOCKET)
    .action(from(() => import("./dns-roll.ts")));

  const udt = program
    .command("udt")
    .description("copy files and pipes over bad links, by UDT")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nExamples:\n  tern udt recv --listen :9000           there\n  tern udt send disk.img there:9000      here",
    );
  const ofUdt = (spec: string, about: string, examples: string): Command =>
    verb(spec, about, examples, udt)
      .option("-l, --listen <address>", "wait there for the other, instead of connecting")
      .option(
        "--rendezvous",
        "both connect at the same time, each --from what the other connects to",
      )
      .option("--from <address>", "address and port to connect from")
      .option(
        "--congestion <name>",
        "bbr (finds out), udt (AIMD, as libudt), fixed (--rate)",
        "bbr",
      )
      .option("--rate <rate>", 'for fixed: "90Mbit", "20MiB/s" (default: 120Mbit)')
      .option("--mss <bytes>", "largest IP packet (default: 1500)")
      .option("-q, --quiet", "no progress");
  ofUdt(
    "send <file> [to]",
    "send a file (- is standard input) to a tern that receives, or listen for one, or for libudt's recvfile",
    "tern udt send disk.img files.example.net:9000\ntern udt send disk.img --listen :9000 --keep\ntar c . | tern udt send - 192.0.2.7:9000 --name site.tar\ntern udt send disk.img 192.0.2.7:9000 --congestion fixed --rate 90Mbit",
  )
    .option("--name <name>", "what the other shall call it (default: the file's own name)")
    .option("-k, --keep", "go on listening when one has it")
    .option(...JSON_OUT)
    .action(from(() => import("./udt-send.ts")));
  ofUdt(
    "recv [to]",
    "receive a file, verified by SHA-256; what was broken off goes on where it was",
    "tern udt recv --listen :9000\ntern udt recv files.example.net:9000 -o /srv/disk.img\ntern udt recv 192.0.2.7:9000 --libudt --name /srv/disk.img    # a sendfile of libudt\ntern udt recv --listen :9000 -o - | tar x",
  )
    .option(
      "-o, --output <path>",
      "a file, a directory to put it in, or - for standard output",
      ".",
    )
    .option("--name <name>", "which file (default: the one that is offered)")
    .option("--libudt", "ask a sendfile of libudt, which knows no checksum")
    .option("-f, --force", "replace a file that is there")
    .option("--no-resume", "begin anew, even if a part is there from an earlier time")
    .option("-k, --keep", "go on listening for more")
    .option(...JSON_OUT)
    .action(from(() => import("./udt-recv.ts")));
  ofUdt(
    "cat [to]",
    "a pipe both ways: standard input there, and what comes here to standard output",
    "tern udt cat --listen :9000 > copy\ntern udt cat 192.0.2.7:9000 < file\necho hello | tern udt cat 192.0.2.7:9000 --wait",
  )
    .option("--wait", "when the input ends, go on until the other closes")
    .action(from(() => import("./udt-cat.ts")));
  const store = program
    .command("store")
    .description("files over many servers and disks: where they are, who keeps them")
    .helpCommand(false)
    .exitOverride()
    .argument("[dir]", "keep files in three volumes in this directory, two copies of each")
    .option("-l, --listen <address...>", "where", [":8082"])
    .option("--workers <n>", 'event-loop processes, or "auto"', "1")
    .option("--admin <address>", "admin API and /metrics there (default: none)")
    .addHelpText(
      "after",
      "\nExamples:\n  tern store ./files\n  tern store status\n  tern store where /_3fs_1/photos/one.jpg",
    )
    .action(
      from(async () => {
        const { default: run } = await import("./store.ts");
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
    .action(
      from(async () => ({ default: (await import("./store-where.ts")).storeWhere as never })),
    );
  verb(
    "status",
    "stages and members of the running tern, and copies that are owed",
    "tern store status\ntern store status --json | jq .files.under_replicated",
    store,
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(
      from(async () => ({ default: (await import("./store-status.ts")).storeStatus as never })),
    );
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
        const { storeRepair } = await import("./store-repair.ts");
        return {
          default: (options: never, member?: string) => storeRepair(kind, options, member),
        };
      }),
    );
  }
  const tunnel = program
    .command("tunnel")
    .description("networks over networks: who is there, and keys for them")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nExamples:\n  tern tunnel status\n  tern tunnel genkey > edge.key; tern tunnel pubkey < edge.key\n  tern tunnel import /etc/wireguard/wg0.conf",
    );
  const tunnelKey = (name: "genkey" | "pubkey" | "genpsk") =>
    from(async () => ({ default: (await import("./tunnel-keys.ts"))[name] }));
  verb(
    "status [name]",
    "tunnels of the running tern: is the peer there, how far, what is lost, how much went through",
    "tern tunnel status\ntern tunnel status --watch\ntern tunnel status --json | jq .warp1.rttMs",
    tunnel,
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .option("-w, --watch", "show it again every second, with rates")
    .action(
      from(async () => ({ default: (await import("./tunnel-status.ts")).tunnelStatus as never })),
    );
  for (const [what, about] of [
    ["up", "take up a tunnel that was taken down"],
    ["down", "carry nothing through a tunnel until it is taken up again"],
    ["rekey", "make new keys with the peer, now"],
  ] as const)
    verb(`${what} <name>`, about, `tern tunnel ${what} warp1`, tunnel)
      .option(...CONFIG)
      .option(...SOCKET)
      .action(
        from(async () => ({
          default: (await import("./tunnel-status.ts")).tunnelAct(what) as never,
        })),
      );
  verb("genkey", "a private key", "umask 077; tern tunnel genkey > edge.key", tunnel).action(
    tunnelKey("genkey"),
  );
  verb(
    "pubkey",
    "the public key of a private one on standard input",
    "tern tunnel pubkey < edge.key",
    tunnel,
  ).action(tunnelKey("pubkey"));
  verb("genpsk", "a secret for `token`", "tern tunnel genpsk > warp1.psk", tunnel).action(
    tunnelKey("genpsk"),
  );
  verb(
    "import <file>",
    "a wg0.conf as YAML, with a note for what it cannot carry",
    "tern tunnel import /etc/wireguard/wg0.conf > tern.yaml",
    tunnel,
  )
    .option("-o, --output <file>", "write here instead of standard output")
    .action(
      from(async () => ({ default: (await import("./tunnel-conf.ts")).importConf as never })),
    );
  verb(
    "export <name>",
    "a tunnel of the config as wg0.conf, private key included",
    "tern tunnel export wg0 -o /etc/wireguard/wg0.conf",
    tunnel,
  )
    .option("-o, --output <file>", "write here instead of standard output")
    .option(...CONFIG)
    .action(
      from(async () => ({ default: (await import("./tunnel-conf.ts")).exportConf as never })),
    );
  return program;
}

const EXIT_CODES = `
Exit codes: 0 done, 1 failed or the config is wrong, 2 wrong usage, 3 tern is not running.`;
