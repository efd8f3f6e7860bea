import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
/** Purges at one appliance of a cluster, and what another one still answers. */
import { createServer } from "node:http";

import { freePort } from "../fake/ports.ts";
import { realRedis, REDIS } from "../fake/redis.ts";
import { type Appliance, appliance, until } from "./from-source.ts";

setDefaultTimeout(90_000); // whole programs start and end, on a machine that may be busy

let asked = 0;
const backend = createServer((request, response) => {
  response.setHeader("Cache-Control", "max-age=600");
  response.setHeader("Cache-Tag", request.url?.startsWith("/news") ? "news" : "other");
  response.end(`${request.url} ${++asked}`);
});
const backendPort = await new Promise<number>((resolve) => {
  backend.listen(0, "127.0.0.1", () => resolve((backend.address() as { port: number }).port));
});
afterAll(() => void backend.close());

/** Both nodes are asked by the same name, as they would be. */
const HOST = "shop.example";

interface Node {
  readonly tern: Appliance;
  get(path: string, method?: string): Promise<string>;
}

async function node(name: string, redis: string, workers: number): Promise<Node> {
  const port = await freePort();
  const tern = await appliance((dir) => ({
    workers,
    state: `${dir}/var`,
    admin: { listen: [] },
    cluster: { redis, node: name },
    pools: { app: { hosts: [`127.0.0.1:${backendPort}`] } },
    proxy: {
      edge: {
        listen: `127.0.0.1:${port}`,
        routes: [{ pool: "app" }],
        cache: { disk: `${dir}/cache`, purge: { allow: ["127.0.0.1"] } },
      },
    },
  }));
  return {
    tern,
    get: async (path, method = "GET") =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, {
          method,
          headers: { Host: HOST, Connection: "close" },
        })
      ).text(),
  };
}

/** How long until `at` answers something else than `before`; fails after `most` ms. */
async function gone(at: Node, path: string, before: string, most: number): Promise<number> {
  const began = performance.now();
  await until(async () => (await at.get(path)) !== before, most);
  return performance.now() - began;
}

describe.skipIf(REDIS === null)("a purge at one node", () => {
  test("holds at the other within a second: by URL, prefix, tag, PURGE, a change, and all", async () => {
    await using redis = await realRedis();
    const a = await node("a", redis.url, 2);
    await using _a = a.tern;
    const b = await node("b", redis.url, 1);
    await using _b = b.tern;
    // The first one waits for the connections.
    const first = await b.get("/first");
    await a.tern.verb("cache", "purge", `${HOST}/first`);
    await gone(b, "/first", first, 10_000);

    const ways: [path: string, purge: () => Promise<unknown>][] = [
      ["/page", () => a.tern.verb("cache", "purge", `${HOST}/page`)],
      ["/dir/page", () => a.tern.verb("cache", "purge", "--prefix", `${HOST}/dir/`)],
      ["/news/1", () => a.tern.verb("cache", "purge", "--tag", "news")],
      ["/purged", () => a.get("/purged", "PURGE")],
      ["/changed", () => a.get("/changed", "POST")],
      ["/any", () => a.tern.verb("cache", "purge", "--all")],
    ];
    const kept = await b.get("/kept");
    for (const [path, purge] of ways) {
      const before = await b.get(path);
      expect(await b.get(path)).toBe(before);
      if (path === "/any") expect(await b.get("/kept")).toBe(kept);
      await purge();
      expect([path, (await gone(b, path, before, 1000)) < 1000]).toEqual([path, true]);
    }
    expect(await b.get("/kept")).not.toBe(kept);

    // And the other way round, from one process to two.
    const before = await a.get("/back");
    await b.tern.verb("cache", "purge", "--tag", "other");
    await gone(a, "/back", before, 1000);
    await Bun.sleep(200);
    const after = new Set(await Promise.all(Array.from({ length: 12 }, () => a.get("/back"))));
    expect(after.has(before)).toBe(false);
    expect(a.tern.lines.concat(b.tern.lines).filter(({ level }) => level === "error")).toEqual([]);
  });

  test("while Redis is away holds at the other once it is back, though it forgot everything", async () => {
    await using redis = await realRedis();
    const a = await node("a", redis.url, 2);
    await using _a = a.tern;
    const b = await node("b", redis.url, 2);
    await using _b = b.tern;
    const first = await b.get("/first");
    await a.tern.verb("cache", "purge", `${HOST}/first`);
    await gone(b, "/first", first, 10_000);

    const before = await b.get("/news/2");
    await redis.kill();
    await Bun.sleep(200);
    await a.tern.verb("cache", "purge", "--tag", "news");
    await Bun.sleep(500);
    expect(await b.get("/news/2")).toBe(before);
    await redis.again();
    await gone(b, "/news/2", before, 15_000);
  });
});
