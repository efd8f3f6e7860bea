import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { TYPE } from "../../../../src/wire/dns/types.ts";
import { freePort } from "../../../fake/ports.ts";
import { questionMessage } from "./ask.ts";

/** A zone to be served: its name, and its master file's path. */
export interface Served {
  readonly origin: string;
  readonly file: string;
}

/** Somebody else's name server, on loopback. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** Send a message, and wait for its answer. Many may be under way, told apart by their ids. */
  ask(message: Uint8Array): Promise<Uint8Array>;
}

const NSD = "/usr/sbin/nsd";
const KNOT = "/usr/sbin/knotd";
export const havePeers = Bun.file(NSD).size > 0 && Bun.file(KNOT).size > 0;

const RETRY_MS = 300;
const RETRIES = 10;
const LOADING_TURN_MS = 50;
const LOADING_TURNS = 200;

/** NSD, with minimal responses and answers as large as ours. */
export async function nsd(directory: string, zones: readonly Served[]): Promise<Peer> {
  const port = await freePort();
  const own = join(directory, "nsd");
  await mkdir(own);
  const text = `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${own}"
  pidfile: "${own}/pid"
  database: ""
  xfrdfile: "${own}/xfrd"
  zonelistfile: "${own}/zones"
  xfrdir: "${own}"
  minimal-responses: yes
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  ipv4-edns-size: 4096
remote-control:
  control-enable: no
${zones.map(({ origin, file }) => `zone:\n  name: "${origin}"\n  zonefile: "${file}"`).join("\n")}
`;
  const config = join(own, "nsd.conf");
  await Bun.write(config, text);
  return start("NSD", [NSD, "-d", "-c", config], port, zones);
}

/** Knot. */
export async function knot(directory: string, zones: readonly Served[]): Promise<Peer> {
  const port = await freePort();
  const own = join(directory, "knot");
  await mkdir(own);
  const text = `server:
  rundir: "${own}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 4096
log:
  - target: stderr
    any: error
database:
  storage: "${own}"
template:
  - id: default
    storage: "${own}"
    semantic-checks: off
    journal-content: none
    zonefile-sync: -1
zone:
${zones.map(({ origin, file }) => `  - domain: ${origin}\n    file: "${file}"`).join("\n")}
`;
  const config = join(own, "knot.conf");
  await Bun.write(config, text);
  return start("Knot", [KNOT, "-c", config], port, zones);
}

async function start(
  name: string,
  command: readonly string[],
  port: number,
  zones: readonly Served[],
): Promise<Peer> {
  const child = Bun.spawn([...command], { stdout: "ignore", stderr: "ignore" });
  const waiting = new Map<number, (answer: Uint8Array) => void>();
  const socket = await Bun.udpSocket({
    connect: { hostname: "127.0.0.1", port },
    socket: {
      data(_, bytes) {
        const id = bytes.readUInt16BE(0);
        waiting.get(id)?.(Uint8Array.from(bytes));
        waiting.delete(id);
      },
      error() {}, // the same
    },
  });

  async function ask(message: Uint8Array): Promise<Uint8Array> {
    const id = ((message[0] as number) << 8) | (message[1] as number);
    for (let i = 0; i < RETRIES; i++) {
      const answer = Promise.withResolvers<Uint8Array | undefined>();
      waiting.set(id, answer.resolve);
      try {
        socket.send(message);
      } catch {
        // ECONNREFUSED: nobody listens yet
      }
      const timer = setTimeout(() => answer.resolve(undefined), RETRY_MS);
      const got = await answer.promise;
      clearTimeout(timer);
      if (got !== undefined) return got;
    }
    throw new Error(`${name} says nothing`);
  }

  for (const { origin } of zones) {
    const message = questionMessage(0, origin, TYPE.SOA, false);
    // SERVFAIL while the zone is being read, or when it cannot be.
    for (let i = 0; ((await ask(message))[3] ?? 0) & 15; i++) {
      if (i === LOADING_TURNS) throw new Error(`${name} does not serve ${origin}`);
      await Bun.sleep(LOADING_TURN_MS);
    }
  }
  return {
    name,
    ask,
    async [Symbol.asyncDispose]() {
      socket.close();
      child.kill();
      await child.exited;
    },
  };
}
