import { expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { listenStream } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";
import { NotifySocket } from "../fake/notify-socket.ts";
import { temporary } from "../fake/temporary.ts";
import { appliance, siteIn, TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs start and end, on a machine that may be busy

test.each([
  { signal: "SIGTERM", workers: 1 },
  { signal: "SIGINT", workers: 2 },
] as const)(
  "$signal: what is in hand is finished ($workers worker(s))",
  async ({ signal, workers }) => {
    await using tern = await appliance((dir) => siteIn(dir, {}, { workers }));
    const size = 8 * 2 ** 20;
    await Bun.write(join(tern.dir, "www", "large.bin"), new Uint8Array(size));
    let got = 0;
    const socket = connect(tern.port, "127.0.0.1");
    socket.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.once("data", () => socket.pause());
    socket.on("data", (bytes) => (got += bytes.length));
    await until(() => got > 0);
    tern.kill(signal);
    await tern.logged("told to stop");
    await Bun.sleep(50);
    socket.resume();
    await new Promise((ended) => socket.once("close", ended));
    expect(got).toBeGreaterThanOrEqual(size);
    expect(await tern.exited).toBe(0);
  },
);

test("an idle connection does not hold up the end", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const socket = connect(tern.port, "127.0.0.1");
  socket.write("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((answered) => socket.once("data", answered));
  const began = performance.now();
  tern.kill("SIGTERM");
  expect(await tern.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(4000);
  socket.destroy();
});

test("a second signal ends it at once", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  await Bun.write(join(tern.dir, "www", "large.bin"), new Uint8Array(8 * 2 ** 20));
  const socket = connect(tern.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((some) => socket.once("data", some));
  socket.pause();
  tern.kill("SIGTERM");
  await tern.logged("told to stop");
  tern.kill("SIGTERM");
  expect(await tern.exited).toBe(1);
  socket.destroy();
});

test("the service manager hears of the start, a reload, an upgrade and the end", async () => {
  await using dir = await temporary();
  using manager = new NotifySocket(join(dir.path, "notify"));
  const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: "200000" };
  await using tern = await appliance((at) => siteIn(at), { env });
  await until(() => manager.told.includes("WATCHDOG=1"));
  expect(manager.told[0]).toBe("READY=1");

  await tern.verb("reload");
  const reloading = manager.told.indexOf("RELOADING=1");
  expect(reloading).toBeGreaterThan(0);
  expect(manager.told[reloading + 1]).toStartWith("MONOTONIC_USEC=");
  expect(manager.told.indexOf("READY=1", reloading)).toBeGreaterThan(reloading);

  const before = manager.told.length;
  expect(await tern.verb("upgrade")).toMatchObject({ code: 0, err: "" });
  const { pid } = await tern.status();
  const since = (what: string): number => manager.told.indexOf(what, before);
  await until(() => since(`MAINPID=${pid}`) > 0);
  await until(() => manager.told.lastIndexOf("READY=1") > since(`MAINPID=${pid}`));

  await tern.verb("stop");
  await until(() => manager.told.includes("STOPPING=1"));
});

test("sockets of systemd are served, and stay systemd's", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "web.sock");
  const fd = listenStream({ kind: "unix", path }, DEFAULT_SOCKET).fd;
  // systemd's part: the descriptor is number 3, and the variables name the process itself.
  const activated = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"';
  const command = ["sh", "-c", activated, "sh", ...TERN];
  await using tern = await appliance((at) => siteIn(at, { listen: `unix:${path}` }), {
    command,
    fds: [fd],
  });
  close(fd);
  const answer = await fetch("http://localhost/hello.txt", { unix: path });
  expect(await answer.text()).toBe("hello\n");
  await tern.verb("stop");
  expect(lstatSync(path).isSocket()).toBe(true);
});
