/** The service: configs come, go, and come back to nothing. */
import { expect, test } from "bun:test";

import * as v from "valibot";

import { noHealth } from "../../../src/net/health/health.ts";
import { PoolBook } from "../../../src/net/pools/book.ts";
import { poolsSchema } from "../../../src/services/pools/config.ts";
import { pools } from "../../../src/services/pools/pools.ts";
import type { Host, Instance } from "../../../src/services/service.ts";
import { fakeHost } from "../../fake/host.ts";
import { client } from "../../net/pools/pool-of.ts";
import { resolverOf } from "../../net/pools/resolver-of.ts";

function hostWithBook() {
  const plain = fakeHost();
  const book = new PoolBook({
    clock: plain.clock,
    wall: Date.now,
    dice: Math.random,
    log: plain.log,
    metrics: plain.metrics,
    health: noHealth,
    resolver: resolverOf({}).resolver,
    worker: plain.worker,
    tallies: plain.tallies,
  });
  const host: Host = Object.create(plain, { pools: { value: book } });
  const begin = async (section: object): Promise<Instance> =>
    pools.prepare(v.parse(poolsSchema, section), host);
  return { book, begin, [Symbol.dispose]: () => plain[Symbol.dispose]() };
}

const soon = () => new AbortController().signal;
const hosts = (book: PoolBook): string[] => book.pool("app").members.map(({ name }) => name);

test("a new config changes the pools in place", async () => {
  using it = hostWithBook();
  const one = await it.begin({ app: { hosts: ["10.0.0.1:80"] } });
  expect(hosts(it.book)).toEqual([]);
  one.start();
  const server = it.book.pool("app").members[0];
  const two = await it.begin({ app: { hosts: ["10.0.0.2:80", "10.0.0.1:80"] } });
  two.start();
  await one.stop(soon());
  expect(hosts(it.book)).toEqual(["10.0.0.2:80", "10.0.0.1:80"]);
  expect(it.book.pool("app").members[1]).toBe(server as never);
});

test("one that is prepared and not used leaves nothing behind", async () => {
  using it = hostWithBook();
  (await it.begin({ app: { hosts: ["10.0.0.1:80"] } })).start();
  await (await it.begin({ app: { hosts: [] } })).stop(AbortSignal.abort());
  expect(hosts(it.book)).toEqual(["10.0.0.1:80"]);
});

test("at the end, who finishes what is in hand still finds servers; then there are none", async () => {
  using it = hostWithBook();
  const one = await it.begin({ app: { hosts: ["10.0.0.1:80"] } });
  one.start();
  const deadline = new AbortController();
  await one.stop(deadline.signal);
  expect(it.book.pool("app").choose(client())).toMatchObject({ name: "10.0.0.1:80" });
  deadline.abort();
  await Bun.sleep(1);
  expect(it.book.pool("app").choose(client())).toBeUndefined();
});

test("retry lets in whoever was out", async () => {
  using it = hostWithBook();
  const one = await it.begin({
    app: { hosts: ["10.0.0.1:80", { name: "b", address: "10.0.0.2:80" }] },
  });
  one.start();
  const [a, b] = it.book.pool("app").members;
  for (const server of [a, b]) {
    server?.connecting();
    server?.failed("refused");
  }
  const retry = one.actions?.["retry"];
  expect(await retry?.run({ pool: "app", host: "b" })).toEqual({ let_in: 1 });
  expect([a?.out === undefined, b?.out === undefined]).toEqual([false, true]);
  expect(await retry?.run({ pool: "app" })).toEqual({ let_in: 1 });
  expect(retry?.run({ pool: "none" })).rejects.toThrow('there is no pool "none"');
  expect(retry?.run({ pool: "app", host: "x" })).rejects.toThrow('pool app has no host "x"');
});
