import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";

import { openToRead } from "../../../src/services/store/read.ts";
import { BLOCK } from "../../../src/services/store/record.ts";
import type { Verified } from "../../../src/services/store/verified.ts";
import { type Rig, rig } from "./rig.ts";

const MIB = 2 ** 20;

async function opened(made: Rig, path: string, offset: number): Promise<Verified> {
  const found = await openToRead(made.shelf, made.name(path), () => offset);
  if (found.kind !== "open") throw new Error(found.kind);
  return found.body;
}

/** Files below `dir` that this process has open. */
function open(dir: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const to = readlinkSync(`/proc/self/fd/${fd}`);
      return to.startsWith(dir) && to.includes("/_3fs_0/");
    } catch {
      return false; // the one that listed them
    }
  }).length;
}

test.each([
  { story: "all of it", from: 0, to: 3.5 * MIB },
  { story: "a part", from: 1000, to: 2 * MIB + 7 },
  { story: "one block", from: MIB, to: 2 * MIB },
  { story: "a few bytes over a border", from: MIB - 3, to: MIB + 3 },
])("what is lent stays while the next block is read: $story", async ({ from, to }) => {
  await using made = await rig();
  const bytes = randomBytes(3.5 * MIB);
  expect(await made.put("/a", bytes)).toBe("kept");
  const body = await opened(made, "/a", from);
  let at = from;
  for await (const piece of body.lent(from, to)) {
    await Bun.sleep(20); // time for the next one to come
    const wanted = bytes.subarray(at, at + piece.length);
    expect(Buffer.compare(piece, wanted)).toBe(0);
    at += piece.length;
  }
  expect(at).toBe(to);
  body.close();
  await Bun.sleep(20);
  expect(open(made.dir)).toBe(0);
});

test("nobody wants the rest while it is read: nothing stays open", async () => {
  await using made = await rig();
  expect(await made.put("/a", randomBytes(4 * BLOCK))).toBe("kept");
  for (let i = 0; i < 10; i++) {
    const body = await opened(made, "/a", 0);
    const pieces = body.lent(0, 4 * BLOCK);
    await pieces.next();
    body.close();
    await pieces.return();
  }
  await Bun.sleep(50);
  expect(open(made.dir)).toBe(0);
});
