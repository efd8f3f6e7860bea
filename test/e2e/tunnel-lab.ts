/** Two machines with a wire or two between them, and what runs in them; root only. */
import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";

import { publicKeyOf } from "../../src/cli/tunnel-keys.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, TERN } from "./from-source.ts";

export interface Pings {
  readonly count: number;
  readonly interval: number;
  readonly patience: number;
  /** More of ping(8). */
  readonly options?: readonly string[];
}

/** How many pings were sent, and the number of each that was answered, as the answers came. */
export interface Answered {
  readonly sent: number;
  readonly answered: readonly number[];
}

let made = 0;

/** A network namespace for each of two ends; gone at the end of the scope. */
export interface Lab extends AsyncDisposable {
  readonly near: string;
  readonly far: string;
  /** `ip …` in the near one or the far one. */
  ip(side: "near" | "far", ...args: string[]): Promise<string>;
  /** From now on the first wire carries so many bits per second each way, and a tenth of a second of them waits. */
  narrow(bitsPerSecond: number): Promise<void>;
  /** What a program says there, with its exit code. */
  run(side: "near" | "far", ...command: string[]): ReturnType<typeof said>;
  /** A program that runs until the lab is gone. */
  spawn(side: "near" | "far", ...command: string[]): Bun.Subprocess;
  /** Pings every `interval` seconds, until `count` are answered, or for `patience` seconds more than they take. */
  pings(side: "near" | "far", to: string, ping: Pings): Promise<Answered>;
  /** Percent of the first `count` pings that were not answered. */
  lost(side: "near" | "far", to: string, count?: number, interval?: number): Promise<number>;
  /** A tern with this section there. */
  tern(side: "near" | "far", tunnel: object, root?: object): Promise<Appliance>;
}

/** Outside, the near end is 10.50.0.1 and fd50::1, the far one .2; on the second wire it is 10.51. */
export async function lab(wires = 1): Promise<Lab> {
  const id = `${process.pid}-${made++}`;
  const names = { near: `tt-near-${id}`, far: `tt-far-${id}` };
  const children: Bun.Subprocess[] = [];
  const ok = async (...command: string[]): Promise<string> => {
    const { code, out, err } = await said(command);
    if (code !== 0) throw new Error(`${command.join(" ")}: ${err}`);
    return out;
  };
  const me: Lab = {
    ...names,
    ip: (side, ...args) => ok("ip", "-n", names[side], ...args),
    async narrow(bitsPerSecond) {
      const words = `rate ${bitsPerSecond}bit burst 16kb latency 100ms`.split(" ");
      for (const name of [names.near, names.far])
        await ok("tc", "-n", name, "qdisc", "add", "dev", "wire0", "root", "tbf", ...words);
    },
    run: (side, ...command) => said(["ip", "netns", "exec", names[side], ...command]),
    spawn(side, ...command) {
      const child = Bun.spawn(["ip", "netns", "exec", names[side], ...command], {
        stdio: ["ignore", "ignore", "ignore"],
      });
      children.push(child);
      return child;
    },
    async pings(side, to, { count, interval, patience, options = [] }) {
      // Without -w it gives up on the last ones after two round trips, which a busy machine may take once longer.
      const deadline = Math.ceil(count * interval) + patience;
      const words = ["-n", "-c", count, "-i", interval, "-w", deadline, ...options, to].map(String);
      const { out } = await me.run(side, "ping", ...words);
      const answered = [...out.matchAll(/bytes from .*icmp_seq=(\d+)/g)].map(([, n]) => Number(n));
      return { sent: Number(/(\d+) packets transmitted/.exec(out)?.[1] ?? 0), answered };
    },
    async lost(side, to, count = 5, interval = 0.1) {
      const { answered } = await me.pings(side, to, { count, interval, patience: 1 });
      const known = new Set(answered.filter((n) => n <= count));
      return (100 * (count - known.size)) / count;
    },
    tern: (side, tunnel, root = {}) =>
      appliance(
        (dir) => {
          chmodSync(dir, 0o755); // for those who are to be nobody
          return {
            workers: 1,
            user: "root",
            state: `${dir}/var`,
            admin: { listen: [] },
            ...root,
            tunnel,
          };
        },
        { command: ["ip", "netns", "exec", names[side], ...TERN] },
      ),
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => child.exited));
      for (const name of Object.values(names)) await said(["ip", "netns", "del", name]);
    },
  };
  try {
    for (const name of Object.values(names)) {
      await ok("ip", "netns", "add", name);
      await ok("ip", "-n", name, "link", "set", "lo", "up");
    }
    for (let i = 0; i < wires; i++) {
      const wire = `wire${i}`;
      const peer = ["type", "veth", "peer", "name", wire, "netns", names.far];
      await me.ip("near", "link", "add", wire, ...peer);
      for (const [side, last] of [
        ["near", 1],
        ["far", 2],
      ] as const) {
        await me.ip(side, "address", "add", `10.5${i}.0.${last}/24`, "dev", wire);
        await me.ip(side, "address", "add", `fd5${i}::${last}/64`, "dev", wire, "nodad");
        await me.ip(side, "link", "set", wire, "up");
      }
    }
    return me;
  } catch (failed) {
    await me[Symbol.asyncDispose]();
    throw failed;
  }
}

/** A private key and its public one, in base64. */
export function keyPair(): { key: string; pub: string } {
  const key = randomBytes(32);
  key[0] = (key[0] ?? 0) & 248;
  key[31] = ((key[31] ?? 0) & 127) | 64;
  const text = key.toString("base64");
  return { key: text, pub: publicKeyOf(text) };
}

/** Sections of two ends: the near one waits, the far one comes. */
export function twoEnds(changes: { near?: object; far?: object } = {}) {
  const [a, b] = [keyPair(), keyPair()];
  return {
    near: {
      listen: "10.50.0.1:9000",
      local: ["10.60.0.1", "fd60::1/64"],
      remote: ["10.60.0.2", "fd60::2"],
      key: a.key,
      peer_key: b.pub,
      ...changes.near,
    },
    far: {
      peer: "10.50.0.1:9000",
      local: ["10.60.0.2", "fd60::2/64"],
      remote: ["10.60.0.1", "fd60::1"],
      key: b.key,
      peer_key: a.pub,
      ...changes.far,
    },
  };
}

/**
 * Of datagrams to the near end, 20 Mbit/s for a second, the percentage that was lost, but for those that a kernel had
 * no room for, since whoever was to read them was not there in time: a machine that is busy loses some that way.
 */
export async function datagramsLost(net: Lab, to: string): Promise<number> {
  const before = await withoutRoom(net);
  const { packets, lost } = await iperf(net, to, "-u", "-b", "20M", "-l", "1200");
  return (100 * (lost - ((await withoutRoom(net)) - before))) / packets;
}

/** Datagrams and packets that sockets and devices of both ends had no room for. */
async function withoutRoom(net: Lab): Promise<number> {
  let count = 0;
  for (const side of ["near", "far"] as const) {
    const { out: snmp } = await net.run(side, "cat", "/proc/net/snmp");
    const [names = [], values = []] = [...snmp.matchAll(/^Udp: (.*)$/gm)].map(([, row = ""]) =>
      row.split(" "),
    );
    count += Number(values[names.indexOf("RcvbufErrors")]);
    const { out: links } = await net.run(side, "ip", "-j", "-s", "link");
    for (const { stats64 } of JSON.parse(links) as Link[])
      count += stats64.rx.dropped + stats64.tx.dropped;
  }
  return count;
}

/** As `ip -j -s link` says it. */
interface Link {
  readonly stats64: {
    readonly rx: { readonly dropped: number };
    readonly tx: { readonly dropped: number };
  };
}

/** Bits per second that iperf3 moved, and of its datagrams how many were sent and lost. */
export async function iperf(
  { run, spawn }: Pick<Lab, "run" | "spawn">,
  to: string,
  ...more: string[]
): Promise<{ bitsPerSecond: number; packets: number; lost: number }> {
  const server = spawn("near", "iperf3", "-s", "-1");
  try {
    for (let tries = 0; ; tries++) {
      const { out } = await run("far", "iperf3", "-J", "-c", to, "-t", "1", ...more);
      const end = (JSON.parse(out) as { end?: Record<string, Record<string, number>> }).end;
      const sum = end?.["sum_received"] ?? end?.["sum"];
      if (sum !== undefined)
        return {
          bitsPerSecond: sum["bits_per_second"] ?? 0,
          packets: end?.["sum"]?.["packets"] ?? 0,
          lost: end?.["sum"]?.["lost_packets"] ?? 0,
        };
      if (tries > 100) throw new Error(out);
      await Bun.sleep(100); // it does not listen yet
    }
  } finally {
    server.kill("SIGKILL");
  }
}
