import type { Command } from "commander";

import { type CommandLine, JSON_OUT } from "../command-line.ts";

/** `tern udt …`: UDT from the command line. */
export function udtVerbs({ verb, group, from }: CommandLine): void {
  const udt = group(
    "udt",
    "copy files and pipes over bad links, by UDT",
    "tern udt recv --listen :9000           there\ntern udt send disk.img there:9000      here",
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
    .action(from(() => import("../udt-send.ts")));
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
    .action(from(() => import("../udt-recv.ts")));
  ofUdt(
    "cat [to]",
    "a pipe both ways: standard input there, and what comes here to standard output",
    "tern udt cat --listen :9000 > copy\ntern udt cat 192.0.2.7:9000 < file\necho hello | tern udt cat 192.0.2.7:9000 --wait",
  )
    .option("--wait", "when the input ends, go on until the other closes")
    .action(from(() => import("../udt-cat.ts")));
}
