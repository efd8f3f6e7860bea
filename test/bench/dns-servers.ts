import { mkdir, readdir, readFile } from "node:fs/promises";

import { knotAt, nsdAt } from "../fake/dns-peers.ts";
import { freePort } from "../fake/ports.ts";
import { COMPUTED, LARGE, MEMBERS, SIGNED, ZONE } from "./dns-zones.ts";
import { cpuTime, resident, SERVER_CORE } from "./server.ts";

/** A name server under measure, alone on core 0. */
export interface NameServer extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** DNS over TLS; 0: it has none. */
  readonly tls: number;
  /** Signed answers to anybody: tern's has a limit on its usual port. */
  readonly open: number;
}

const START_MS = 20_000;
const END_MS = 5000;

/** tern: one process, with what it has by default; and a port without the limit on large answers. */
export async function tern(
  dir: string,
  command: readonly string[],
  alive: number,
): Promise<NameServer> {
  const [port, open, tls] = [await freePort(), await freePort(), await freePort()];
  const zones = [ZONE, SIGNED, LARGE].map((name) => `${name}: { file: ${dir}/${name}.zone }`);
  await Bun.write(
    `${dir}/tern.yaml`,
    `
workers: 1
user: root
state: ${dir}/state
log: { level: warn, format: text, file: "${dir}/tern.log" }
admin: { listen: [], socket: ${dir}/tern.sock }
tls: { certificates: [{ cert: ${dir}/tls.pem, key: ${dir}/tls.key }] }
dns:
  ns:
    listen: ["127.0.0.1:${port}"]
    tls: { listen: ["127.0.0.1:${tls}"] }
    zones: { ${zones.join(", ")} }
    names:
      a.${COMPUTED}:
        ttl: 60
        tiers: [[${MEMBERS.join(", ")}]]
        check: { kind: tcp, port: ${alive}, interval: 5s }
  open:
    listen: ["127.0.0.1:${open}"]
    amplification: 0
    zones: { ${SIGNED}: { file: ${dir}/${SIGNED}.zone } }
`,
  );
  const ports = { port, tls, open };
  return start("tern", [...command, "run", "-c", `${dir}/tern.yaml`], ports, `www.${ZONE}`);
}

/** NSD: one server process, no rate limit. */
export async function nsd(dir: string): Promise<NameServer> {
  const [port, tls] = [await freePort(), await freePort()];
  const zones = [ZONE, SIGNED].map(
    (name) => `zone:\n  name: ${name}\n  zonefile: ${dir}/${name}.zone\n`,
  );
  const options = [
    `ip-address: 127.0.0.1@${tls}`,
    `tls-port: ${tls}`,
    `tls-service-key: "${dir}/tls.key"`,
    `tls-service-pem: "${dir}/tls.pem"`,
    "minimal-responses: yes",
    "tcp-count: 1000",
    "rrl-ratelimit: 0",
    "rrl-whitelist-ratelimit: 0",
  ];
  const command = await nsdAt({ dir: `${dir}/nsd`, port, options, sections: zones.join("") });
  return start("NSD", command, { port, tls, open: port }, `www.${ZONE}`);
}

/** Knot: one worker for each transport. */
export async function knot(dir: string): Promise<NameServer> {
  const port = await freePort();
  const own = `${dir}/knot`;
  const zones = [ZONE, SIGNED].map(
    (name) => `  - domain: ${name}\n    file: "${dir}/${name}.zone"\n`,
  );
  const sections = `template:
  - id: default
    storage: "${own}"
    semantic-checks: off
    journal-content: none
    zonefile-sync: -1
zone:
${zones.join("")}`;
  const command = await knotAt({ dir: own, port, sections });
  return start("Knot", command, { port, tls: 0, open: port }, `www.${ZONE}`);
}

/** gdnsd: one UDP thread; the computed name is multifo's, watched by TCP. */
export async function gdnsd(dir: string, alive: number): Promise<NameServer> {
  const port = await freePort();
  const own = `${dir}/gdnsd`;
  await mkdir(`${own}/zones`, { recursive: true });
  const addresses = MEMBERS.map((address, i) => `        m${i} = ${address}`).join("\n");
  await Bun.write(
    `${own}/config`,
    `options => {
  listen => [ 127.0.0.1:${port} ],
  udp_threads => 1, tcp_threads => 1,
  run_dir => ${own}, state_dir => ${own},
}
service_types => { bench => { plugin => tcp_connect, port => ${alive}, interval => 5, timeout => 1 } }
plugins => {
  multifo => {
    six => {
      service_types => bench,
      up_thresh => 0.1,
${addresses}
    }
  }
}
`,
  );
  await Bun.write(`${own}/zones/${ZONE}`, Bun.file(`${dir}/${ZONE}.zone`));
  await Bun.write(
    `${own}/zones/${COMPUTED}`,
    `@ SOA ns1 hostmaster 1 3600 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\na 60 DYNA multifo!six\n`,
  );
  const command = ["/usr/sbin/gdnsd", "-c", own, "-R", "start"];
  return start("gdnsd", command, { port, tls: 0, open: port }, `www.${ZONE}`);
}

async function start(
  name: string,
  command: readonly string[],
  ports: Pick<NameServer, "port" | "tls" | "open">,
  question: string,
): Promise<NameServer> {
  const child = Bun.spawn(["taskset", "-c", SERVER_CORE, ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const complaint = new Response(child.stderr).text();
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await child.exited;
    clearTimeout(late);
  };
  for (const until = performance.now() + START_MS; ; await Bun.sleep(50)) {
    if (await answers(ports.port, question)) break;
    if (performance.now() < until && child.exitCode === null) continue;
    await end();
    throw new Error(`${name} does not answer on port ${ports.port}:\n${await complaint}`);
  }
  return { name, pid: child.pid, ...ports, [Symbol.asyncDispose]: end };
}

async function answers(port: number, name: string): Promise<boolean> {
  const dig = ["dig", "@127.0.0.1", "-p", String(port), name, "A", "+short", "+tries=1", "+time=1"];
  const child = Bun.spawn(dig, { stdio: ["ignore", "pipe", "ignore"] });
  return /^\d+\./.test(await new Response(child.stdout).text());
}

/** A process and all that it has started, and they. */
async function family(pid: number): Promise<number[]> {
  const found = [pid];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "");
    for (const child of children.trim().split(" ").filter(Boolean))
      found.push(...(await family(Number(child))));
  }
  return found;
}

/** CPU time of all of them, in microseconds. */
export async function familyTime(pid: number): Promise<number> {
  const all = await Promise.all((await family(pid)).map(cpuTime));
  return all.reduce((sum, one) => sum + one, 0);
}

/** Resident memory of all of them, in bytes; shared pages count for each. */
export async function familyMemory(pid: number): Promise<number> {
  const all = await Promise.all((await family(pid)).map(resident));
  return all.reduce((sum, one) => sum + one, 0);
}
