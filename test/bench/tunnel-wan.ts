import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";
import { twoEnds } from "../e2e/tunnel-lab.ts";
import type { Figures, RowReport } from "./compare.ts";
import { median } from "./figures.ts";
import { cpuTime, resident } from "./server.ts";
import { wideArea } from "./wanem/wan.ts";

/** Links of 100 Mbit/s that lose some each way; bars are bits per second of one cubic stream. */
const LINKS = [
  { name: "wan150", delay: 75, loss: 1, bar: 88e6 },
  { name: "wan200", delay: 100, loss: 2, bar: 85e6 },
  { name: "wan20", delay: 10, loss: 0.1, bar: 92e6 },
] as const;
const SHARED = { name: "share", delay: 25, loss: 0.1, bar: 0.7 } as const;
/** What waits longer than so many round trips is too much. */
const QUEUE_BAR = 1.5;
/** What a stream carries once it has got going, after so long, ours and others' alike; and from the first packet. */
const SECONDS = 20;
const STARTED = 5;
/** iperf3 -s on a machine that is busy takes its time. */
const TRIES = 100;
const PATIENCE_MS = 30_000;

type Conditions = { readonly delay: number; readonly loss: number };

export const WAN_ROWS: readonly string[] = [...LINKS.map(({ name }) => name), SHARED.name];

/** One cubic stream through `transport: udt`, and without a tunnel; and two tunnels on one link. */
export async function overWan(
  rows: readonly string[] | undefined,
  command: readonly string[] = TERN,
): Promise<RowReport[]> {
  const reports: RowReport[] = [];
  for (const link of LINKS)
    if (rows?.includes(link.name) !== false) reports.push(...(await alone(link, command)));
  if (rows?.includes(SHARED.name) !== false) reports.push(await shared(command));
  return reports;
}

async function alone(link: (typeof LINKS)[number], command: readonly string[]) {
  const { delay, loss, bar } = link;
  await using ends = await joined(link, 1, command);
  const before = await ends.spent();
  const [stream, inside, outside] = await Promise.all([
    ends.stream("10.60.0.1", "cubic"),
    ends.pings("10.60.0.1"),
    ends.pings("10.99.0.1"),
  ]);
  const ours = await ends.figures("tern", stream, before);
  const bare: Figures[] = [];
  const bareLate: Figures[] = [];
  for (const control of ["cubic", "bbr"]) {
    const { bits, late } = await ends.stream("10.99.0.1", control);
    bare.push({ ...NOBODY, server: control, figure: bits });
    bareLate.push({ ...NOBODY, server: control, figure: late });
  }
  const most = QUEUE_BAR * 2 * delay * 1000;
  const added = (pings: number): number => pings - 2 * delay * 1000;
  const says = `${2 * delay} ms, ${loss} %`;
  return [
    {
      row: `${says}: bits/s after ${STARTED} s`,
      per: "GB",
      figures: [{ ...ours, figure: stream.late }, ...bareLate],
      ratio: stream.late / Math.max(...bareLate.map(({ figure }) => figure)),
      bar: `≥ ${bar / 1e6} M`,
      met: stream.late >= bar,
    },
    {
      row: "… from the first packet",
      per: "GB",
      figures: [ours, ...bare],
      ratio: ours.figure / Math.max(...bare.map(({ figure }) => figure)),
      bar: `≥ ${bar / 1e6} M`,
      met: ours.figure >= bar,
    },
    {
      row: "… added to pings meanwhile, µs",
      per: "ping",
      figures: [
        { ...NOBODY, server: "tern", figure: added(inside) },
        { ...NOBODY, server: "link", figure: added(outside) },
      ],
      ratio: added(inside) / (2 * delay * 1000),
      bar: `≤ ${most} µs`,
      met: added(inside) <= most,
    },
  ];
}

async function shared(command: readonly string[]): Promise<RowReport> {
  await using ends = await joined(SHARED, 2, command);
  const before = await ends.spent();
  const streams = await Promise.all(
    ["10.60.0.1", "10.60.1.1"].map((to) => ends.stream(to, "cubic")),
  );
  const bits = streams.map((stream) => stream.bits);
  const both = {
    bits: bits.reduce((a, b) => a + b, 0),
    bytes: streams.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const ratio = Math.min(...bits) / Math.max(...bits);
  return {
    row: "two tunnels, one link of 50 ms: bits/s",
    per: "GB",
    figures: [
      await ends.figures("tern", both, before),
      ...bits.map((figure, i) => ({ ...NOBODY, server: `tunnel ${i + 1}`, figure })),
    ],
    ratio,
    bar: `≥ ${SHARED.bar}`,
    met: ratio >= SHARED.bar,
  };
}

/** Of those who are no process of ours. */
const NOBODY = { cpu: 0, core: 0, memory: 0, errors: 0 };

interface Stream {
  readonly bits: number;
  readonly bytes: number;
  /** Bits per second as they were received, once it had got going. */
  readonly late: number;
}

/** What a client of iperf3 says, and of what its server got (--get-server-output). */
interface Iperf {
  readonly server_output_json?: {
    readonly intervals: readonly {
      readonly sum: { readonly start: number; readonly seconds: number; readonly bytes: number };
    }[];
  };
  readonly end?: { readonly sum_received?: { bits_per_second: number; bytes: number } };
}

/** `count` tunnels between two namespaces, once something comes through each. */
async function joined({ delay, loss }: Conditions, count: number, command: readonly string[]) {
  await using stack = new AsyncDisposableStack();
  const net = stack.use(
    await wideArea(`delay=${delay}ms loss=${loss} rate=100mbit queue=1000`, "tb"),
  );
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-wan-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const inside = (name: string, ...words: readonly string[]): string[] => [
    "ip",
    "netns",
    "exec",
    name,
    ...words,
  ];
  const tunnels = Array.from({ length: count }, (_, i) => {
    const port = 9000 + i;
    const udt = { transport: "udt" };
    return twoEnds({
      near: {
        ...udt,
        listen: `${net.nearAddress}:${port}`,
        local: `10.60.${i}.1`,
        remote: `10.60.${i}.2`,
      },
      far: {
        ...udt,
        peer: `${net.nearAddress}:${port}`,
        local: `10.60.${i}.2`,
        remote: `10.60.${i}.1`,
      },
    });
  });
  const pids: number[] = [];
  for (const side of ["near", "far"] as const) {
    const file = join(dir, `${side}.json`);
    const config = {
      workers: 1,
      user: "root",
      state: join(dir, side),
      log: { file: join(dir, `${side}.log`) },
      admin: { listen: [] },
      tunnel: Object.fromEntries(tunnels.map((ends, i) => [`warp${i}`, ends[side]])),
    };
    await Bun.write(file, JSON.stringify(config));
    const child = Bun.spawn(inside(net[side], ...command, "run", "-c", file), {
      stdio: ["ignore", "ignore", "ignore"],
    });
    stack.defer(async () => {
      child.kill("SIGKILL");
      await child.exited;
    });
    pids.push(child.pid);
  }
  for (let i = 0; i < count; i++) await reached(inside(net.far), `10.60.${i}.1`);
  const all = stack.move();
  const spent = async (): Promise<number> =>
    (await Promise.all(pids.map(cpuTime))).reduce((a, b) => a + b, 0);
  return {
    spent,
    async stream(to: string, control: string): Promise<Stream> {
      const serve = (): Bun.Subprocess =>
        Bun.spawn(inside(net.near, "iperf3", "-s", "-1", "-J", "-B", to), {
          stdio: ["ignore", "ignore", "ignore"],
        });
      let server = serve();
      try {
        const client = ["iperf3", "-J", "-c", to, "-C", control, "-t", `${SECONDS}`];
        client.push("--get-server-output");
        for (let tries = 0; ; tries++) {
          const { out } = await said(inside(net.far, ...client));
          const { end, server_output_json: received } = JSON.parse(out) as Iperf;
          const sum = end?.sum_received;
          if (sum !== undefined && received !== undefined) {
            const after = received.intervals
              .map((one) => one.sum)
              .filter(({ start }) => start > STARTED - 0.5 && start < SECONDS - 0.5);
            const bytes = after.reduce((all, one) => all + one.bytes, 0);
            const seconds = after.reduce((all, one) => all + one.seconds, 0);
            return { bits: sum.bits_per_second, bytes: sum.bytes, late: (bytes * 8) / seconds };
          }
          if (tries > TRIES) throw new Error(out);
          await Bun.sleep(100); // it does not listen yet, or has had enough of one who went away
          if (server.exitCode !== null) server = serve();
        }
      } finally {
        server.kill("SIGKILL");
      }
    },
    /** The middle of what pings took while a stream runs, µs. */
    async pings(to: string): Promise<number> {
      const ping = ["ping", "-n", "-c", `${(SECONDS - 2) * 5}`, "-i", "0.2", "-W", "5", to];
      const { out } = await said(inside(net.far, ...ping));
      return median(Array.from(out.matchAll(/time=([\d.]+) ms/g), ([, ms]) => Number(ms) * 1000));
    },
    async figures(
      server: string,
      { bits, bytes }: Pick<Stream, "bits" | "bytes">,
      before: number,
    ): Promise<Figures> {
      const cpu = (await spent()) - before;
      return {
        server,
        figure: bits,
        cpu: cpu / (bytes / 1e9),
        core: cpu / 1e6 / SECONDS,
        memory: (await Promise.all(pids.map(resident))).reduce((a, b) => a + b, 0),
        errors: 0,
      };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function reached(inside: readonly string[], to: string): Promise<void> {
  const ping = [...inside, "ping", "-n", "-c", "1", "-W", "2", to];
  for (const end = performance.now() + PATIENCE_MS; ; await Bun.sleep(100)) {
    if ((await said(ping)).code === 0) return;
    if (performance.now() > end) throw new Error(`nothing comes from ${to}`);
  }
}
