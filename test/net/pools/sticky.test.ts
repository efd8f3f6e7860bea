import { describe, expect, test } from "bun:test";

import type { StickyShare } from "../../../src/net/pools/sticky-share.ts";
import { StickyTable } from "../../../src/net/pools/sticky-table.ts";
import { attempt, chosen, client, member, poolOf, specs } from "./pool-of.ts";

const sticky = { sticky: "ip" as const };
const others = Array.from({ length: 20 }, (_, i) => client(`192.0.2.${i + 10}`, i));

describe("sticky: ip", () => {
  test("a client stays with its server, new ones go where the scheduler says", () => {
    const { pool } = poolOf([{}, {}, {}], sticky);
    const first = others.map((one) => chosen(pool, one));
    expect(first.join("")).toBe("abcabcabcabcabcabcab");
    expect(others.map((one) => chosen(pool, one))).toEqual(first);
  });

  test("whom nobody knows sticks to nobody", () => {
    const { pool } = poolOf([{}, {}], sticky);
    expect([1, 2, 3].map(() => chosen(pool, client(""))).join("")).toBe("aba");
  });

  test("one whose server is gone gets another and stays there", async () => {
    const { pool, clock } = poolOf([{}, {}], { ...sticky, eject: { errors: 1, for: 1000 } });
    expect(chosen(pool, client())).toBe("a");
    attempt(pool, "a", "refused");
    expect(chosen(pool, client())).toBe("b");
    await clock.advance(1001);
    expect(chosen(pool, client())).toBe("b");
  });

  test("one that tried its server in vain gets another", () => {
    const { pool } = poolOf([{}, {}], { ...sticky, eject: { errors: 9, for: 1000 } });
    expect(chosen(pool, client())).toBe("a");
    expect(chosen(pool, client(), [member(pool, "a")])).toBe("b");
  });

  test("a server that drains keeps its clients and gets no new ones; one that is down keeps none", () => {
    const { pool, plan } = poolOf([{}, {}], sticky);
    expect(chosen(pool, client())).toBe("a");
    pool.apply(plan, specs({ state: "drain" }, {}), []);
    expect(chosen(pool, client())).toBe("a");
    expect(new Set(others.map((one) => chosen(pool, one)))).toEqual(new Set(["b"]));
    pool.apply(plan, specs({ state: "down" }, {}), []);
    expect(chosen(pool, client())).toBe("b");
  });

  test("a client waits for its own server when that is full", async () => {
    const { pool } = poolOf([{ limit: 1 }, {}], sticky);
    const found = pool.choose(client());
    if (typeof found === "object") found.connecting();
    expect(chosen(pool, client())).toBe("full");
    const waiting = pool.queue(client(), new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    member(pool, "b").connecting();
    member(pool, "b").closed(); // a place that is free, but not its own
    expect(pool.queued).toBe(1);
    member(pool, "a").closed();
    expect((await waiting)?.name).toBe("a");
  });

  test("after its time it is a new client", async () => {
    const { pool, clock } = poolOf([{}, {}], { ...sticky, stickyTable: { size: 9, expire: 1000 } });
    expect(chosen(pool)).toBe("a");
    await clock.advance(900);
    expect(chosen(pool)).toBe("a");
    await clock.advance(900);
    expect(chosen(pool)).toBe("a"); // it was here in between
    await clock.advance(1001);
    expect(chosen(pool)).toBe("b");
  });

  test("several workers place a new client alike, whatever else they have done", () => {
    const worlds = [0, 1, 2].map((index) => {
      const { pool } = poolOf([{}, {}, {}], sticky, { worker: { index, count: 3 } });
      for (let i = 0; i < index; i++) chosen(pool, client(`203.0.113.${i}`));
      return others.map((one) => chosen(pool, one)).join("");
    });
    expect(worlds[1]).toBe(worlds[0] ?? "");
    expect(worlds[2]).toBe(worlds[0] ?? "");
    expect(new Set(worlds[0])).toEqual(new Set("abc"));
  });
});

describe("what others know", () => {
  /** Two processes that tell each other everything. */
  function together() {
    const known = new Map<string, string>();
    const told: string[] = [];
    const share: StickyShare = {
      find: (pool, who) => known.get(`${pool} ${who}`),
      tell: (pool, who, server, expire) => {
        told.push(`${who} ${server} ${expire}`);
        known.set(`${pool} ${who}`, server);
      },
    };
    return { share, told, known };
  }

  test("a client sticks to where another process has sent it", () => {
    const { share, told } = together();
    const one = poolOf([{}, {}], sticky, { share });
    const two = poolOf([{}, {}], sticky, { share });
    expect(chosen(one.pool, others[0])).toBe("a");
    expect(chosen(one.pool, others[1])).toBe("b");
    expect(chosen(two.pool, others[1])).toBe("b");
    expect(chosen(two.pool, others[0])).toBe("a");
    expect(told[0]).toBe("192.0.2.10 10.0.0.1:80 60000");
  });

  test("of a server that is not here, it is no news", () => {
    const { share, known } = together();
    known.set("app 192.0.2.1", "10.9.9.9:80");
    expect(chosen(poolOf([{}, {}], sticky, { share }).pool)).toBe("a");
  });

  test("a client that stays is told of again before the others forget it", async () => {
    const { share, told } = together();
    const { pool, clock } = poolOf([{}, {}], sticky, { share });
    for (let i = 0; i < 10; i++) {
      chosen(pool);
      await clock.advance(10_000); // of the minute it is remembered for
    }
    expect(told).toHaveLength(3);
  });
});

describe("the table", () => {
  test("holds so many clients, and forgets those not seen for longest", () => {
    const table = new StickyTable(() => {});
    table.resize({ size: 3, expire: 100 });
    for (const who of ["a", "b", "c"]) table.put(who, "s", 0);
    table.find("a", 1);
    table.put("d", "s", 2);
    expect(["a", "b", "c", "d"].map((who) => table.find(who, 3))).toEqual([
      "s",
      undefined,
      "s",
      "s",
    ]);
    table.resize({ size: 1, expire: 100 });
    expect(table.size).toBe(1);
  });

  test("forgets in time", () => {
    const table = new StickyTable(() => {});
    table.resize({ size: 3, expire: 100 });
    table.put("a", "s", 0);
    expect([table.find("a", 99), table.find("a", 199), table.size]).toEqual(["s", undefined, 0]);
  });
});
