/** Disks that are full, and disks that can be read only, with the servers and the router on them. */
import { expect, setDefaultTimeout } from "bun:test";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { smallDisk } from "../fake/small-disk.ts";
import { temporary } from "../fake/temporary.ts";
import { asRoot } from "../sys/needs.ts";
import { until } from "./from-source.ts";
import { BASE, cluster, equal, filesOf, get, put, random } from "./store-cluster.ts";

setDefaultTimeout(60_000);

const MiB = 2 ** 20;

/** What is on its way, or has been left there. */
function leftIn(root: string): string[] {
  try {
    return readdirSync(join(root, `${BASE}.new`));
  } catch {
    return []; // nothing ever was
  }
}

asRoot("a directory that is full is owed its copies, and has them when there is room", async () => {
  await using dir = await temporary();
  const disk = join(dir.path, "disk");
  using _ = smallDisk(disk, 4 * MiB);
  await using it = await cluster(["nginx", "apache"], { disk });
  const body = random(3 * MiB);
  expect(await put(`${it.url}/a`, random(1.5 * MiB))).toBe(201);
  expect(await put(`${it.url}/b`, random(1.5 * MiB))).toBe(201);
  expect(await put(`${it.url}/c`, body)).toBe(201);
  expect(await put(`${it.url}/d`, random(10))).toBe(201);
  expect(leftIn(disk)).toEqual([]);
  expect(((await get(`${it.url}/c`)) as Buffer).equals(body)).toBe(true);
  expect((await it.tern.verb("store", "status")).out).toContain("1 copies are owed");
  for (const name of ["a", "b"])
    expect((await fetch(`${it.url}/${name}`, { method: "DELETE" })).status).toBe(204);
  await equal(it);
});

for (const kind of ["nginx", "apache", "tern"] as const)
  asRoot(
    `all disks are full, of ${kind} too: no torso, and as soon as there is room it goes on`,
    async () => {
      await using dir = await temporary();
      const disk = join(dir.path, "disk");
      using _ = smallDisk(disk, 4 * MiB);
      await using it = await cluster([kind, kind], { disk, small: 4 * MiB });
      const small = random(400_000);
      await until(async () => [201, 204].includes(await put(`${it.url}/a`, small)));
      const refused = await put(`${it.url}/b`, random(5 * MiB));
      expect([503, 507]).toContain(refused);
      expect([404, 503]).toContain((await get(`${it.url}/b`)) as number);
      expect(((await get(`${it.url}/a`)) as Buffer).equals(small)).toBe(true);
      // In place of a file: the old one stays.
      expect([503, 507]).toContain(await put(`${it.url}/a`, random(5 * MiB)));
      expect(((await get(`${it.url}/a`)) as Buffer).equals(small)).toBe(true);
      await until(async () => [201, 204].includes(await put(`${it.url}/c`, random(300_000))));
      await equal(it);
      for (const root of it.roots) {
        expect(Object.keys(filesOf(root)).filter((name) => name.endsWith("/b"))).toEqual([]);
        await until(() => leftIn(root).length === 0);
      }
    },
  );

asRoot("a disk turns read-only: what is on it is read, what is new it is owed", async () => {
  await using dir = await temporary();
  const disk = join(dir.path, "disk");
  using mounted = smallDisk(disk, 16 * MiB);
  await using it = await cluster(["nginx", "tern"], { disk });
  const [server] = it.servers;
  await server?.kill();
  using other = smallDisk(server?.root ?? "", 16 * MiB);
  await server?.start();
  const before = random(300_000);
  await until(async () => [201, 204].includes(await put(`${it.url}/a`, before)));
  await equal(it);
  mounted.readOnly(true);
  expect(await put(`${it.url}/b`, random(300_000))).toBe(201);
  expect((await fetch(`${it.url}/a`, { method: "DELETE" })).status).toBe(204);
  expect(await get(`${it.url}/a`)).toBe(404);
  other.readOnly(true);
  // One is left, and two are needed.
  expect(await put(`${it.url}/c`, random(300_000))).toBe(503);
  expect(((await get(`${it.url}/b`)) as Buffer).length).toBe(300_000);
  expect(await get(`${it.url}/a`)).toBe(404);
  other.readOnly(false);
  mounted.readOnly(false);
  await until(async () => [201, 204].includes(await put(`${it.url}/c`, random(10))));
  await equal(it);
  expect(await get(`${it.url}/a`)).toBe(404);
});

asRoot(
  "the router cannot write down what it owes: nothing is acknowledged, and it lives on",
  async () => {
    await using dir = await temporary();
    const state = join(dir.path, "state");
    using _ = smallDisk(state, 4 * MiB);
    await using it = await cluster(["nginx", "nginx"], { state });
    expect(await put(`${it.url}/a`, random(1000))).toBe(201);
    const [away] = it.servers;
    await away?.kill();
    expect(await put(`${it.url}/b`, random(1000))).toBe(201);
    const filler = join(state, "filler");
    for (let size = 4 * MiB; size >= 1; size = Math.floor(size / 2))
      try {
        writeFileSync(filler, new Uint8Array(size), { flag: "a" });
      } catch {} // that much there was not
    const told: number[] = [];
    for (let i = 0; i < 40; i++) told.push(await put(`${it.url}/n${i}`, random(1000)));
    // A page of the journal may have been left; then it is over.
    expect(told.at(-1)).toBeGreaterThanOrEqual(500);
    rmSync(filler);
    await away?.start();
    await until(async () => [201, 204].includes(await put(`${it.url}/c`, random(1000))));
    for (const [i, status] of told.entries())
      if (status < 300) expect(((await get(`${it.url}/n${i}`)) as Buffer).length).toBe(1000);
    expect(await it.tern.verb("store", "fsck")).toMatchObject({ code: 0 });
    await equal(it);
  },
);
