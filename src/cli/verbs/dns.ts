import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";

/** `tern dns …`: zones, questions, computed names and keys. */
export function dnsVerbs({ verb, group, from }: CommandLine): void {
  const dns = group(
    "dns",
    "look at zones, ask name servers, see who is alive",
    "tern dns check example.net.zone\ntern dns query www.example.net AAAA\ntern dns status",
  );
  verb(
    "check <zonefile>",
    "look for every problem in a zone file",
    "tern dns check example.net.zone\ntern dns check --origin example.net db.example",
    dns,
  )
    .option("-o, --origin <name>", "the zone's name (default: the file's, without .zone)")
    .option(...JSON_OUT)
    .action(from(() => import("../dns-check.ts")));
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
    .action(from(() => import("../dns-query.ts")));
  verb(
    "status",
    "zones and computed names of the running tern: who is up, since when, and why",
    "tern dns status\ntern dns status --json | jq",
    dns,
  )
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(() => import("../dns-status.ts")));
  verb(
    "state <record> <to>",
    "take a record of computed names up, down or to drain; auto leaves it to the probes",
    "tern dns state 10.0.0.7 down\ntern dns state 10.0.0.7 drain --name www.example.net\ntern dns state 10.0.0.7 auto",
    dns,
  )
    .option("--name <name>", "only in this name")
    .option(...CONFIG)
    .option(...SOCKET)
    .action(from(() => import("../dns-state.ts")));
  verb(
    "roll <zone> <step>",
    "replace the key of a zone that is signed here: begin, then finish; or abandon",
    "tern dns roll example.net begin\ntern dns roll example.net finish",
    dns,
  )
    .option("--force", "even when others may still need the key that goes")
    .option(...CONFIG)
    .option(...SOCKET)
    .action(from(() => import("../dns-roll.ts")));
}
