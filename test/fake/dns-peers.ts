/** Others' name servers, set up for one test: in a directory of their own, on loopback, as nobody else. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export const NSD = "/usr/sbin/nsd";
export const KNOT = "/usr/sbin/knotd";
export const NAMED = "/usr/sbin/named";

/** A key both sides sign with: hmac-sha256. */
export interface PeerKey {
  readonly name: string;
  /** Base64. */
  readonly secret: string;
}

/** What differs from one test to the next, in the words of each server. */
export interface PeerSetup {
  /** Everything of it is in here; made. */
  readonly dir: string;
  readonly port: number;
  readonly key?: PeerKey | undefined;
  /** More lines for its main section. */
  readonly options?: readonly string[];
  /** Sections of its own. */
  readonly sections: string;
}

/** Write NSD's configuration: one process. The command that runs it. */
export async function nsdAt({ dir, port, key, options = [], sections }: PeerSetup) {
  const lines = [
    `ip-address: 127.0.0.1@${port}`,
    "server-count: 1",
    'username: ""',
    'chroot: ""',
    `zonesdir: "${dir}"`,
    `pidfile: "${dir}/pid"`,
    'database: ""',
    `xfrdfile: "${dir}/xfrd"`,
    `zonelistfile: "${dir}/zones"`,
    `xfrdir: "${dir}"`,
    ...options,
  ];
  const keys = key
    ? `key:\n  name: "${key.name}"\n  algorithm: hmac-sha256\n  secret: "${key.secret}"\n`
    : "";
  return command(
    dir,
    `server:\n${indented(lines)}remote-control:\n  control-enable: no\n${keys}${sections}`,
    (file) => [NSD, "-d", "-c", file],
  );
}

/** The same for Knot: one worker for each transport; the log goes to its standard error. */
export async function knotAt(
  { dir, port, key, options = [], sections }: PeerSetup,
  log: "error" | "info" = "error",
) {
  const lines = [
    `rundir: "${dir}"`,
    `listen: 127.0.0.1@${port}`,
    "udp-workers: 1",
    "tcp-workers: 1",
    "background-workers: 1",
    ...options,
  ];
  const keys = key
    ? `key:\n  - id: ${key.name}\n    algorithm: hmac-sha256\n    secret: ${key.secret}\n`
    : "";
  const around = `log:\n  - target: stderr\n    any: ${log}\ndatabase:\n  storage: "${dir}"\n`;
  return command(dir, `server:\n${indented(lines)}${around}${keys}${sections}`, (file) => [
    KNOT,
    "-c",
    file,
  ]);
}

/** The same for BIND: no recursion, one thread. */
export async function bindAt({ dir, port, key, options = [], sections }: PeerSetup) {
  const lines = [
    `directory "${dir}";`,
    `pid-file "${dir}/pid";`,
    `session-keyfile "${dir}/session.key";`,
    `listen-on port ${port} { 127.0.0.1; };`,
    "listen-on-v6 { none; };",
    "recursion no;",
    "dnssec-validation no;",
    ...options,
  ];
  const keys = key ? `key "${key.name}" { algorithm hmac-sha256; secret "${key.secret}"; };\n` : "";
  return command(
    dir,
    `options {\n${indented(lines)}};\ncontrols { };\n${keys}${sections}`,
    (file) => [NAMED, "-g", "-n", "1", "-c", file],
  );
}

async function command(
  dir: string,
  config: string,
  words: (file: string) => string[],
): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, "config");
  await Bun.write(file, config);
  return words(file);
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join("");
}
