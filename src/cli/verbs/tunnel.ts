import { type CommandLine, CONFIG, JSON_OUT, SOCKET } from "../command-line.ts";

/** `tern tunnel …`: tunnels of the running tern, keys, and the configs of WireGuard. */
export function tunnelVerbs({ verb, group, from }: CommandLine): void {
  const tunnel = group(
    "tunnel",
    "networks over networks: who is there, and keys for them",
    "tern tunnel status\n(umask 077; tern tunnel genkey > edge.key); tern tunnel pubkey < edge.key\ntern tunnel import /etc/wireguard/wg0.conf",
  );
  const tunnelKey = (name: "genkey" | "pubkey" | "genpsk") =>
    from(async () => ({ default: (await import("../tunnel-keys.ts"))[name] }));
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
    .action(from(async () => ({ default: (await import("../tunnel-status.ts")).tunnelStatus })));
  verb(
    "test <name>",
    "how much goes through a tunnel, both ways, how far it is, what is lost, how long a packet fits",
    "tern tunnel test warp1\ntern tunnel test warp1 --seconds 10 --json | jq .out.bitsPerSecond",
    tunnel,
  )
    .option("--seconds <n>", "time for each way, 1 to 10", "3")
    .option(...CONFIG)
    .option(...SOCKET)
    .option(...JSON_OUT)
    .action(from(async () => ({ default: (await import("../tunnel-test.ts")).tunnelTest })));
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
          default: (await import("../tunnel-status.ts")).tunnelAct(what),
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
  verb(
    "genpsk",
    "a secret for `token`",
    "umask 077; tern tunnel genpsk > warp1.psk",
    tunnel,
  ).action(tunnelKey("genpsk"));
  verb(
    "import <file>",
    "a wg0.conf as YAML, with a note for what it cannot carry",
    "tern tunnel import /etc/wireguard/wg0.conf > tern.yaml",
    tunnel,
  )
    .option("-o, --output <file>", "write here instead of standard output")
    .action(from(async () => ({ default: (await import("../tunnel-conf.ts")).importConf })));
  verb(
    "export <name>",
    "a tunnel of the config as wg0.conf, private key included",
    "tern tunnel export wg0 -o /etc/wireguard/wg0.conf",
    tunnel,
  )
    .option("-o, --output <file>", "write here instead of standard output")
    .option(...CONFIG)
    .action(from(async () => ({ default: (await import("../tunnel-conf.ts")).exportConf })));
}
