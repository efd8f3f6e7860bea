import { afterEach, expect, test } from "bun:test";
import { connect } from "node:net";

import { until } from "../../e2e/from-source.ts";
import { certificate } from "../../fake/certificate.ts";
import { freePort } from "../../fake/ports.ts";
import { RawPeer } from "../../fake/raw-peer.ts";
import { temporary } from "../../fake/temporary.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const ECHO = `${import.meta.dir}/echo.ts`;
const BENCH = new URL("../../bench/tcp-server/program.ts", import.meta.url).pathname;

interface Program {
  readonly child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  /** Everything it has written. */
  readonly said: () => string;
}

/** Run a program in bash; `limits` are what stands in front of it. */
function program(command: readonly string[], limits = ""): Program {
  const child = Bun.spawn(
    ["bash", "-c", `${limits} exec "$@"`, "bash", process.execPath, ...command],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  ends.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  let text = "";
  void (async () => {
    for await (const bytes of child.stdout) text += new TextDecoder().decode(bytes);
  })();
  return { child, said: () => text };
}

async function echo(limits = ""): Promise<Program & { port: number }> {
  const one = program([ECHO, "127.0.0.1:0"], limits);
  await until(() => one.said().includes("\n"));
  return { ...one, port: Number(one.said().trim().split(":").at(-1)) };
}

async function dialled(port: number, count: number): Promise<RawPeer[]> {
  const peers: RawPeer[] = [];
  for (let i = 0; i < count; i++) peers.push(await RawPeer.to(port));
  ends.push(() => peers.forEach((peer) => peer.close()));
  return peers;
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the echo server says everything back, and ends when all have left", async () => {
  const { port, child, said } = await echo();
  const text = "there and back again\n".repeat(50_000);
  const socat = Bun.spawn(["socat", "-t5", "-", `TCP:127.0.0.1:${port}`], {
    stdin: new Response(text),
    stdout: "pipe",
  });
  expect(await new Response(socat.stdout).text()).toBe(text);
  const [peer] = await dialled(port, 1);
  await peer?.write(bytes("still here"));
  expect(await peer?.read(10)).toEqual(bytes("still here"));
  child.kill("SIGTERM");
  await Bun.sleep(100);
  expect(child.exitCode).toBe(null);
  peer?.close();
  expect(await child.exited).toBe(0);
  expect(said()).toEndWith("2 served\n");
});

test("5000 connections, each of them served, for some bytes apiece", async () => {
  const { port, child } = await echo();
  const rss = async (): Promise<number> =>
    Number(/VmRSS:\s+(\d+)/.exec(await Bun.file(`/proc/${child.pid}/status`).text())?.[1]) * 1024;
  const sockets: ReturnType<typeof connect>[] = [];
  ends.push(() => sockets.forEach((socket) => socket.destroy()));
  let answered = 0;
  const before = await rss();
  for (let i = 0; i < 5000; i++) {
    const socket = connect(port, "127.0.0.1", () => socket.write("hello"));
    socket.on("data", () => answered++);
    socket.on("error", () => {});
    sockets.push(socket);
    if (i % 500 === 499) await until(() => answered === i + 1, 15_000);
  }
  expect(answered).toBe(5000);
  const each = ((await rss()) - before) / 5000;
  process.stdout.write(`TcpServer: ${Math.round(each)} bytes of RSS per open connection\n`);
  expect(each).toBeLessThan(12 * 1024);
}, 60_000);

test("out of files it waits, and serves those who wait when others leave", async () => {
  const { port, child } = await echo("ulimit -n 64;");
  const peers = await dialled(port, 100);
  await Promise.all(peers.map((peer) => peer.write(bytes("x"))));
  const served = (): RawPeer[] => peers.filter((peer) => peer.look() instanceof Uint8Array);
  await Bun.sleep(300);
  const first = served();
  expect(first.length).toBeWithin(10, 64);
  const cpu = await cpuOf(child.pid);
  await Bun.sleep(1000);
  expect((await cpuOf(child.pid)) - cpu).toBeLessThan(30); // hundredths of a second: it does not spin
  for (const peer of first) peer.close();
  let more = 0;
  await until(() => {
    for (const peer of served()) {
      more++;
      peer.close();
    }
    return more === 100 - first.length;
  }, 5000);
}, 20_000);

async function cpuOf(pid: number): Promise<number> {
  const stat = await Bun.file(`/proc/${pid}/stat`).text();
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

test("the seed's benchmark server gives what its tests ask for", async () => {
  const dir = await temporary();
  ends.push(() => dir[Symbol.asyncDispose]());
  const made = await certificate({ names: ["bench"] });
  await Bun.write(`${dir.path}/tls.pem`, made.cert);
  await Bun.write(`${dir.path}/tls.key`, made.key);
  const [port, tls] = [await freePort(), await freePort()];
  program([BENCH, String(port), String(tls), dir.path]);
  await until(
    () => Bun.spawnSync(["curl", "-s", `http://127.0.0.1:${port}/`]).stdout.toString() === "aa",
    10_000,
  );
  const sizes = { "/1k": 1024, "/16k": 16_384, "/aes": 1040, "/sleep": 128 };
  for (const [path, size] of Object.entries(sizes))
    for (const origin of [`http://127.0.0.1:${port}`, `https://127.0.0.1:${tls}`]) {
      const url = `${origin}${path}`;
      const tried = Bun.spawn(
        ["curl", "-skf", "-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", url, url],
        { stdout: "pipe" },
      );
      // Twice over one connection, then over one that is closed.
      expect(await new Response(tried.stdout).text()).toBe("1 0 ");
      const closed = Bun.spawn(["curl", "-skf", "-H", "Connection: close", url], {
        stdout: "pipe",
      });
      expect((await new Response(closed.stdout).arrayBuffer()).byteLength).toBe(size);
    }
}, 30_000);
