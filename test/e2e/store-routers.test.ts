/** Two routers of one store over etcd and the same servers, cut off from either, stopped and killed. */
import { expect, setDefaultTimeout } from "bun:test";

import { etcdServer } from "../fake/etcd-server.ts";
import { type FaultyWay, faultyWay } from "../fake/faulty-way.ts";
import { freePort } from "../fake/ports.ts";
import { realRedis, REDIS } from "../fake/redis.ts";
import { type Change, NOTHING, type Read, wrongReads } from "../fake/register-history.ts";
import { dice } from "../fake/store-book.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { type Appliance, appliance, until } from "./from-source.ts";
import { equal } from "./store-cluster.ts";
import { type FileServer, fileServer } from "./store-servers.ts";

setDefaultTimeout(120_000);

const NAMES = ["a", "b", "c"];
const withEtcd = needs(
  Bun.which("etcd") !== null && REDIS !== null,
  "etcd and Redis (apt-get install etcd-server redis-server)",
);

interface Router {
  readonly url: string;
  readonly etcd: FaultyWay;
  /** To each server. */
  readonly ways: readonly FaultyWay[];
  tern: Appliance;
  again(): Promise<void>;
}

withEtcd(
  "what was acknowledged by one is what the other reads, whatever is between them",
  async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await temporary());
    const etcd = stack.use(await etcdServer());
    const redis = stack.use(await realRedis());
    const servers: FileServer[] = [];
    for (const i of [0, 1, 2])
      servers.push(stack.use(await fileServer("nginx", dir.path, `s${i}`)));
    const router = async (node: string): Promise<Router> => {
      const toEtcd = stack.use(await faultyWay(Number(new URL(etcd.url).port)));
      const ways: FaultyWay[] = [];
      for (const { port } of servers) ways.push(stack.use(await faultyWay(port)));
      const listen = `127.0.0.1:${await freePort()}`;
      const members = ways.map(({ url }, i) => ({ id: `s${i}`, webdav: url }));
      const stages = { 0: { redundancy: 3, write_quorum: 2, members } };
      const config = {
        workers: 1,
        state: `${dir.path}/${node}`,
        admin: { listen: [] },
        cluster: { node, redis: redis.url, etcd: toEtcd.url },
        store: { files: { listen, stages } },
      };
      const start = async (): Promise<Appliance> => stack.use(await appliance(() => config));
      const it: Router = {
        url: `http://${listen}`,
        etcd: toEtcd,
        ways,
        tern: await start(),
        async again() {
          it.tern = await start();
        },
      };
      return it;
    };
    const [one, two] = [await router("one"), await router("two")];

    const changes = new Map<string, Change[]>(NAMES.map((name) => [name, []]));
    const reads = new Map<string, Read[]>(NAMES.map((name) => [name, []]));
    let count = 0;
    const write = async (url: string, name: string, remove: boolean): Promise<void> => {
      const value = remove ? NOTHING : `${name} ${++count} `.repeat(1 + (count % 40) * 200);
      const began = performance.now();
      const status = await fetch(
        `${url}/${name}`,
        remove ? { method: "DELETE" } : { method: "PUT", body: value },
      )
        .then((response) => response.status)
        .catch(() => 0); // nobody knows
      const ended = performance.now();
      if (status === 404) reads.get(name)?.push({ value: NOTHING, began, ended });
      else
        changes
          .get(name)
          ?.push({ value, began, ended: status < 300 && status > 0 ? ended : undefined });
    };
    const read = async (url: string, name: string): Promise<boolean> => {
      const began = performance.now();
      try {
        const response = await fetch(`${url}/${name}`);
        const text = await response.text();
        if (response.status !== 200 && response.status !== 404) return false;
        const value = response.status === 404 ? NOTHING : text;
        reads.get(name)?.push({ value, began, ended: performance.now() });
        return true;
      } catch {
        return false; // it was cut off
      }
    };

    const over = new AbortController();
    const roll = dice(3);
    const clients = [one, two].flatMap(({ url }) =>
      NAMES.map(async (name) => {
        while (!over.signal.aborted) {
          const what = roll(10);
          if (what < 4) await write(url, name, what === 0);
          else await read(url, name);
          await Bun.sleep(roll(20));
        }
      }),
    );
    const cut = async (way: FaultyWay | undefined, ms: number): Promise<void> => {
      if (way) way.fault = "silent";
      await Bun.sleep(ms);
      if (way) way.fault = undefined;
    };
    await Bun.sleep(1000);
    await cut(one.ways[0], 1500);
    await Promise.all([cut(one.ways[1], 1500), cut(two.ways[2], 1500)]);
    one.tern.kill("SIGKILL");
    await one.tern.exited;
    await one.again();
    // For longer than a lease: locks that it had are somebody else's when it goes on.
    one.tern.kill("SIGSTOP");
    await Bun.sleep(12_000);
    one.tern.kill("SIGCONT");
    await Bun.sleep(500);
    await cut(two.etcd, 11_000);
    await Bun.sleep(500);
    over.abort();
    await Promise.all(clients);

    for (const name of NAMES)
      for (const { url } of [one, two]) {
        await until(() => read(url, name));
      }
    for (const name of NAMES) {
      const [all, seen] = [changes.get(name) ?? [], reads.get(name) ?? []];
      expect(all.filter(({ ended }) => ended !== undefined).length).toBeGreaterThan(20);
      const short = ({ value, ...rest }: Read) => ({ value: value.slice(0, 12), ...rest });
      expect(wrongReads(all, seen).map(short)).toEqual([]);
    }
    const ended = await Promise.all([one, two].map(({ tern }) => tern.verb("store", "fsck")));
    expect(ended.map(({ code }) => code)).toContain(0); // of the one that looks after copies
    await equal({ roots: servers.map(({ root }) => root) });
    for (const name of NAMES) {
      const texts = await Promise.all(
        [one, two].map(async ({ url }) => (await fetch(`${url}/${name}`)).text()),
      );
      expect(texts[0]).toBe(texts[1] ?? "");
    }
  },
);
