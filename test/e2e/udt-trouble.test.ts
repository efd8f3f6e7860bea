/** `tern udt` when the other end vanishes, and when the disk is full. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { smallDisk } from "../fake/small-disk.ts";
import { temporary } from "../fake/temporary.ts";
import { asRoot } from "../sys/needs.ts";
import { TERN } from "./from-source.ts";

/** UDT waits 46 s for a peer that says nothing. */
setDefaultTimeout(180_000);

const MB = 1_000_000;
const SLOWLY = ["--congestion", "fixed", "--rate", "20Mbit"];

const children: Bun.Subprocess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Running {
  readonly child: Bun.Subprocess;
  /** Exit code, and standard error. */
  readonly ended: Promise<[number, string]>;
  /** It waits at its address. */
  readonly ready: Promise<void>;
}

function udt(...words: string[]): Running {
  const child = Bun.spawn([...TERN, "udt", ...words], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  const ready = Promise.withResolvers<void>();
  let text = "";
  const read = async (): Promise<[number, string]> => {
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (text.includes("waiting for a file")) ready.resolve();
    }
    ready.resolve(); // it has ended instead, as will be seen
    return [await child.exited, text];
  };
  return { child, ended: read(), ready: ready.promise };
}

/** A receiver that listens and a sender, at an address that is new. */
async function pair(file: string, copy: string, ...more: string[]): Promise<[Running, Running]> {
  const at = `127.0.0.1:${await freePort()}`;
  const recv = udt("recv", "--listen", at, "-o", copy);
  await recv.ready;
  return [recv, udt("send", file, at, ...more)];
}

/** Once more, now that nothing is wrong. */
async function goOn(file: string, copy: string): Promise<void> {
  const ends = await pair(file, copy);
  for (const end of ends) expect(await end.ended).toEqual([0, expect.any(String)]);
  expect(Buffer.from(await Bun.file(copy).bytes()).equals(await Bun.file(file).bytes())).toBe(true);
}

/** The size of `path`, 0 before it is there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function grown(path: string, bytes: number): Promise<void> {
  while (sizeOf(path) < bytes) await Bun.sleep(10);
}

function makeFile(path: string, bytes: number): void {
  writeFileSync(path, randomBytes(bytes));
}

test("kill -9 of either end: the other says so and ends, and the file is gone on with", async () => {
  await using dir = await temporary();
  const file = join(dir.path, "disk.img");
  makeFile(file, 8 * MB);
  const copies = ["of-a-killed-receiver", "of-a-killed-sender"].map((n) => join(dir.path, n));
  const pairs = await Promise.all(
    copies.map(async (copy, i) => {
      const [recv, send] = await pair(file, copy, ...SLOWLY);
      await grown(`${copy}.part`, MB);
      const [killed, left] = i === 0 ? [recv, send] : [send, recv];
      killed.child.kill("SIGKILL");
      return { copy, left };
    }),
  );
  for (const { copy, left } of pairs) {
    expect(await left.ended).toEqual([1, expect.stringContaining("peer is silent")]);
    const had = sizeOf(`${copy}.part`);
    expect(had).toBeGreaterThanOrEqual(MB);
    expect(had).toBeLessThan(8 * MB);
    await goOn(file, copy);
  }
});

asRoot(
  "a full disk: both ends say so, and the file is gone on with when there is room",
  async () => {
    await using dir = await temporary();
    const disk = join(dir.path, "disk");
    using _ = smallDisk(disk, 6 * MB);
    const [file, filler, copy] = [
      join(dir.path, "disk.img"),
      join(disk, "filler"),
      join(disk, "copy.img"),
    ];
    makeFile(file, 4 * MB);
    makeFile(filler, 4 * MB);
    const [recv, send] = await pair(file, copy);
    expect(await recv.ended).toEqual([1, expect.stringContaining("ENOSPC")]);
    // While it writes, or while it waits for the last word.
    const told = expect.stringMatching(/closed by the peer|ended too early/);
    expect(await send.ended).toEqual([1, told]);
    expect(sizeOf(copy)).toBe(0);
    expect(sizeOf(`${copy}.part`)).toBeGreaterThan(0);

    rmSync(filler);
    await goOn(file, copy);
  },
);
