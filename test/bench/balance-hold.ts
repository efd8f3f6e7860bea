import { readFile } from "node:fs/promises";

import { tern } from "./balance-servers.ts";
import { LOAD_CORE, resident, type Server, SERVER_CORE } from "./server.ts";

/** Pairs that are held: two files each, of the 20 000 that a process may have here, so over two workers. */
export const HELD = 15_000;
export const WORKERS = 2;
export const HOLD_S = 60;
/** Pairs of them that are there before growth is counted: the runtime has grown by then. */
const WARM_UP = 1000;
const SETTLE_MS = 3000;
/** Processes that the clients are in. */
const PEERS = 2;

export interface Held {
  /** Bytes that the workers grew by for each pair: the largest of all looks, one a second. */
  readonly perPair: number;
  /** Bytes of all workers at the end. */
  readonly memory: number;
  /** Pairs that were closed meanwhile or were not answered at the end. */
  readonly lost: number;
}

/** Many connections through tern at once, each used at its start and its end. */
export async function hold(dir: string, binary: string, behind: Server): Promise<Held> {
  const cores = `${SERVER_CORE},${LOAD_CORE}`;
  await using server = await tern(dir, binary, behind.http, { workers: WORKERS, cores });
  const clients = Array.from({ length: PEERS }, () => new Peer(server.http));
  try {
    const path = `/proc/${server.pid}/task/${server.pid}/children`;
    const workers = (await readFile(path, "utf8")).trim().split(" ").map(Number);
    const memory = async (): Promise<number> =>
      (await Promise.all(workers.map(resident))).reduce((sum, one) => sum + one, 0);
    const open = async (pairs: number): Promise<void> => {
      for (const client of clients) client.tell(`open ${pairs / PEERS}`);
      for (const client of clients) await client.line();
      await Bun.sleep(SETTLE_MS);
    };
    await open(WARM_UP);
    const before = await memory();
    await open(HELD - WARM_UP);
    let most = await memory();
    for (const end = performance.now() + HOLD_S * 1000; performance.now() < end;) {
      await Bun.sleep(1000);
      most = Math.max(most, await memory());
    }
    let alive = 0;
    for (const client of clients) {
      client.tell("check");
      alive += Number(await client.line());
    }
    most = Math.max(most, await memory());
    const perPair = (most - before) / (HELD - WARM_UP);
    return { perPair, memory: await memory(), lost: HELD - alive };
  } finally {
    for (const client of clients) client.end();
  }
}

/** One process of balance-peers.ts. */
class Peer {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(port: number) {
    const script = `${import.meta.dir}/balance-peers.ts`;
    this.#child = Bun.spawn(
      ["sh", "-c", 'ulimit -n 20000; exec "$@"', "sh", process.execPath, script, String(port)],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    this.#lines = linesOf(this.#child.stdout);
  }

  tell(line: string): void {
    void this.#child.stdin.write(`${line}\n`);
    void this.#child.stdin.flush();
  }
  /** Its next line; throws when it ended. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done) throw new Error("a peer of the benchmark ended");
    return next.value;
  }
  end(): void {
    this.#child.kill();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
