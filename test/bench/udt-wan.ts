import { buildPeers } from "../net/udt/peers/build.ts";
import type { Figures, RowReport } from "./compare.ts";
import { median } from "./figures.ts";
import { type Moved, PROGRAM } from "./udt-transfers.ts";
import { type WideArea, wideArea } from "./wanem/wan.ts";

/** Links of the project's sixth issue: loss each way in percent. */
export const WAN_ROWS = [
  { name: "wan150", says: "100 Mbit/s, 150 ms, 1 % lost, bytes/s", rtt: 150, loss: 1 },
  { name: "wan200", says: "100 Mbit/s, 200 ms, 2 % lost, bytes/s", rtt: 200, loss: 2 },
  { name: "wan20", says: "100 Mbit/s, 20 ms, 0.1 % lost, bytes/s", rtt: 20, loss: 0.1 },
] as const;

const LINK_BYTES = 100e6 / 8;
/** Of the link, headers and all, and of what is lost on it. */
const BAR = 0.9;
/** A round is so much longer than over loopback: it begins with a start of many round trips. */
const LONGER = 4;
/** The period of libudt's sender, as Mbit/s: it sends 16 packets where 15 are due, and some of them again. */
const FIXED_MBITS = 92;
const PORT = 9000;
const READY_MS = 10_000;

/** Bytes per second that arrive, from our sender and from libudt's at a fixed rate; the receiver is ours. */
export async function overWan(
  { says, rtt, loss }: (typeof WAN_ROWS)[number],
  rounds: number,
  seconds: number,
): Promise<RowReport> {
  const { peer } = await buildPeers();
  const long = seconds * LONGER;
  const bytes = Math.round((FIXED_MBITS * 1e6 * long) / 8);
  await using wan = await wideArea(`delay=${rtt / 2}ms loss=${loss} rate=100mbit`, "e6");
  const senders = {
    tern: [...PROGRAM, "send", `${wan.farAddress}:${PORT}`, String(long), "close"],
    "libudt, fixed": [peer, "send", wan.farAddress, String(PORT), `${bytes}`, `${FIXED_MBITS}`],
  };
  const figures: Figures[] = [];
  for (const [server, command] of Object.entries(senders)) {
    const moved: Moved[] = [];
    for (let i = 0; i < rounds; i++) moved.push(await move(wan, command));
    figures.push({
      server,
      figure: median(moved.map((one) => one.bytes / one.seconds)),
      cpu: median(moved.map((one) => one.cpu / (one.bytes / 1e9))),
      core: median(moved.map((one) => one.cpu / 1e6 / one.seconds)),
      memory: median(moved.map(({ memory }) => memory)),
      errors: 0,
    });
  }
  const ratio = Math.min(...figures.map(({ figure }) => figure)) / LINK_BYTES;
  return { row: says, per: "GB", figures, ratio, bar: `≥ ${BAR} of it`, met: ratio >= BAR };
}

async function move(wan: WideArea, sender: readonly string[]): Promise<Moved> {
  const inside = (name: string, command: readonly string[]) =>
    Bun.spawn(["ip", "netns", "exec", name, ...command], { stdio: ["ignore", "pipe", "inherit"] });
  const receiving = inside(wan.far, [...PROGRAM, "receive", `0.0.0.0:${PORT}`]);
  let sending: ReturnType<typeof inside> | undefined;
  try {
    const lines = receiving.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const late = setTimeout(() => receiving.kill(), READY_MS);
    const { value } = await lines.read();
    clearTimeout(late);
    if (value !== "ready\n") throw new Error(`the receiver is not ready: ${value}`);
    sending = inside(wan.near, sender);
    // A receiver waits for ever for a sender that did not come to connect.
    const failed = sending.exited.then((code) => {
      if (code === 0) return lines.read();
      throw new Error(`the sender: exit code ${code}`);
    });
    const { value: said } = await Promise.race([lines.read(), failed]);
    const { bytes, seconds } = JSON.parse(said ?? "") as Moved;
    await Promise.all([sending.exited, receiving.exited]);
    const used = [sending, receiving].map((one) => one.resourceUsage());
    return {
      bytes,
      seconds,
      cpu: used.reduce((sum, one) => sum + Number(one?.cpuTime.total ?? 0), 0),
      memory: used.reduce((sum, one) => sum + (one?.maxRSS ?? 0), 0),
    };
  } finally {
    receiving.kill("SIGKILL");
    sending?.kill("SIGKILL");
  }
}
