import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import type { Peers } from "../net/udt/peers/build.ts";
import { cpuTime, resident } from "./server.ts";

/** One transfer, both of its ends together. */
export interface Moved {
  readonly bytes: number;
  readonly seconds: number;
  /** Microseconds. */
  readonly cpu: number;
  /** Bytes of RSS. */
  readonly memory: number;
}

/** Somebody who moves bytes: `bulk` from memory to memory for so long, `file` a whole file. */
export interface Mover {
  readonly name: string;
  bulk(seconds: number): Promise<Moved>;
  file(path: string, copy: string): Promise<Moved>;
}

/** Our two ends of a bulk transfer. */
export const PROGRAM = [process.execPath, new URL("udt-program.ts", import.meta.url).pathname];
const PATIENCE_MS = 10_000;
const LOOK_MS = 50;

/** libudt's samples: appclient to appserver, and sendfile to recvfile. */
export function libudt(peers: Peers): Mover {
  return {
    name: "libudt",
    bulk: async (seconds) => {
      const port = await freePort();
      await using server = await started([peers.appserver, String(port)], "ready");
      await using client = await started([peers.appclient, "127.0.0.1", String(port)]);
      // It says what it sent, in Mbit/s, once each second, behind a line of titles.
      const lines = async (): Promise<number[]> =>
        client
          .text()
          .split("\n")
          .slice(1, -1)
          .map((line) => Number.parseFloat(line));
      while ((await lines()).length < seconds) await Bun.sleep(LOOK_MS);
      const rates = (await lines()).slice(0, seconds);
      const bytes = rates.reduce((sum, rate) => sum + (rate * 1e6) / 8, 0);
      return { bytes, seconds: rates.length, ...(await costs(server.pid, client.pid)) };
    },
    file: async (path, copy) => {
      const port = await freePort();
      await using server = await started([peers.sendfile, String(port)], "ready");
      return await copied(
        [peers.recvfile, "127.0.0.1", String(port), path, copy],
        server,
        path,
        copy,
      );
    },
  };
}

/** Our typed API for `bulk`, `tern udt send` and `recv` for files, which also makes SHA-256 of them. */
export function tern(command: readonly string[]): Mover {
  return {
    name: "tern",
    bulk: async (seconds) => {
      const at = `127.0.0.1:${await freePort()}`;
      await using server = await started([...PROGRAM, "receive", at], "ready");
      await using client = await started([...PROGRAM, "send", at, String(seconds)], "}");
      const { bytes, seconds: took } = JSON.parse(client.text()) as Moved;
      return { bytes, seconds: took, ...(await costs(server.pid, client.pid)) };
    },
    file: async (path, copy) => {
      const at = `127.0.0.1:${await freePort()}`;
      await using server = await started(
        [...command, "udt", "send", path, "--listen", at, "--keep"],
        at,
      );
      return await copied([...command, "udt", "recv", at, "-o", copy], server, path, copy);
    },
  };
}

/** Run the end that receives; the other one is `server`. */
async function copied(
  receiver: readonly string[],
  server: Running,
  path: string,
  copy: string,
): Promise<Moved> {
  const before = await costs(server.pid);
  const began = performance.now();
  await using client = await started(receiver);
  let last = { cpu: 0, memory: 0 };
  while (client.running()) {
    const now = await costs(client.pid).catch(() => last);
    if (now.memory > 0) last = now; // a process that has just ended has none
    await Bun.sleep(LOOK_MS);
  }
  const seconds = (performance.now() - began) / 1000;
  const after = await costs(server.pid);
  const [a, b] = await Promise.all([hashOf(path), hashOf(copy)]);
  if (a !== b) throw new Error(`${receiver.join(" ")}: the copy is another file`);
  return {
    bytes: Bun.file(path).size,
    seconds,
    cpu: last.cpu + after.cpu - before.cpu,
    memory: last.memory + after.memory,
  };
}

async function costs(...pids: readonly number[]): Promise<{ cpu: number; memory: number }> {
  const each = await Promise.all(
    pids.map(async (pid) => [await cpuTime(pid), await resident(pid)]),
  );
  return {
    cpu: each.reduce((sum, [cpu = 0]) => sum + cpu, 0),
    memory: each.reduce((sum, [, memory = 0]) => sum + memory, 0),
  };
}

interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly text: () => string;
  readonly running: () => boolean;
}

/** Once it has said `ready`, on whichever of its two outputs. */
async function started(command: readonly string[], ready?: string): Promise<Running> {
  const child = Bun.spawn([...command], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let complaints = "";
  void (async () => {
    for await (const piece of child.stdout) text += new TextDecoder().decode(piece);
  })();
  void (async () => {
    for await (const piece of child.stderr) complaints += new TextDecoder().decode(piece);
  })();
  const end = performance.now() + PATIENCE_MS * (ready === "}" ? 10 : 1);
  while (ready !== undefined && !text.includes(ready) && !complaints.includes(ready)) {
    if (child.exitCode !== null || performance.now() > end)
      throw new Error(`${command.join(" ")}: ${text}${complaints}`);
    await Bun.sleep(LOOK_MS / 10);
  }
  return {
    pid: child.pid,
    text: () => text,
    running: () => child.exitCode === null,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of Bun.file(path).stream()) hash.update(piece);
  return hash.digest("hex");
}

/** A file of so many bytes that compress badly. */
export async function makeFile(dir: string, bytes: number): Promise<string> {
  const path = join(dir, "file.bin");
  const writer = Bun.file(path).writer();
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0; at < bytes; at += piece.length)
    await writer.write(piece.slice(0, Math.min(piece.length, bytes - at)));
  await writer.end();
  return path;
}
