import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { appliance, isAlive, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // two programs start and one drains, on a machine that is busy

test.each([{ workers: 1 }, { workers: 2 }])(
  "under load an upgrade loses no request and keeps the socket ($workers worker(s))",
  async ({ workers }) => {
    await using tern = await appliance((dir) => siteIn(dir, {}, { workers }));
    const before = await tern.status();
    const failures: string[] = [];
    let served = 0;
    let over = false;
    const client = async (keepalive: boolean): Promise<void> => {
      while (!over) {
        try {
          const answer = await fetch(`http://127.0.0.1:${tern.port}/hello.txt`, { keepalive });
          if ((await answer.text()) !== "hello\n") failures.push(`${answer.status}`);
          served++;
        } catch (error) {
          failures.push(String(error));
        }
        await Bun.sleep(2);
      }
    };
    const clients = [true, true, false, false].map((keepalive) => client(keepalive));
    const upgrade = await tern.verb("upgrade");
    expect([upgrade.code, upgrade.err]).toEqual([0, ""]);
    await Bun.sleep(300);
    over = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(served).toBeGreaterThan(50);

    expect(await tern.exited).toBe(0);
    const after = await tern.status();
    expect(after.pid).not.toBe(before.pid);
    expect(after.listeners[0]?.port).toBe(before.listeners[0]?.port);
    expect(readFileSync(join(tern.dir, "var", "tern.pid"), "utf8")).toBe(`${after.pid}\n`);
    expect((await tern.verb("stop")).code).toBe(0);
  },
);

test("what happened before is still known after", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const log = async (): Promise<string[]> => {
    const answer = await fetch("http://tern/api/v1/log?limit=1000", {
      unix: join(tern.dir, "var", "tern.sock"),
    });
    const events = (await answer.json()) as { number: number; message: string }[];
    return events.map(({ number, message }) => `${number} ${message}`);
  };
  expect((await tern.verb("reload")).code).toBe(0);
  const before = await log();
  expect(before.length).toBeGreaterThan(0);
  expect((await tern.verb("upgrade")).code).toBe(0);
  const after = await log();
  for (const entry of before) expect(after).toContain(entry);
  expect(new Set(after.map((entry) => entry.split(" ")[0])).size).toBe(after.length);
});

test("and again: the new one can be upgraded too", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const seen = new Set<number>();
  for (let i = 0; i < 3; i++) {
    seen.add((await tern.status()).pid);
    expect((await tern.verb("upgrade")).code).toBe(0);
    expect((await tern.get("/hello.txt")).status).toBe(200);
  }
  expect(seen.size).toBe(3);
});

test("a config that is broken by then: the old one goes on and says why", async () => {
  await using tern = await appliance((dir) => siteIn(dir, {}, { workers: 2 }));
  await tern.rewrite("web: [");
  const upgrade = await tern.verb("upgrade", "--socket", join(tern.dir, "var", "tern.sock"));
  expect(upgrade.code).toBe(1);
  expect(upgrade.err).toContain("tern.yaml:1:");
  expect(upgrade.err).toContain("the old one goes on");
  expect((await tern.get("/hello.txt")).status).toBe(200);
  expect((await tern.get("/hello.txt")).status).toBe(200);
  expect(isAlive(tern.pid)).toBe(true);
});

test.each([
  {
    story: "is no program",
    make: (path: string) => Bun.write(path, "nonsense"),
    why: "cannot be started",
  },
  {
    story: "ends at once",
    make: (path: string) => copyFileSync("/bin/false", path),
    why: "ended before it was ready: exit code 1",
  },
  { story: "is gone", make: () => {}, why: "cannot be started" },
])("a new binary that $story changes nothing", async ({ make, why }) => {
  // The runtime itself stands for the binary here, under a name of our own.
  await using place = await temporary();
  const runtime = join(place.path, "tern");
  copyFileSync(process.execPath, runtime);
  chmodSync(runtime, 0o755);
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  await using tern = await appliance((dir) => siteIn(dir), { command: [runtime, main] });
  rmSync(runtime); // not written over: it runs
  await make(runtime);
  if (existsSync(runtime)) chmodSync(runtime, 0o755);
  const upgrade = await tern.verb("upgrade");
  expect(upgrade.code).toBe(1);
  expect(upgrade.err).toContain(why);
  expect((await tern.get("/hello.txt")).status).toBe(200);
  tern.kill("SIGUSR2");
  await tern.logged("not upgraded: the old process goes on", 2);
});

test("a request that is being answered when the upgrade comes is answered by the old one", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const size = 8 * 2 ** 20;
  await Bun.write(join(tern.dir, "www", "large.bin"), new Uint8Array(size));
  // A slow reader: the answer is still under way when the new one takes over.
  const { promise, resolve } = Promise.withResolvers<number>();
  let got = 0;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: tern.port,
    socket: {
      open: (s) => void s.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n"),
      data: (s, bytes) => {
        if (got === 0) s.pause();
        got += bytes.length;
        if (got >= size) resolve(got);
      },
      close: () => resolve(got),
    },
  });
  await until(() => got > 0);
  expect((await tern.verb("upgrade")).code).toBe(0);
  expect(isAlive(tern.pid)).toBe(true);
  socket.resume();
  expect(await promise).toBeGreaterThanOrEqual(size);
  socket.end();
  expect(await tern.exited).toBe(0);
});
