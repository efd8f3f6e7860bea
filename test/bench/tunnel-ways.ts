import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";
import { keyPair, type Lab, lab, twoEnds } from "../e2e/tunnel-lab.ts";

/** A way from one namespace to another. */
export interface Way extends AsyncDisposable {
  readonly name: string;
  readonly net: Lab;
  /** The near end's address, as the far one reaches it by this way. */
  readonly to: string;
  /** Processes that carry it; none for a bare wire. */
  readonly pids: readonly number[];
}

const PATIENCE_MS = 30_000;
/** As wg-quick has it: what a path of 1500 bytes carries in IPv6. */
const MTU = 1420;

/** No tunnel at all: what there is to lose. */
export async function wire(): Promise<Way> {
  const net = await lab();
  return { name: "wire", net, to: "10.50.0.1", pids: [], ...ending(net) };
}

export async function ternWay(command: readonly string[] = TERN): Promise<Way> {
  const net = await lab();
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-tunnel-"));
  const ends = twoEnds();
  const pids = [];
  for (const side of ["near", "far"] as const) {
    const file = join(dir, `${side}.json`);
    const config = {
      workers: 1,
      user: "root",
      state: join(dir, side),
      log: { file: join(dir, `${side}.log`) },
      admin: { listen: [] },
      tunnel: { warp: { ...ends[side], mtu: MTU } },
    };
    await Bun.write(file, JSON.stringify(config));
    pids.push(net.spawn(side, ...command, "run", "-c", file).pid);
  }
  return reached({ name: "tern", net, to: "10.60.0.1", pids, ...ending(net, dir) });
}

export async function wireguardGo(): Promise<Way> {
  const net = await lab();
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-tunnel-"));
  const keys = { near: keyPair(), far: keyPair() };
  const pids = [];
  for (const [side, other, last] of [
    ["near", "far", 1],
    ["far", "near", 2],
  ] as const) {
    // Its control socket is called as the device is, whatever the namespace.
    const device = `ttb${side}${process.pid % 10_000}`;
    const run = ["env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", "wireguard-go", "-f"];
    pids.push(net.spawn(side, ...run, device).pid);
    await until(async () => (await net.run(side, "wg", "show", device)).code === 0);
    const conf = join(dir, `${side}.conf`);
    await Bun.write(
      conf,
      `[Interface]\nPrivateKey = ${keys[side].key}\nListenPort = 51820\n[Peer]\nPublicKey = ${keys[other].pub}\nAllowedIPs = 10.60.0.0/24\nEndpoint = 10.50.0.${3 - last}:51820\n`,
    );
    await net.run(side, "wg", "setconf", device, conf);
    await net.ip(side, "address", "add", `10.60.0.${last}/24`, "dev", device);
    await net.ip(side, "link", "set", device, "mtu", `${MTU}`, "up");
  }
  return reached({ name: "wireguard-go", net, to: "10.60.0.1", pids, ...ending(net, dir) });
}

export async function openvpn(): Promise<Way> {
  const net = await lab();
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-tunnel-"));
  const prints: Record<string, string> = {};
  for (const side of ["near", "far"]) {
    const [key, cert] = [join(dir, `${side}.key`), join(dir, `${side}.pem`)];
    await said(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${side} -keyout ${key} -out ${cert}`.split(
        " ",
      ),
    );
    const { out } = await said([
      "openssl",
      "x509",
      "-in",
      cert,
      "-noout",
      "-fingerprint",
      "-sha256",
    ]);
    prints[side] = out.trim().split("=")[1] ?? "";
  }
  const pids = [];
  for (const [side, other, last] of [
    ["near", "far", 1],
    ["far", "near", 2],
  ] as const) {
    const command =
      `openvpn --dev ovpn --dev-type tun --proto udp4 --ifconfig 10.60.0.${last} 10.60.0.${3 - last} ` +
      `--${side === "near" ? "tls-server --dh none" : "tls-client --remote 10.50.0.1"} ` +
      `--cert ${dir}/${side}.pem --key ${dir}/${side}.key --peer-fingerprint ${prints[other]} ` +
      `--data-ciphers AES-256-GCM --cipher AES-256-GCM --sndbuf 4194304 --rcvbuf 4194304 --txqueuelen 1000 --verb 0`;
    pids.push(net.spawn(side, ...command.split(" ")).pid);
  }
  return reached({ name: "openvpn", net, to: "10.60.0.1", pids, ...ending(net, dir) });
}

/** Until something comes back. */
async function reached(way: Way): Promise<Way> {
  try {
    await until(async () => (await way.net.lost("far", way.to, 1)) === 0);
    return way;
  } catch (failed) {
    await way[Symbol.asyncDispose]();
    throw failed;
  }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await what()); await Bun.sleep(50))
    if (performance.now() > end) throw new Error("it did not come to be");
}

function ending(net: Lab, dir?: string): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await net[Symbol.asyncDispose]();
      if (dir !== undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
