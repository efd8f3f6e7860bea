/** Quotas of two routers of one store: each knows what the other stores. */
import { expect, setDefaultTimeout } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { StoreStats } from "../../src/services/store/stats.ts";
import { etcdServer } from "../fake/etcd-server.ts";
import { freePort } from "../fake/ports.ts";
import { realRedis, REDIS } from "../fake/redis.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { type Appliance, appliance, until } from "./from-source.ts";

setDefaultTimeout(120_000);

const withEtcd = needs(
  Bun.which("etcd") !== null && REDIS !== null,
  "etcd and Redis (apt-get install etcd-server redis-server)",
);

withEtcd("what one router stores takes room from the other, which restarts and all", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await temporary());
  const etcd = stack.use(await etcdServer());
  const redis = stack.use(await realRedis());
  const members = ["a", "b"].map((id) => ({ id, dir: join(dir.path, id) }));
  for (const { dir: root } of members) mkdirSync(root);
  const router = async (node: string) => {
    const listen = `127.0.0.1:${await freePort()}`;
    const start = async (): Promise<Appliance> =>
      stack.use(
        await appliance(() => ({
          workers: 2,
          state: join(dir.path, `state-${node}`),
          admin: { listen: [] },
          cluster: { node, redis: redis.url, etcd: etcd.url },
          store: {
            files: {
              listen,
              stages: { 0: { redundancy: 2, write_quorum: 2, members } },
              quotas: { "/kim/": 1000 },
            },
          },
        })),
      );
    const ask = async (method: string, path: string, size = 0): Promise<number> => {
      const body = method === "PUT" ? new Uint8Array(size) : null;
      return (await fetch(`http://${listen}${path}`, { method, body })).status;
    };
    return { ask, start, tern: await start() };
  };
  const [one, two] = [await router("one"), await router("two")];
  /** Both say so many bytes are stored below /kim/. */
  const settled = async (bytes: number): Promise<void> => {
    for (const { tern } of [one, two])
      await until(async () => {
        const { out } = await tern.verb("store", "status", "--json");
        const { files } = JSON.parse(out) as { files: StoreStats };
        return files.usage?.["/kim/"]?.bytes === bytes;
      });
  };

  expect(await one.ask("MKCOL", "/kim")).toBe(201);
  expect(await one.ask("PUT", "/kim/a", 600)).toBe(201);
  await settled(600);
  expect(await two.ask("PUT", "/kim/b", 401)).toBe(507);
  expect(await two.ask("PUT", "/kim/b", 300)).toBe(201);
  await settled(900);
  expect(await one.ask("PUT", "/kim/c", 101)).toBe(507);
  expect(await one.ask("DELETE", "/kim/b")).toBe(204);
  await settled(600);
  expect(await two.ask("PUT", "/kim/c", 400)).toBe(201);
  await settled(1000);

  one.tern.kill("SIGKILL");
  await one.tern.exited;
  expect(await two.ask("DELETE", "/kim/a")).toBe(204);
  one.tern = await one.start();
  await settled(400);
  expect(await one.ask("PUT", "/kim/d", 601)).toBe(507);

  await etcd.pause();
  expect(await one.ask("GET", "/kim/c")).toBe(200);
  etcd.resume();
  await until(async () => (await one.ask("PUT", "/kim/d", 600)) === 201);
  await settled(1000);
  expect(await two.ask("PUT", "/kim/e", 1)).toBe(507);
});
