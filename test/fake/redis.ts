import { freePort } from "./ports.ts";
import { stopped } from "./stopped.ts";

export const REDIS = Bun.which("redis-server");

export interface RealRedis extends AsyncDisposable {
  readonly url: string;
  /** Gone at once, as by a power cut. */
  kill(): Promise<void>;
  /** Empty, on the same port. */
  again(): Promise<void>;
  /** Everybody waits for it. */
  freeze(): Promise<void>;
  thaw(): void;
  /** What redis-cli would say. */
  say(name: string, ...args: string[]): Promise<unknown>;
}

/** A Redis of the test's own, on loopback, that keeps nothing. */
export async function realRedis(more: readonly string[] = [], password = ""): Promise<RealRedis> {
  const port = await freePort();
  const url = `redis://${password === "" ? "" : `:${password}@`}127.0.0.1:${port}`;
  let child = await start(port, url, more, password);
  return {
    url,
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
    async again() {
      child = await start(port, url, more, password);
    },
    freeze: () => stopped(child),
    thaw: () => child.kill("SIGCONT"),
    async say(name, ...args) {
      const client = new Bun.RedisClient(url, { autoReconnect: false });
      try {
        return await client.send(name, args);
      } finally {
        client.close();
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function start(port: number, url: string, more: readonly string[], password: string) {
  const child = Bun.spawn(
    [
      `${REDIS}`,
      "--bind",
      "127.0.0.1",
      "--port",
      `${port}`,
      "--save",
      "",
      ...(password === "" ? [] : ["--requirepass", password]),
      ...more,
    ],
    { stdio: ["ignore", "ignore", "ignore"], cwd: "/tmp" },
  );
  for (const until = performance.now() + 5000; performance.now() < until; await Bun.sleep(20)) {
    const client = new Bun.RedisClient(url, { autoReconnect: false });
    const there = await client.connect().then(
      () => true,
      () => false,
    );
    client.close();
    if (there) return child;
  }
  child.kill("SIGKILL");
  throw new Error("redis-server does not answer");
}
