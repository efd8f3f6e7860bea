import { humanBytes } from "../core/human-bytes.ts";
import type { TunnelStatus } from "../services/tunnel/status.ts";
import { age } from "./age.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { type Paint, painter, print, printJson } from "./terminal.ts";

type Tunnels = Readonly<Record<string, TunnelStatus>>;

const CLEAR = "\x1b[H\x1b[2J";

/** `tern tunnel status [NAME]`: who is there, how far, how much. */
export async function tunnelStatus(
  options: Where & { json?: boolean; watch?: boolean },
  name?: string,
): Promise<number> {
  for (let before: Seen | undefined; ;) {
    const seen = { tunnels: await asked(options, name), at: Date.now() };
    if (options.json) printJson(seen.tunnels);
    else {
      const text = showTunnels(seen, before, painter());
      print(options.watch ? `${CLEAR}${text}` : text);
    }
    if (!options.watch) return EXIT.ok;
    before = seen;
    await Bun.sleep(1000);
  }
}

/** `tern tunnel up|down|rekey NAME`. */
export function tunnelAct(what: "up" | "down" | "rekey") {
  return async (where: Where, name: string): Promise<number> => {
    const path = `/api/v1/services/tunnel/actions/${what}`;
    const answer = await ask(where, "POST", path, { tunnel: name });
    if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
    print(`${name}: ${what}`);
    return EXIT.ok;
  };
}

async function asked(options: Where, name: string | undefined): Promise<Tunnels> {
  const answer = await ask(options, "POST", "/api/v1/services/tunnel/actions/status", {});
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const all = answer.json as Tunnels;
  if (name === undefined) return all;
  const one = all[name];
  if (one === undefined) throw new Exit(EXIT.failed, `there is no tunnel ${name}`);
  return { [name]: one };
}

interface Seen {
  readonly tunnels: Tunnels;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** For people, as `wg show` does it; with rates when there was a look `before`. */
export function showTunnels(seen: Seen, before: Seen | undefined, paint: Paint): string {
  const blocks = Object.entries(seen.tunnels).map(([name, one]) => {
    const { state, traffic } = one;
    const color = state === "up" ? "green" : state === "held" ? "yellow" : "red";
    const then = before?.tunnels[name]?.traffic;
    const seconds = (seen.at - (before?.at ?? seen.at)) / 1000;
    const rate = (bytes: number, was: number | undefined): string =>
      was === undefined || seconds <= 0
        ? ""
        : ` (${(((bytes - was) * 8) / seconds / 1e6).toFixed(1)} Mbit/s)`;
    const ago = (at: number | null): string =>
      at === null ? "never" : `${age(Math.max(0, seen.at - at))} ago`;
    const loss = (part: number | null): string =>
      part === null ? "?" : `${(part * 100).toFixed(1)} %`;
    const lines: [string, string][] = [
      ["peer", `${one.peer ?? "not seen yet"}, key ${one.peerKey}`],
      ["listens", one.listen],
      ["keys", `${one.protocol}, ${one.cipher ?? "no cipher yet"}, made ${ago(one.handshakeAt)}`],
      ["heard", ago(one.heardAt)],
    ];
    if (one.rttMs !== null)
      lines.push([
        "path",
        `${one.rttMs} ms ± ${one.variationMs}, lost ${loss(one.lossOut)} out, ${loss(one.lossIn)} in`,
      ]);
    if (one.warning !== undefined) lines.push(["warning", one.warning]);
    if (one.repairs !== null)
      lines.push([
        "repairs",
        `${one.repairs.repeated} repeated, ${one.repairs.mended} mended, ${one.repairs.dropped} dropped, at ${(one.repairs.pace / 1e6).toFixed(1)} Mbit/s`,
      ]);
    lines.push(["sent", humanBytes(traffic.sentBytes) + rate(traffic.sentBytes, then?.sentBytes)]);
    lines.push([
      "received",
      humanBytes(traffic.receivedBytes) + rate(traffic.receivedBytes, then?.receivedBytes),
    ]);
    if (traffic.relayed > 0) lines.push(["relayed", `${traffic.relayed} datagrams`]);
    if (one.routes.length > 0)
      lines.push(["routes", `${one.routes.join(" ")}, metric ${one.metric}`]);
    const odd = troubles(one);
    if (odd !== "") lines.push(["dropped", paint("yellow", odd)]);
    const rows = lines.map(([key, value]) => `  ${paint("dim", key.padEnd(8))} ${value}`);
    return [
      `${paint("bold", name)}  ${paint(color, state)}  ${one.device}, mtu ${one.mtu}`,
      ...rows,
    ].join("\n");
  });
  return blocks.length === 0 ? "no tunnels" : blocks.join("\n\n");
}

/** What went wrong, if anything did. */
function troubles({ traffic }: TunnelStatus): string {
  const { forged, replayed, malformed, foreign, unsent, refused } = traffic;
  return Object.entries({ forged, replayed, malformed, foreign, unsent, refused })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ");
}
