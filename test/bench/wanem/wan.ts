import { join } from "node:path";

import type { Counts } from "./pipe.ts";

/** Two namespaces with a bad link between them. Root only; gone at the end of the scope. */
export interface WideArea extends AsyncDisposable {
  /** Names of the namespaces. */
  readonly near: string;
  readonly far: string;
  /** Their addresses on the link; it is 10.99.0.0/24 and fd99::/64 on both devices `wan0`. */
  readonly nearAddress: string;
  readonly farAddress: string;
  /** Change the link: words of `conditions.ts`, such as `loss=5 ab.delay=10ms`, `down`, `up`. */
  set(words: string): void;
  /** What happened since the beginning, from the near one to the far one and back. */
  stats(): Promise<{ there: Counts; back: Counts }>;
}

/** What a sender over a long and fat link needs. */
const SYSCTLS = [
  "net.ipv4.tcp_rmem=4096 131072 67108864",
  "net.ipv4.tcp_wmem=4096 65536 67108864",
  "net.ipv4.tcp_slow_start_after_idle=0",
];

let made = 0;

/** `prefix` begins the names of the namespaces. */
export async function wideArea(words: string, prefix = "tn"): Promise<WideArea> {
  const [near, far] = ["a", "b"].map((end) => `${prefix}-${process.pid}-${made}${end}`) as [
    string,
    string,
  ]; // one for each
  made++;
  const remove = (): void => {
    for (const name of [near, far]) Bun.spawnSync(["ip", "netns", "del", name]);
  };
  const wanem = join(import.meta.dir, "wanem.ts");
  let child: Bun.Subprocess<"pipe", "pipe", "inherit"> | undefined;
  try {
    for (const name of [near, far]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
      for (const sysctl of SYSCTLS) ip("netns", "exec", name, "sysctl", "-qw", sysctl);
    }
    // It is to be the link, however busy those are who use it.
    const first = ["nice", "-n", "-15", process.execPath, wanem];
    child = Bun.spawn([...first, `${near}:wan0`, `${far}:wan0`, ...words.split(" ")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = linesOf(child.stdout);
    if ((await lines.next()).value !== "ready") throw new Error("wanem did not start");
    const ends = [near, far].map((name) => ({ name, hardware: hardwareOf(name) }));
    for (const [i, { name }] of ends.entries()) {
      const other = ends[1 - i]?.hardware ?? "";
      for (const [network, bits] of [
        ["10.99.0.", 24],
        ["fd99::", 64],
      ] as const) {
        ip("-n", name, "addr", "add", `${network}${i + 1}/${bits}`, "dev", "wan0", "nodad");
        // They know one another: a question that is lost would hold up everything for a second.
        ip("-n", name, "neigh", "replace", `${network}${2 - i}`, "lladdr", other, "dev", "wan0");
      }
    }
    return { near, far, ...link(child, lines, remove) };
  } catch (failed) {
    child?.kill();
    remove();
    throw failed;
  }
}

function link(
  child: Bun.Subprocess<"pipe", "pipe", "inherit">,
  lines: AsyncGenerator<string, void>,
  remove: () => void,
): Omit<WideArea, "near" | "far"> {
  const say = (line: string): void => {
    void child.stdin.write(`${line}\n`);
    void child.stdin.flush();
  };
  return {
    nearAddress: "10.99.0.1",
    farAddress: "10.99.0.2",
    set: say,
    stats: async () => {
      say("stats");
      const { value } = await lines.next();
      return JSON.parse(value ?? "") as { there: Counts; back: Counts };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
      remove();
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const whole = rest.split("\n");
    rest = whole.pop() ?? "";
    yield* whole;
  }
}

/** Ethernet address of the device in a namespace. */
function hardwareOf(name: string): string {
  const [, hardware = ""] = /link\/ether (\S+)/.exec(ip("-n", name, "link", "show", "wan0")) ?? [];
  return hardware;
}

function ip(...args: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}
