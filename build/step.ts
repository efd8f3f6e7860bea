/** What a command did. `output` is what it wrote to either stream, in order. */
export interface Done {
  readonly ok: boolean;
  readonly output: string;
  readonly ms: number;
}

/** Run a command from the repository's root and keep what it says. */
export async function run(command: readonly string[]): Promise<Done> {
  const began = performance.now();
  // Through a shell only to send both streams down one pipe, so that they stay in order.
  const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>&1', "sh", ...command], {
    cwd: ROOT,
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(child.stdout).text();
  return { ok: (await child.exited) === 0, output, ms: performance.now() - began };
}

/** Run a command from the repository's root with its output on ours; true when it exits with 0. */
export async function show(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<boolean> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return (await child.exited) === 0;
}

/** The repository, absolute. */
export const ROOT = new URL("..", import.meta.url).pathname;

/** A program that npm installed. */
export function bin(name: string): string {
  return `${ROOT}node_modules/.bin/${name}`;
}

/** "0.9 s" */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
