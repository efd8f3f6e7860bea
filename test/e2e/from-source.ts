import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Status } from "../../src/app/status.ts";
import { temporary } from "../fake/temporary.ts";
import { type Said, said } from "./binary.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
/** The program as the gate has just checked it, without a build. */
export const TERN = [process.execPath, MAIN];

const READY_MS = 30_000;
const END_MS = 15_000;

/** A line of the JSON log. */
export type Line = Readonly<Record<string, unknown>> & { readonly message: string };

/** A running tern with a directory of its own, gone at the end of the scope. */
export interface Appliance extends AsyncDisposable {
  readonly dir: string;
  readonly pid: number;
  /** Of its first listener. */
  readonly port: number;
  /** Every log line so far, of every process that shares its standard error. */
  readonly lines: readonly Line[];
  /** Write another config; it is not in force before a reload. */
  rewrite(config: object | string): Promise<void>;
  verb(...args: string[]): Promise<Said>;
  status(): Promise<Status>;
  get(path: string): Promise<Response>;
  /** Wait for a log line; throws with the whole log when it does not come. */
  logged(message: string, count?: number): Promise<Line>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
}

export interface Wishes {
  readonly env?: Record<string, string>;
  /** In front of the program. */
  readonly command?: readonly string[];
  /** Descriptors beyond the first three. */
  readonly fds?: readonly number[];
}

/** Where the configs of these tests serve from and what they listen on, with these keys changed. */
export function siteIn(dir: string, site: object = {}, root: object = {}): object {
  return {
    workers: 1,
    state: join(dir, "var"),
    admin: { listen: [] },
    web: { site: { listen: "127.0.0.1:0", root: join(dir, "www"), ...site } },
    ...root,
  };
}

/** Run tern on what `config` makes of its directory, until it serves. */
export async function appliance(
  config: (dir: string) => object | string,
  wishes: Wishes = {},
): Promise<Appliance> {
  const dir = await temporary();
  mkdirSync(join(dir.path, "www"));
  await Bun.write(join(dir.path, "www", "hello.txt"), "hello\n");
  const file = join(dir.path, "tern.yaml");
  const rewrite = async (next: object | string): Promise<void> => {
    await Bun.write(file, typeof next === "string" ? next : JSON.stringify(next));
  };
  await rewrite(config(dir.path));

  const child = Bun.spawn([...(wishes.command ?? TERN), "run", "-c", file], {
    cwd: dir.path,
    env: { ...process.env, ...wishes.env },
    stdio: ["ignore", "ignore", "pipe", ...(wishes.fds ?? [])],
  });
  let text = "";
  const lines: Line[] = [];
  const follow = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let unfinished = "";
    for await (const chunk of child.stderr as ReadableStream<Uint8Array>) {
      const piece = decoder.decode(chunk, { stream: true });
      text += piece;
      const whole = (unfinished + piece).split("\n");
      unfinished = whole.pop() ?? "";
      for (const line of whole) if (line.startsWith("{")) lines.push(JSON.parse(line) as Line);
    }
  };
  void follow();

  const verb = (...args: string[]): Promise<Said> => said([...TERN, ...args, "-c", file]);
  const me: Appliance = {
    dir: dir.path,
    pid: child.pid,
    get port() {
      const listening = lines.find((line) => line.message === "listening");
      return Number(listening?.["port"]);
    },
    lines,
    rewrite,
    verb,
    status: async () => JSON.parse((await verb("status", "--json")).out) as Status,
    get: (path) => fetch(`http://127.0.0.1:${me.port}${path}`),
    logged: async (message, count = 1) => {
      const end = performance.now() + READY_MS;
      for (;;) {
        const found = lines.filter((line) => line.message === message)[count - 1];
        if (found) return found;
        if (performance.now() > end) throw new Error(`"${message}" was not logged:\n${text}`);
        await Bun.sleep(10);
      }
    },
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    [Symbol.asyncDispose]: async () => {
      // After an upgrade it is another process that serves.
      const pids = new Set(
        lines.filter((l) => l.message === "serving").map((l) => Number(l["pid"])),
      );
      for (const pid of pids) signalQuietly(pid, "SIGTERM");
      child.kill("SIGTERM");
      const end = performance.now() + END_MS;
      while ([...pids].some(isAlive) && performance.now() < end) await Bun.sleep(10);
      for (const pid of [...pids, child.pid]) signalQuietly(pid, "SIGKILL");
      await child.exited;
      await dir[Symbol.asyncDispose]();
    },
  };
  try {
    await Promise.race([
      me.logged("serving"),
      child.exited.then((code) => {
        throw new Error(`tern ended with ${code}:\n${text}`);
      }),
    ]);
    return me;
  } catch (failed) {
    await me[Symbol.asyncDispose]();
    throw failed;
  }
}

/** A zombie is not alive: somebody else's children may wait for a while. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Until something is so; throws when it does not come to be in time. */
export async function until(what: () => boolean | Promise<boolean>, ms = READY_MS): Promise<void> {
  const end = performance.now() + ms;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`it did not come to be: ${what}`);
    await Bun.sleep(20);
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
