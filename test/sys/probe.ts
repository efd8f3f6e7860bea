/** One call of each kind in src/sys, told in words that are the same on every machine. */
import { closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDurable } from "../../src/sys/durable.ts";
import { receiveFds, sendFds, socketPair } from "../../src/sys/fd-passing.ts";
import { capabilities, findUser } from "../../src/sys/identity.ts";
import { IN, Inotify } from "../../src/sys/inotify.ts";
import { listenStream, readBack } from "../../src/sys/listen.ts";
import { monotonicMicros } from "../../src/sys/notify-socket.ts";
import { setProcessName } from "../../src/sys/process.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-probe-"));
const options = { backlog: 511, reusePort: true, fastOpen: 256, deferAccept: 5000 };

function listening(): unknown {
  const { fd } = listenStream({ kind: "tcp", host: "127.0.0.1", port: 0 }, options);
  // `queue` is left out: qemu passes TCP_INFO on without understanding it.
  const { address, noDelay, fastOpen, deferAccept, reusePort, listening: listens } = readBack(fd);
  closeSync(fd);
  return { kind: address?.kind, noDelay, fastOpen, deferAccept, reusePort, listens };
}

function refused(): unknown {
  try {
    return listenStream({ kind: "tcp", host: "192.0.2.1", port: 1 }, options);
  } catch (failed) {
    return String(failed);
  }
}

function passing(): unknown {
  const [a, b] = socketPair();
  const sent = sendFds(a, Uint8Array.of(7), [0, 1]);
  const got = receiveFds(b);
  return [sent, typeof got === "string" ? got : got.fds.length, receiveFds(b)];
}

function watching(): unknown {
  const inotify = new Inotify();
  inotify.watch(dir, IN.CREATE | IN.ONLYDIR);
  writeFileSync(join(dir, "new"), "");
  return inotify.read().map(({ mask, name }) => [mask, name]);
}

async function writing(): Promise<unknown> {
  await using file = await openDurable(join(dir, "whole"));
  await file.write(new Uint8Array(3));
  return [await file.commit("new"), readdirSync(dir).toSorted().join()];
}

function naming(): unknown {
  setProcessName("probe");
  return [readFileSync("/proc/self/comm", "utf8"), findUser("root"), monotonicMicros() > 0n];
}

const said = {
  listening: listening(),
  refused: refused(),
  passing: passing(),
  watching: watching(),
  writing: await writing(),
  naming: naming(),
  capabilities: capabilities(),
};
rmSync(dir, { recursive: true });
process.stdout.write(`${JSON.stringify({ arch: process.arch, said })}\n`, () => process.exit(0));
