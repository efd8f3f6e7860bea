/** Servers that may have so many connections, and clients that wait for a place. */
import { describe, expect, test } from "bun:test";

import { ownTallies } from "../../fake/tallies.ts";
import { chosen, client, member, planOf, poolOf, specs } from "./pool-of.ts";

const patient = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a full server is passed over; when all are, the pool is full", () => {
  const { pool } = poolOf([{ limit: 1 }, { limit: 2 }], { scheduler: "leastconns" });
  member(pool, "a").connecting();
  expect([chosen(pool), chosen(pool)]).toEqual(["b", "b"]);
  member(pool, "b").connecting();
  member(pool, "b").connecting();
  expect(chosen(pool)).toBe("full");
  member(pool, "a").failed("error");
  expect(chosen(pool)).toBe("a");
});

test("full is not down: backup stays out of it", () => {
  const { pool } = poolOf([{ limit: 1 }, { backup: true }]);
  member(pool, "a").connecting();
  expect(chosen(pool)).toBe("full");
});

test("places are given in the order of asking, and to nobody who comes in between", async () => {
  const { pool } = poolOf([{ limit: 1 }]);
  const a = member(pool, "a");
  a.connecting();
  const got: string[] = [];
  for (const name of ["one", "two"])
    void pool.queue(client(), patient).then((server) => {
      got.push(`${name} ${server?.name}`);
      server?.connecting();
    });
  await settle();
  expect([pool.queued, got]).toEqual([2, []]);
  a.closed();
  expect(chosen(pool)).toBe("full"); // the place is kept until it is taken
  await settle();
  expect([got, a.open, pool.queued]).toEqual([["one a"], 1, 1]);
  a.closed();
  await settle();
  expect([got, a.open, pool.queued]).toEqual([["one a", "two a"], 1, 0]);
});

test("whoever is given a place and does not take it has lost it to the next", async () => {
  const { pool } = poolOf([{ limit: 1 }]);
  const a = member(pool, "a");
  a.connecting();
  const one = pool.queue(client(), patient);
  const two = pool.queue(client(), patient);
  a.closed();
  expect((await one)?.name).toBe("a");
  expect((await two)?.name).toBe("a");
  await settle();
  await settle();
  expect([a.held, chosen(pool)]).toEqual([0, "a"]);
});

describe("nobody waits", () => {
  test("longer than the timeout", async () => {
    const { pool, clock } = poolOf([{ limit: 1 }], { queue: { size: 10, timeout: 3000 } });
    member(pool, "a").connecting();
    let got: unknown = "waiting";
    void pool.queue(client(), patient).then((server) => (got = server));
    await clock.advance(2999);
    expect(got).toBe("waiting");
    await clock.advance(1);
    await settle();
    expect([got, pool.queued]).toEqual([undefined, 0]);
  });

  test("who has gone away", async () => {
    const { pool } = poolOf([{ limit: 1 }]);
    member(pool, "a").connecting();
    const here = new AbortController();
    const waiting = pool.queue(client(), here.signal);
    here.abort();
    expect(await waiting).toBeUndefined();
    expect(pool.queued).toBe(0);
    expect(await pool.queue(client(), here.signal)).toBeUndefined();
  });

  test.each([
    { story: "in a queue that is full", size: 2, count: 1, waiting: 2 },
    {
      story: "in a worker's part of it, where workers cannot count together",
      size: 4,
      count: 2,
      waiting: 2,
    },
    { story: "where there is none", size: 0, count: 1, waiting: 0 },
  ])("$story", async ({ size, count, waiting }) => {
    const parts = { tallies: ownTallies(count) };
    const { pool } = poolOf([{ limit: 1 }], { queue: { size, timeout: 1000 } }, parts);
    member(pool, "a").connecting();
    for (let i = 0; i < waiting; i++) void pool.queue(client(), patient);
    await settle();
    expect(await pool.queue(client(), patient)).toBeUndefined();
    expect(pool.queued).toBe(waiting);
  });

  test("when a place is free", async () => {
    const { pool } = poolOf([{ limit: 1 }]);
    expect((await pool.queue(client(), patient))?.name).toBe("a");
  });
});

describe("who waits is served", () => {
  test.each([
    { story: "by a server that is added", hosts: [{ limit: 1 }, {}] },
    { story: "when the limit is raised", hosts: [{ limit: 2 }] },
    { story: "when there is no limit any more", hosts: [{}] },
  ])("$story", async ({ hosts }) => {
    const { pool } = poolOf([{ limit: 1 }]);
    member(pool, "a").connecting();
    const waiting = pool.queue(client(), patient);
    await settle();
    pool.apply(planOf(), specs(...hosts), []);
    expect((await waiting)?.name).toBe(hosts.length > 1 ? "b" : "a");
  });

  test("many at once, each by one place, until all is full again", async () => {
    const { pool } = poolOf([{ limit: 2 }, { limit: 3 }], { scheduler: "leastconns" });
    for (let i = 0; i < 5; i++) {
      const found = pool.choose(client());
      if (typeof found === "object") found.connecting();
    }
    for (let i = 0; i < 10; i++)
      void pool.queue(client(), patient).then((server) => server?.connecting());
    await settle();
    for (let i = 0; i < 3; i++) member(pool, "b").closed();
    await settle();
    expect([member(pool, "a").open, member(pool, "b").open, pool.queued]).toEqual([2, 3, 7]);
  });
});
