import { type Figures, type RowReport, show, sides } from "./compare.ts";
import { median } from "./figures.ts";
import { machine } from "./machine.ts";
import { cpuTime, resident } from "./server.ts";
import { overWan, WAN_ROWS } from "./tunnel-wan.ts";
import { openvpn, ternWay, type Way, wire, wireguardGo } from "./tunnel-ways.ts";
import type { Options } from "./web.ts";

/** What the project's sixth issue asks for. */
const ROWS = [
  { name: "tcp", says: "one TCP stream, bits/s", per: "GB" },
  { name: "udp", says: "UDP of 1200 bytes, packets/s", per: "packet" },
  { name: "lean", says: "… 64 with a system call, packets/s", per: "packet" },
  { name: "ping", says: "ping, idle, µs", per: "ping" },
] as const;
const TCP_BAR = 8;
const WIRE_BAR = 0.25;
const UDP_BAR = 3;
const PING_TIMES = 2;
const PING_MORE_US = 300;
const PINGS = 50;
const DATAGRAM = 1200;
/**
 * Offered one after another, since whoever is offered far too much delivers less: each a quarter more
 * than the one before, so that none is far from the best there is.
 */
const OFFERED = [250, 320, 400, 500, 640, 800, 1000, 1250, 1600, 2000, 2500];
const LEAN_PORT = 5202;
/** What the receiving socket holds: a default of 200 KB is full before its reader is awake. */
const SOCKET_BUFFER = 2 ** 21;
const NOTE =
  "CPU and RSS: of both ends of a tunnel together; both, and iperf3 twice, share this machine.\n";

type RowName = (typeof ROWS)[number]["name"];

/** One look at one way. */
interface Seen {
  readonly figure: number;
  /** GB, packets or pings that it carried. */
  readonly units: number;
  readonly seconds: number;
  /** Microseconds. */
  readonly cpu: number;
}

/** Tunnels between two namespaces over a veth: ours, wireguard-go's, OpenVPN's; and the bare wire. */
export async function tunnel(options: Options): Promise<RowReport[]> {
  const { say, rounds, seconds } = options;
  const names = [...ROWS.map(({ name }) => name), ...WAN_ROWS];
  if (options.rows?.some((row) => !names.includes(row))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  if (process.getuid?.() !== 0) throw new Error("this needs root: namespaces and devices");
  const command = options.tern === undefined ? undefined : [options.tern];
  say(`${await machine()}\n${rounds} rounds of ${seconds} s; one of 20 s over bad links\n\n`);
  const reports = [
    ...(await overVeth(options, command)),
    ...(await overWan(options.rows, command)),
  ];
  say(show(reports));
  say(NOTE);
  return reports;
}

async function overVeth(
  { rows, rounds, seconds }: Options,
  command: readonly string[] | undefined,
): Promise<RowReport[]> {
  const reports: RowReport[] = [];
  if (rows?.every((row) => WAN_ROWS.includes(row)) === true) return reports;
  await using ways = new AsyncDisposableStack();
  const all: Way[] = [];
  for (const make of [wire, () => ternWay(command), wireguardGo, openvpn])
    all.push(ways.use(await make()));
  for (const { name, says, per } of ROWS) {
    if (rows?.includes(name) === false) continue;
    const measured = new Map<Way, Seen[]>(all.map((way) => [way, []]));
    for (const way of all) await look(name, way, 1); // compiled, and awake
    for (let i = 0; i < rounds; i++)
      for (const way of i % 2 === 0 ? all : all.toReversed())
        measured.get(way)?.push(await look(name, way, seconds));
    const figures: Figures[] = [];
    for (const [way, seen] of measured)
      figures.push({
        server: way.name,
        figure: median(seen.map((one) => one.figure)),
        cpu: median(seen.map((one) => one.cpu / one.units)),
        core: median(seen.map((one) => one.cpu / 1e6 / one.seconds)),
        memory: (await Promise.all(way.pids.map(resident))).reduce((a, b) => a + b, 0),
        errors: 0,
      });
    reports.push(...judged(name, says, per, figures));
  }
  return reports;
}

/** The figures against each bar. */
function judged(name: RowName, row: string, per: string, figures: Figures[]): RowReport[] {
  const bare = figures.filter(({ server }) => server === "wire" || server === "tern");
  const tunnels = figures.filter(({ server }) => server !== "wire");
  const { ours, others } = sides(tunnels);
  const wireFigure = bare.find(({ server }) => server === "wire")?.figure ?? NaN;
  if (name === "ping") {
    const most = PING_TIMES * wireFigure + PING_MORE_US;
    const met = ours.figure <= most;
    const ratio = ours.figure / wireFigure;
    return [{ row, per, figures, ratio, bar: `≤ ${Math.round(most)} µs`, met }];
  }
  const bar = name === "tcp" ? TCP_BAR : UDP_BAR;
  const rivals = name === "tcp" ? others : others.filter(({ server }) => server === "wireguard-go");
  const ratio = ours.figure / Math.max(...rivals.map(({ figure }) => figure));
  // What iperf3 itself costs is in every figure: the bare wire shows how much, and so does `lean`.
  const shown = name === "tcp" ? tunnels : figures;
  const reports = [{ row, per, figures: shown, ratio, bar: `≥ ${bar}`, met: ratio >= bar }];
  if (name !== "tcp") return reports;
  const part = ours.figure / wireFigure;
  const against = { row: "… of the bare wire", per, figures: bare, ratio: part };
  return [...reports, { ...against, bar: `≥ ${WIRE_BAR}`, met: part >= WIRE_BAR }];
}

async function look(name: RowName, way: Way, seconds: number): Promise<Seen> {
  const before = await spent(way);
  const began = performance.now();
  const done =
    name === "ping"
      ? await pinged(way)
      : name === "tcp"
        ? await streamed(way, seconds)
        : await offered(way, seconds, name === "udp" ? byIperf : lean);
  const took = (performance.now() - began) / 1000;
  return { ...done, seconds: took, cpu: (await spent(way)) - before };
}

async function spent({ pids }: Way): Promise<number> {
  return (await Promise.all(pids.map(cpuTime))).reduce((a, b) => a + b, 0);
}

async function pinged({ net, to }: Way): Promise<Pick<Seen, "figure" | "units">> {
  const { out } = await net.run("far", "ping", "-n", "-c", `${PINGS}`, "-i", "0.02", to);
  const times = Array.from(out.matchAll(/time=([\d.]+) ms/g), ([, ms]) => Number(ms) * 1000);
  return { figure: median(times), units: times.length };
}

/** One TCP stream. */
async function streamed(way: Way, seconds: number): Promise<Pick<Seen, "figure" | "units">> {
  const { sum_received: sum } = await iperf(way, seconds);
  return { figure: sum?.["bits_per_second"] ?? 0, units: (sum?.["bytes"] ?? 0) / 1e9 };
}

/** Datagrams that came in so many seconds, when so many megabits were offered in each. */
type Offer = (way: Way, mbit: number, seconds: number) => Promise<number>;

/** The most datagrams that are delivered in a second, at whatever rate they are offered. */
async function offered(way: Way, seconds: number, offer: Offer) {
  let [figure, units] = [0, 0];
  const each = Math.max(1, Math.round(seconds / OFFERED.length));
  for (const mbit of OFFERED) {
    const came = await offer(way, mbit, each);
    figure = Math.max(figure, came / each);
    units += came;
  }
  return { figure, units };
}

async function byIperf(way: Way, mbit: number, seconds: number): Promise<number> {
  const allowed = Number(await Bun.file("/proc/sys/net/core/rmem_max").text());
  const buffer = `${Math.min(SOCKET_BUFFER, allowed)}`;
  const options = ["-u", "-b", `${mbit}M`, "-l", `${DATAGRAM}`, "-w", buffer];
  const { sum } = await iperf(way, seconds, ...options);
  return (sum?.["packets"] ?? 0) - (sum?.["lost_packets"] ?? 0);
}

/** By programs that send and receive many with one system call (udp-load.ts). */
async function lean({ net, to }: Way, mbit: number, seconds: number): Promise<number> {
  const load = [process.execPath, `${import.meta.dir}/udp-load.ts`];
  const inNear = ["ip", "netns", "exec", net.near];
  const receiver = Bun.spawn([...inNear, ...load, "receive", `${LEAN_PORT}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const lines = receiver.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value: ready } = await lines.read();
    if (ready !== "ready\n") throw new Error(`the receiver is not ready: ${ready}`);
    const offer = [to, LEAN_PORT, DATAGRAM, Math.round((mbit * 1e6) / 8 / DATAGRAM), seconds];
    const { code, err } = await net.run("far", ...load, "send", ...offer.map(String));
    if (code !== 0) throw new Error(err);
    await receiver.stdin.end();
    const { value: came = "" } = await lines.read();
    return (JSON.parse(came) as { datagrams: number }).datagrams;
  } finally {
    receiver.kill();
  }
}

type Sums = Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;

/** What iperf3 says at its end. */
async function iperf({ net, to }: Way, seconds: number, ...more: string[]): Promise<Sums> {
  const server = net.spawn("near", "iperf3", "-s", "-1");
  try {
    for (let tries = 0; ; tries++) {
      const { out } = await net.run("far", "iperf3", "-J", "-c", to, "-t", `${seconds}`, ...more);
      const { end = {} } = JSON.parse(out) as { end?: Sums };
      if (end["sum_received"] ?? end["sum"]) return end;
      if (tries > 20) throw new Error(out);
      await Bun.sleep(100); // it does not listen yet
    }
  } finally {
    server.kill("SIGKILL");
  }
}
