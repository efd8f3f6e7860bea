import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";

import { FILE_THREADS } from "../../src/app/file-threads.ts";
import type { Status } from "../../src/app/status.ts";
import { type Appliance, appliance, isAlive, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs start and end, on a machine that may be busy

const two = (dir: string): object =>
  siteIn(dir, {}, { workers: 2, admin: { listen: "127.0.0.1:0" } });

const pids = ({ workers }: Status): (number | undefined)[] => workers.map((w) => w.pid);

test("every worker serves, and each says so", async () => {
  await using tern = await appliance(two);
  // A connection per request: the kernel spreads them over the workers.
  for (let i = 0; i < 60; i++) {
    const answer = await fetch(`http://127.0.0.1:${tern.port}/hello.txt`, { keepalive: false });
    expect(answer.status).toBe(200);
    await answer.text();
  }
  const { workers, listeners } = await tern.status();
  expect(workers.map((w) => w.state)).toEqual(["serving", "serving"]);
  expect(workers.every((w) => w.requests > 0 && w.rssBytes > 0)).toBe(true);
  expect(listeners).toMatchObject([{ requests: 60, workers: [0, 1] }]);
  expect(new Set([...pids(await tern.status()), tern.pid]).size).toBe(3);
});

test("workers have threads enough to wait for files with", async () => {
  await using tern = await appliance(two);
  for (const pid of pids(await tern.status()))
    expect(readFileSync(`/proc/${pid}/environ`, "latin1")).toContain(
      `UV_THREADPOOL_SIZE=${process.env["UV_THREADPOOL_SIZE"] ?? FILE_THREADS}\0`,
    );
});

test.each([
  { signal: "SIGKILL", how: "signal SIGKILL" },
  { signal: "SIGSEGV", how: "signal SIGSEGV" },
] as const)(
  "a worker that dies by $signal is started again; its socket stays",
  async ({ signal, how }) => {
    await using tern = await appliance(two);
    const before = await tern.status();
    process.kill(before.workers[1]?.pid ?? 0, signal);
    // Nothing is refused meanwhile: what the kernel gives to the dead one's socket waits there.
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`http://127.0.0.1:${tern.port}/hello.txt`, { keepalive: false }).then(
          (r) => r.status,
        ),
      ),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await tern.logged("a worker died")).toMatchObject({ worker: 1, how });
    await tern.logged("a worker serves again");
    const after = await tern.status();
    expect(after.workers[0]).toMatchObject({ pid: before.workers[0]?.pid, restarts: 0 });
    expect(after.workers[1]).toMatchObject({ state: "serving", restarts: 1, lastDeath: how });
    expect(after.workers[1]?.pid).not.toBe(before.workers[1]?.pid);
    expect(after.listeners[0]?.port).toBe(before.listeners[0]?.port);
  },
);

test("a crash is logged with what the worker said last", async () => {
  await using tern = await appliance(two);
  const { workers } = await tern.status();
  process.kill(workers[0]?.pid ?? 0, "SIGSEGV");
  const line = (await tern.logged("a worker died")) as { error?: { stack?: string } };
  expect(line.error?.stack).toContain("Segmentation fault");
});

test("what a dead worker has counted stays in the sums", async () => {
  await using tern = await appliance(two);
  for (let i = 0; i < 20; i++) await (await tern.get("/hello.txt")).text();
  const total = async (): Promise<number> => sumOf(await metrics(tern), "tern_http_requests_total");
  expect(await total()).toBe(20);
  for (const pid of pids(await tern.status())) process.kill(pid ?? 0, "SIGKILL");
  await tern.logged("a worker serves again", 2);
  expect(await total()).toBe(20);
  expect(sumOf(await metrics(tern), "tern_workers")).toBe(2);
});

test("nobody is left when the supervisor is killed", async () => {
  await using tern = await appliance(two);
  const workers = pids(await tern.status());
  tern.kill("SIGKILL");
  await until(() => !workers.some((pid) => isAlive(pid ?? 0)));
});

test("a worker that dies over and over costs only itself, and a reload still works", async () => {
  await using tern = await appliance(two);
  for (let i = 1; i <= 4; i++) {
    const { workers } = await tern.status();
    process.kill(workers[0]?.pid ?? 0, "SIGKILL");
    await tern.logged("a worker serves again", i);
    expect((await tern.get("/hello.txt")).status).toBe(200);
  }
  const waits = tern.lines.filter((l) => l.message === "a worker died").map((l) => l["again"]);
  expect(waits).toEqual(["in 100ms", "in 200ms", "in 400ms", "in 800ms"]);
  expect((await tern.verb("reload")).code).toBe(0);
  expect((await tern.status()).workers[0]?.restarts).toBe(4);
});

async function metrics(tern: Appliance): Promise<string> {
  const admin = tern.lines.find((l) => l.message === "serving")?.["admin"] as string[];
  const address = admin.find((a) => !a.startsWith("unix:"));
  return (await fetch(`http://${address}/metrics`)).text();
}

function sumOf(text: string, name: string): number {
  const lines = text
    .split("\n")
    .filter((l) => l.startsWith(`${name}{`) || l.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
