import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { Region } from "../../src/sys/region.ts";

const MB = 1024 * 1024;
const resident = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;

describe("a region", () => {
  test("gives back what was written, wherever it was", () => {
    const region = new Region(MB);
    const bytes = Buffer.from("..hello..");
    region.write(MB - 5, bytes, 2, 7);
    const into = Buffer.alloc(9, ".");
    region.read(MB - 5, 5, into, 2);
    expect(into.toString()).toBe("..hello..");
    region.close();
  });

  test("is nobody else's memory", () => {
    const region = new Region(4096);
    const bytes = new Uint8Array(16);
    for (const wrong of [
      () => region.write(4090, bytes, 0, 16),
      () => region.write(-1, bytes, 0, 1),
      () => region.write(0, bytes, 0, 17),
      () => region.write(0, bytes, 2, 1),
      () => region.read(4090, 16, bytes, 0),
      () => region.read(0, 16, bytes, 1),
      () => region.read(0, 1, bytes, -1),
      () => region.read(0, -1, bytes, 0),
    ])
      expect(wrong).toThrow(RangeError);
    region.close();
    region.close();
    expect(() => region.read(0, 1, bytes, 0)).toThrow(RangeError);
  });

  test("takes memory when it is written, and gives it back at its end", async () => {
    const before = await residentAtRest();
    const region = new Region(64 * MB);
    expect(resident() - before).toBeLessThan(8 * MB);
    const bytes = new Uint8Array(MB).fill(1);
    for (let i = 0; i < 64; i++) region.write(i * MB, bytes, 0, MB);
    expect(resident() - before).toBeGreaterThan(56 * MB);
    region.close();
    expect(resident() - before).toBeLessThan(16 * MB);
  });
});

/** What others left behind in this process is given back by and by: once that is over. */
async function residentAtRest(): Promise<number> {
  Bun.gc(true);
  for (let last = resident(); ;) {
    await Bun.sleep(200);
    const now = resident();
    if (Math.abs(now - last) < MB) return now;
    last = now;
  }
}
