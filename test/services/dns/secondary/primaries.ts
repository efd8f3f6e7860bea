import { join } from "node:path";

import { askDns } from "../../../../src/net/dns-client.ts";
import { decodeMessage, encodeMessage } from "../../../../src/wire/dns/message.ts";
import { CLASS, RCODE, TYPE } from "../../../../src/wire/dns/types.ts";
import { bindAt, KNOT, knotAt, NAMED, NSD, nsdAt, type PeerKey } from "../../../fake/dns-peers.ts";
import { freePort } from "../../../fake/ports.ts";
import { said } from "../serving.ts";
import { ORIGIN } from "./records.ts";

/** Another's server that has `example.net`, on loopback. */
export interface RealPrimary extends AsyncDisposable {
  readonly port: number;
  /** Put another version of the zone in force. */
  update(zone: string): Promise<void>;
}

/** How it is to be set up. */
export interface Setup {
  readonly dir: string;
  readonly zone: string;
  /** Transfers are for those who sign with it. Base64. */
  readonly secret?: string;
  /** The port that is notified of a change. */
  readonly notify: number;
  /** It speaks TLS on this port, too, and nobody has the zone in clear. Not Knot, which is too old. */
  readonly tls?: { readonly port: number } & PemFiles;
}

/** Paths. */
export interface PemFiles {
  readonly cert: string;
  readonly key: string;
}

export const KEY_NAME = "key1";
const STARTING_TURNS = 100;
const TURN_MS = 50;

export const PRIMARIES = [
  { name: "NSD", start: nsd, differences: false, tls: true, here: Bun.file(NSD).size > 0 },
  { name: "Knot", start: knot, differences: true, tls: false, here: Bun.file(KNOT).size > 0 },
  { name: "BIND", start: bind, differences: true, tls: true, here: Bun.file(NAMED).size > 0 },
] as const;

function keyOf(secret: string | undefined): PeerKey | undefined {
  return secret === undefined ? undefined : { name: KEY_NAME, secret };
}

async function nsd({ dir, zone, secret, notify, tls }: Setup): Promise<RealPrimary> {
  const own = join(dir, "nsd");
  const file = join(own, "zone");
  const key = secret === undefined ? "NOKEY" : KEY_NAME;
  const sections = `zone:
  name: "example.net"
  zonefile: "${file}"
  provide-xfr: 127.0.0.1 ${key}
  notify: 127.0.0.1@${notify} ${key}
`;
  const options = tls
    ? [
        `ip-address: 127.0.0.1@${tls.port}`,
        `tls-port: ${tls.port}`,
        `tls-service-key: "${tls.key}"`,
        `tls-service-pem: "${tls.cert}"`,
      ]
    : [];
  const hup = async (): Promise<void> => {
    process.kill(Number(await Bun.file(join(own, "pid")).text()), "SIGHUP");
  };
  return primary(
    zone,
    file,
    (port) => nsdAt({ dir: own, port, key: keyOf(secret), options, sections }),
    hup,
  );
}

async function knot({ dir, zone, secret, notify }: Setup): Promise<RealPrimary> {
  const own = join(dir, "knot");
  const file = join(own, "zone");
  const key = secret === undefined ? "" : `key: ${KEY_NAME}`;
  const sections = `remote:
  - id: tern
    address: 127.0.0.1@${notify}
    ${key}
acl:
  - id: tern
    address: 127.0.0.1
    action: transfer
    ${key}
zone:
  - domain: example.net
    storage: "${own}"
    file: "${file}"
    zonefile-load: difference
    zonefile-sync: -1
    journal-content: changes
    notify: tern
    acl: tern
`;
  return primary(zone, file, (port) => knotAt({ dir: own, port, key: keyOf(secret), sections }));
}

async function bind({ dir, zone, secret, notify, tls }: Setup): Promise<RealPrimary> {
  const own = join(dir, "bind");
  const file = join(own, "zone");
  const over = tls ? `port ${tls.port} transport tls` : "";
  const ownTls = tls
    ? `tls own { cert-file "${tls.cert}"; key-file "${tls.key}"; protocols { TLSv1.3; }; };\n`
    : "";
  const sections = `${ownTls}zone "example.net" {
  type primary;
  file "${file}";
  ixfr-from-differences yes;
  allow-transfer ${over} { ${secret === undefined ? "127.0.0.1" : `key ${KEY_NAME}`}; };
  also-notify { 127.0.0.1 port ${notify} ${secret === undefined ? "" : `key ${KEY_NAME}`}; };
};
`;
  const options = ["notify explicit;", "notify-delay 0;"];
  if (tls) options.push(`listen-on port ${tls.port} tls own { 127.0.0.1; };`);
  return primary(zone, file, (port) =>
    bindAt({ dir: own, port, key: keyOf(secret), options, sections }),
  );
}

/** Start it with a zone; `hup` makes it read the file again. */
async function primary(
  zone: string,
  file: string,
  configured: (port: number) => Promise<string[]>,
  hup?: () => Promise<void>,
): Promise<RealPrimary> {
  const port = await freePort();
  const command = await configured(port);
  await Bun.write(file, zone);
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore" });
  await serves(port);
  return {
    port,
    async update(text) {
      await Bun.sleep(1100); // they compare times of files, in seconds
      await Bun.write(file, text);
      if (hup === undefined) child.kill("SIGHUP");
      else await hup();
    },
    [Symbol.asyncDispose]: () => ended(child),
  };
}

async function ended(child: Bun.Subprocess): Promise<void> {
  child.kill();
  await child.exited;
}

async function serves(port: number): Promise<void> {
  for (let i = 0; (await serialAt(port)) === undefined; i++) {
    if (i === STARTING_TURNS) throw new Error("a primary does not serve example.net");
    await Bun.sleep(TURN_MS);
  }
}

/** The serial a server of 127.0.0.1 answers with; undefined when it does not. */
export async function serialAt(port: number): Promise<number | undefined> {
  const question = { name: ORIGIN, type: TYPE.SOA, class: CLASS.IN };
  const bytes = encodeMessage({
    id: 99,
    flags: 0,
    opcode: 0,
    rcode: 0,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
  }) as Uint8Array;
  const server = { host: "127.0.0.1", port, transport: "udp" } as const;
  const answer = await askDns(bytes, server, 500).catch(() => undefined);
  const message = answer && decodeMessage(answer);
  const soa = message?.rcode === RCODE.NOERROR ? message.answers[0] : undefined;
  return soa && new DataView(soa.rdata.buffer, soa.rdata.length - 20).getUint32(0);
}

/** Wait until a server of 127.0.0.1 answers with a serial. */
export async function reaches(port: number, serial: number, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  for (let last; (last = await serialAt(port)) !== serial; await Bun.sleep(TURN_MS))
    if (performance.now() > end) throw new Error(`serial ${last} instead of ${serial}`);
}

/** All records that dig gets from a server of 127.0.0.1, owners in lower case, sorted. */
export async function transferred(port: number, secret?: string): Promise<string[]> {
  const key = secret === undefined ? [] : ["-y", `hmac-sha256:${KEY_NAME}:${secret}`];
  const text = await said(
    "dig",
    "@127.0.0.1",
    "-p",
    `${port}`,
    ...key,
    "+onesoa",
    "+nostats",
    "+nocmd",
    "example.net",
    "AXFR",
  );
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(";") && !line.includes("\tTSIG\t"))
    .map((line) => line.replaceAll(/\s+/g, " "))
    .map((line) => line.replace(/^\S+/, (owner) => owner.toLowerCase()))
    .sort();
}

/** How another's server is set up that has `example.net` from us. */
export interface FollowerSetup {
  readonly dir: string;
  readonly port: number;
  /** Our port. */
  readonly primary: number;
  readonly secret?: string;
  /** That port speaks TLS, as this name, which whoever has the key in `ca` (a path) says. */
  readonly tls?: { readonly name: string; readonly ca: string };
}

export interface Follower extends AsyncDisposable {
  readonly port: number;
  /** What it has said so far. */
  readonly log: string;
}

export const FOLLOWERS = [
  { name: "NSD", start: nsdFollower, tls: true, here: Bun.file(NSD).size > 0 },
  { name: "Knot", start: knotFollower, tls: false, here: Bun.file(KNOT).size > 0 },
  { name: "BIND", start: bindFollower, tls: true, here: Bun.file(NAMED).size > 0 },
] as const;

async function nsdFollower({ dir, port, primary, secret, tls }: FollowerSetup): Promise<Follower> {
  const key = secret === undefined ? "NOKEY" : KEY_NAME;
  const auth = tls ? `tls-auth:\n  name: tern\n  auth-domain-name: "${tls.name}"\n` : "";
  const sections = `${auth}zone:
  name: "example.net"
  request-xfr: 127.0.0.1@${primary} ${key} ${tls ? "tern" : ""}
  allow-notify: 127.0.0.1 ${key}
  provide-xfr: 127.0.0.1 NOKEY
`;
  const options = ["verbosity: 2"];
  if (tls) options.push(`tls-cert-bundle: "${tls.ca}"`);
  return follower(await nsdAt({ dir, port, key: keyOf(secret), options, sections }), port);
}

async function knotFollower({ dir, port, primary, secret }: FollowerSetup): Promise<Follower> {
  const key = secret === undefined ? "" : `key: ${KEY_NAME}`;
  const sections = `remote:
  - id: tern
    address: 127.0.0.1@${primary}
    ${key}
acl:
  - id: notify
    address: 127.0.0.1
    action: notify
    ${key}
  - id: all
    address: 127.0.0.1
    action: transfer
zone:
  - domain: example.net
    storage: "${dir}"
    master: tern
    acl: [notify, all]
`;
  return follower(await knotAt({ dir, port, key: keyOf(secret), sections }, "info"), port);
}

async function bindFollower({ dir, port, primary, secret, tls }: FollowerSetup): Promise<Follower> {
  const key = secret === undefined ? "" : `key ${KEY_NAME}`;
  const auth = tls ? `tls tern { ca-file "${tls.ca}"; remote-hostname "${tls.name}"; };\n` : "";
  const sections = `${auth}zone "example.net" {
  type secondary;
  primaries { 127.0.0.1 port ${primary} ${key} ${tls ? "tls tern" : ""}; };
  allow-notify { ${secret === undefined ? "127.0.0.1" : key}; };
  allow-transfer { 127.0.0.1; };
};
`;
  const options = ["min-refresh-time 1;"];
  return follower(await bindAt({ dir, port, key: keyOf(secret), options, sections }), port);
}

function follower(command: readonly string[], port: number): Follower {
  const child = Bun.spawn([...command], { stdout: "ignore", stderr: "pipe" });
  let log = "";
  void (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  return {
    port,
    get log() {
      return log;
    },
    [Symbol.asyncDispose]: () => ended(child),
  };
}
