/** A store over two nginx of which this machine keeps blocks on a disk of its own: through kill -9, and beyond rot. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { appliance, until } from "./from-source.ts";
import { BASE, get, put, random } from "./store-cluster.ts";
import { fileServer } from "./store-servers.ts";

setDefaultTimeout(60_000);

/** Each page of a file is another one. */
function rot(path: string): void {
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test("what rots on all members is served from here, after kill -9 too; what rots here as well is not", async () => {
  await using dir = await temporary();
  await using a = await fileServer("nginx", dir.path, "a");
  await using b = await fileServer("nginx", dir.path, "b");
  const kept = join(dir.path, "kept");
  const config = {
    workers: 2,
    state: join(dir.path, "var"),
    admin: { listen: [] },
    store: {
      files: {
        listen: `127.0.0.1:${await freePort()}`,
        cache: { memory: 0, disk: kept, disk_max: "64MiB" },
        stages: {
          0: {
            redundancy: 2,
            members: [
              { id: "a", webdav: a.url },
              { id: "b", webdav: b.url },
            ],
          },
        },
      },
    },
  };
  const body = Buffer.from(random(3 * 2 ** 20 + 7));
  const places = [a, b].map(({ root }) => join(root, BASE, "one"));
  {
    await using tern = await appliance(() => config);
    const url = `http://127.0.0.1:${tern.port}/one`;
    expect(await put(url, body)).toBe(201);
    const hits = async (): Promise<number> => {
      const { out } = await tern.verb("store", "status", "--json");
      return Number(/"disk_cache":\s*\{\s*"hits":\s*(\d+)/.exec(out)?.[1]);
    };
    // Until all four blocks are on the disk: then nobody is asked for them.
    await until(async () => {
      const before = await hits();
      expect(await get(url)).toEqual(body);
      return (await hits()) === before + 4;
    });
    for (const place of places) rot(place);
    expect(await get(url)).toEqual(body);
    tern.kill("SIGKILL");
    await tern.exited;
  }
  await using again = await appliance(() => config);
  const url = `http://127.0.0.1:${again.port}/one`;
  expect(await get(url)).toEqual(body);
  for (const name of readdirSync(join(kept, "files"))) rot(join(kept, "files", name));
  expect(await get(url)).toBe(503);
});
