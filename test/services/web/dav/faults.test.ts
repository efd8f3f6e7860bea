import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { STALE_MS } from "../../../../src/services/web/dav/sweep.ts";
import { Fixture, ROUNDS, SIZE } from "./fixture.ts";

const KILLS = 8;
/** Long enough for a few uploads in the child. */
const LONGEST_LIFE_MS = 40;

function child(task: string, dav: Fixture) {
  return Bun.spawn(
    [process.execPath, join(import.meta.dir, "child.ts"), task, dav.root, dav.state],
    {
      stdout: "pipe",
      stderr: "inherit",
    },
  );
}

describe("when a process is killed", () => {
  test("while it takes a PUT, the file is the old one or the new one, whole", async () => {
    await using dav = await Fixture.make();
    for (let i = 0; i < KILLS; i++) {
      const writer = child("put", dav);
      await writer.stdout.getReader().read(); // it has begun
      await Bun.sleep(Math.random() * LONGEST_LIFE_MS);
      writer.kill("SIGKILL");
      await writer.exited;
      const text = await readFile(dav.path("f"), "latin1");
      expect(text.length).toBe(SIZE);
      expect(text === text[0]?.repeat(SIZE)).toBe(true);
    }
    // Nothing shows what it left behind, and the next start cleans it.
    const seen = await dav.ask({ method: "PROPFIND", headers: { Depth: "1" } });
    expect(seen.text.match(/<D:response>/g)).toHaveLength(2);
    const { root, state } = dav;
    const now = Date.now() + STALE_MS + 60_000;
    await using _next = await Fixture.make({ root, state, sweep: true, now });
    for (let i = 0; i < 400 && (await readdir(dav.root)).length > 1; i++) await Bun.sleep(5);
    expect(await readdir(dav.root)).toEqual(["f"]);
  }, 30_000);
});

describe("when two processes want one lock", () => {
  test("exactly one gets it", async () => {
    await using dav = await Fixture.make();
    const racers = [child("lock", dav), child("lock", dav)];
    const results = await Promise.all(
      racers.map(async (racer) => (await new Response(racer.stdout).json()) as number[]),
    );
    const [one = [], two = []] = results;
    expect([one.length, two.length]).toEqual([ROUNDS, ROUNDS]);
    for (const [i, status] of one.entries())
      expect(`${status} ${two[i]}`).toMatch(/^(201 423|423 201)$/);
  }, 30_000);
});

describe("when the disk is full", () => {
  test("a PUT is answered 507 and changes nothing", async () => {
    await using dav = await Fixture.make();
    const small = dav.path("small");
    await mkdir(small);
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
    if (mounted.exitCode !== 0) {
      process.stderr.write("SKIPPED for want of root: a full disk is not tested\n");
      return;
    }
    try {
      await writeFile(join(small, "f"), "old");
      const body = new Uint8Array(1024 * 1024);
      expect((await dav.ask({ method: "PUT", path: "/small/f", body })).status).toBe(507);
      expect(await readFile(join(small, "f"), "utf8")).toBe("old");
      expect(await readdir(small)).toEqual(["f"]);
      expect((await dav.ask({ method: "PUT", path: "/small/f", body: "new" })).status).toBe(204);

      await writeFile(dav.path("large"), body);
      const copy = { method: "COPY", path: "/large", headers: { Destination: "/small/g" } };
      expect((await dav.ask(copy)).status).toBe(507);
      const move = { method: "MOVE", path: "/large", headers: { Destination: "/small/f" } };
      expect((await dav.ask(move)).status).toBe(507);
      expect(await readdir(small)).toEqual(["f"]);
      expect(await readFile(join(small, "f"), "utf8")).toBe("new");
      const tail = { "Content-Range": `bytes 3-${body.length + 2}/*` };
      const part = { method: "PUT", path: "/small/f", body, headers: tail };
      expect((await dav.ask(part)).status).toBe(507);
      expect(await readFile(join(small, "f"), "utf8")).toBe("new");
      expect(await readdir(small)).toEqual(["f"]);
    } finally {
      Bun.spawnSync(["umount", small]);
    }
  });
});
