import { existsSync } from "node:fs";

import { accepts } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The executable for this machine; `npm test` builds it. */
export const TERN = `${ROOT}dist/tern`;
export const TERN_ARM64 = `${ROOT}dist/tern-linux-arm64`;
export const TERN_MUSL = `${ROOT}dist/tern-linux-x64-musl`;

const READY_MS = 20_000;
const END_MS = 10_000;

/** What a command said and how it ended. */
export interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Run a command to its end, a minute at most. */
export async function said(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Said> {
  const child = Bun.spawn([...command], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { out, err, code: await child.exited };
}

/** A running tern with its own directory, gone at the end of the scope. */
export interface Served extends AsyncDisposable {
  readonly dir: string;
  readonly pid: number;
  /** What it has logged so far. */
  log(): string;
  /** Run another verb on it. */
  verb(...args: string[]): Promise<Said>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number>;
}

/**
 * Run tern on a config in a directory that `fill` has put files into, until `ports` answer.
 * Throws with its log when they do not.
 */
export async function served(
  config: string,
  ports: readonly number[],
  fill: (dir: string) => Promise<void>,
  command: readonly string[] = [TERN],
): Promise<Served> {
  if (!existsSync(TERN)) throw new Error("no dist/tern: `bun build/compile.ts --host` makes it");
  const dir = await temporary();
  await fill(dir.path);
  await Bun.write(`${dir.path}/tern.yaml`, config);
  const child = Bun.spawn([...command, "run", "-c", `${dir.path}/tern.yaml`], {
    cwd: dir.path,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let written = "";
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const text = new TextDecoder();
    for await (const chunk of stream) written += text.decode(chunk, { stream: true });
  };
  void follow(child.stdout);
  void follow(child.stderr);
  const stop = async (): Promise<number> => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    const code = await child.exited;
    clearTimeout(late);
    return code;
  };

  const end = performance.now() + READY_MS;
  for (const port of ports)
    while (!(await accepts(port))) {
      if (performance.now() > end || child.exitCode !== null) {
        await stop();
        await dir[Symbol.asyncDispose]();
        throw new Error(`nothing answers on port ${port}:\n${written}`);
      }
      await Bun.sleep(20);
    }
  return {
    dir: dir.path,
    pid: child.pid,
    log: () => written,
    verb: (...args) =>
      said([...command, ...args, "-c", `${dir.path}/tern.yaml`], { cwd: dir.path }),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}
