import { describe, expect, test } from "bun:test";

import { BY_HASH, SCHEDULERS } from "../../../src/core/schedulers/schedulers.ts";
import type { Verdict } from "../../../src/net/health/health.ts";
import type { Client } from "../../../src/net/pools/pool.ts";
import type { HostWish } from "./pool-of.ts";
import { attempt, choices, chosen, client, member, planOf, poolOf, specs } from "./pool-of.ts";

const UP: Verdict = { state: "up", since: 1, why: "" };
const DOWN: Verdict = { state: "down", since: 2, why: "connection refused" };
const UNKNOWN: Verdict = { state: "unknown", since: 0, why: "" };

describe("who is in question", () => {
  test.each<{ story: string; hosts: HostWish[]; verdicts?: Verdict[]; says: string }>([
    { story: "everybody", hosts: [{}, {}, {}], says: "abcabc" },
    {
      story: "not those that drain, are down or weigh nothing",
      hosts: [{}, { state: "drain" }, { state: "down" }, { weight: 0 }],
      says: "aaa",
    },
    { story: "not whom probes say to be down", hosts: [{}, {}], verdicts: [DOWN, UP], says: "bbb" },
    { story: "whoever is not judged yet", hosts: [{}, {}], verdicts: [UNKNOWN, UP], says: "abab" },
    { story: "no backup while others are there", hosts: [{ backup: true }, {}, {}], says: "bcbc" },
    {
      story: "backup when no other is",
      hosts: [{ backup: true }, {}, {}],
      verdicts: [UP, DOWN, DOWN],
      says: "aaa",
    },
    {
      story: "nobody, when probes say so",
      hosts: [{}, {}],
      verdicts: [DOWN, DOWN],
      says: "nobody",
    },
    { story: "nobody at all", hosts: [], says: "nobody" },
  ])("$story", ({ hosts, verdicts = [], says }) => {
    const { pool, plan } = poolOf(hosts);
    pool.apply(plan, specs(...hosts), verdicts);
    expect(says === "nobody" ? chosen(pool) : choices(pool, says.length)).toBe(says);
  });

  test("workers do not all begin with the same", () => {
    const first = [0, 1, 2, 3].map((index) => {
      const { pool } = poolOf([{}, {}, {}], {}, { worker: { index, count: 4 } });
      return choices(pool, 3);
    });
    expect(first).toEqual(["abc", "bca", "cab", "abc"]);
  });

  test.each(SCHEDULERS.map((scheduler) => ({ scheduler, asks: BY_HASH.has(scheduler) ? 2 : 0 })))(
    "$scheduler asks for the hash of the client $asks times in two choices",
    ({ scheduler, asks }) => {
      const { pool } = poolOf([{}, {}, {}], { scheduler });
      let asked = 0;
      const who: Client = {
        address: "192.0.2.1",
        get hash() {
          return ++asked;
        },
      };
      for (let i = 0; i < 2; i++) expect(chosen(pool, who)).toBeOneOf(["a", "b", "c"]);
      expect(asked).toBe(asks);
    },
  );

  test("one that was tried is not chosen again, nor is anybody when all were", () => {
    const { pool } = poolOf([{}, {}, { backup: true }]);
    const [a, b, c] = [member(pool, "a"), member(pool, "b"), member(pool, "c")];
    expect(chosen(pool, client(), [a])).toBe("b");
    expect(chosen(pool, client(), [b])).toBe("a");
    // Better a backup than nothing.
    expect(chosen(pool, client(), [a, b])).toBe("c");
    expect(chosen(pool, client(), [a, b, c])).toBe("nobody");
    expect(choices(pool, 4)).toBe("abab");
  });
});

describe("a server that cannot be reached", () => {
  test("pythondirector: out at once for everybody new, tried again after checktime", async () => {
    const { pool, clock, log } = poolOf([{}, {}], { eject: { errors: 1, for: 120_000 } });
    attempt(pool, "a", "refused");
    expect(member(pool, "a")).toMatchObject({
      eligible: false,
      open: 0,
      failures: 1,
      ejections: 1,
    });
    expect(choices(pool, 4)).toBe("bbbb");
    await clock.advance(119_000);
    expect(choices(pool, 2)).toBe("bb");
    await clock.advance(2000);
    expect([...choices(pool, 4)].sort().join("")).toBe("aabb");
    expect(log.lines).toEqual(["warn a server is taken out", "info a server is let in again"]);
    expect(log.fields[0]).toEqual({ pool: "app", server: "a", why: "refused", ms: 120_000 });
  });

  test("the next failure takes it out again at once: it has not answered since", async () => {
    const { pool, clock } = poolOf([{}, {}], { eject: { errors: 3, for: 1000 } });
    for (let i = 0; i < 3; i++) attempt(pool, "a", "timeout");
    await clock.advance(1001);
    expect(member(pool, "a").eligible).toBe(true);
    attempt(pool, "a", "timeout");
    expect(member(pool, "a").eligible).toBe(false);
  });

  test.each<{ story: string; attempts: ("refused" | "ok" | "timeout" | "error")[]; out: boolean }>([
    { story: "two are not three", attempts: ["refused", "timeout"], out: false },
    { story: "three in a row", attempts: ["refused", "timeout", "refused"], out: true },
    {
      story: "an answer between them",
      attempts: ["refused", "refused", "ok", "refused"],
      out: false,
    },
    { story: "what may be our own fault", attempts: ["error", "error", "error"], out: false },
  ])("after errors in a row: $story", ({ attempts, out }) => {
    const { pool } = poolOf([{}, {}], { eject: { errors: 3, for: 1000 } });
    for (const how of attempts) attempt(pool, "a", how);
    expect(member(pool, "a").eligible).toBe(!out);
  });

  test("when all are out everybody is tried again, until one answers", () => {
    const { pool } = poolOf([{}, {}, { backup: true }, { state: "down" }]);
    for (const name of ["a", "b", "c"]) attempt(pool, name, "refused");
    expect(choices(pool, 6)).toBe("abcabc");
    const tried = [member(pool, "a"), member(pool, "b")];
    expect(chosen(pool, client(), tried)).toBe("c");
    attempt(pool, "b", "ok");
    expect(choices(pool, 3)).toBe("bbb");
  });

  test("retry forgets: one by name or address, or all", () => {
    const { pool } = poolOf([{}, {}, {}]);
    for (const name of ["a", "b"]) attempt(pool, name, "refused");
    expect(pool.forgive("10.0.0.1:80")).toBe(1);
    expect(member(pool, "a").eligible).toBe(true);
    attempt(pool, "a", "refused");
    expect(pool.forgive()).toBe(2);
    expect(pool.forgive("nobody")).toBe(0);
  });

  test("verdicts of probes and failures of connections both count", async () => {
    const { pool, clock } = poolOf([{}, {}], { eject: { errors: 1, for: 1000 } });
    pool.judge([UP, UP]);
    attempt(pool, "a", "refused");
    pool.judge([DOWN, UP]);
    await clock.advance(1001);
    expect(choices(pool, 2)).toBe("bb"); // its time is over, and the probes say that it is down
    pool.judge([UP, UP]);
    expect(member(pool, "a").eligible).toBe(true);
  });
});

describe("a server that comes back", () => {
  test("its share grows: slow_start", async () => {
    const hosts = [{ slowStart: 10_000 }, {}];
    const { pool, clock } = poolOf(hosts);
    const share = (): number =>
      Array.from({ length: 1000 }, () => chosen(pool)).filter((name) => name === "a").length / 1000;
    expect(share()).toBeCloseTo(0.5, 1); // nobody warms up when the process starts
    pool.judge([DOWN, UP]);
    await clock.advance(100);
    pool.judge([UP, UP]);
    expect(share()).toBeCloseTo(0.05 / 1.05, 2);
    await clock.advance(5000);
    expect(share()).toBeCloseTo(0.5 / 1.5, 2);
    await clock.advance(5000);
    expect(share()).toBeCloseTo(0.5, 2);
  });

  test("one that is added to others is cold as well", async () => {
    const { pool, plan, clock } = poolOf([{}]);
    pool.apply(plan, specs({}, { slowStart: 1000 }), []);
    expect(choices(pool, 10)).toBe("aaaaaaaaaa");
    await clock.advance(1000);
    expect([...choices(pool, 10)].filter((name) => name === "b")).toHaveLength(5);
  });

  test("where a client belongs by its hash is nobody's warmth", () => {
    const { pool, plan } = poolOf([{}, {}], { scheduler: "iphash" });
    const before = Array.from({ length: 100 }, (_, i) => chosen(pool, client("", i)));
    pool.apply(plan, specs({ slowStart: 1000 }, {}), []);
    pool.judge([DOWN]);
    pool.judge([UP]);
    expect(Array.from({ length: 100 }, (_, i) => chosen(pool, client("", i)))).toEqual(before);
  });
});

describe("a new plan", () => {
  test("servers that stay are the same objects, with all they count", () => {
    const { pool } = poolOf([{}, {}]);
    const a = member(pool, "a");
    a.connecting();
    a.connected(12);
    a.transferred(10, 20);
    pool.apply(planOf({ scheduler: "leastconns" }), specs({ name: "z", weight: 3 }, {}, {}), []);
    expect(member(pool, "z")).toBe(a);
    expect(a).toMatchObject({
      name: "z",
      open: 1,
      total: 1,
      connects: 1,
      connectMs: 12,
      up: 10,
      down: 20,
    });
    // The columns know of its connection: 1/3 is more than nothing.
    expect([...choices(pool, 4)].includes("z")).toBe(false);
  });

  test("one that is removed finishes what it has, and is chosen no more", () => {
    const { pool, plan, gone } = poolOf([{}, {}]);
    const a = member(pool, "a");
    a.connecting();
    a.connected(1);
    pool.apply(plan, specs({ address: "10.0.0.9:80", name: "n" }), []);
    expect(pool.leaving).toEqual([a]);
    expect([a.eligible, gone]).toEqual([false, ["b"]]);
    expect(choices(pool, 2)).toBe("nn");
    a.failed("refused"); // whatever it still says takes nobody else out
    expect(pool.leaving).toEqual([]);
    expect(gone).toEqual(["b", "a"]);
    expect(member(pool, "n").eligible).toBe(true);
  });

  test("one that is added again before its last connection was over is the same", () => {
    const { pool, plan } = poolOf([{}, {}]);
    const a = member(pool, "a");
    a.connecting();
    pool.apply(plan, specs({ address: "10.0.0.9:80" }), []);
    pool.apply(plan, specs({}, {}), []);
    expect(member(pool, "a")).toBe(a);
    expect(pool.leaving).toEqual([]);
  });

  test("a pool that the config has no more has nobody, and nobody waits there", async () => {
    const { pool } = poolOf([{ limit: 1 }]);
    member(pool, "a").connecting();
    pool.apply(undefined, [], []);
    expect(chosen(pool)).toBe("nobody");
    expect(await pool.queue(client(), new AbortController().signal)).toBeUndefined();
    expect(pool.retry).toEqual({ attempts: 0, on: new Set() });
  });

  test.each([
    { attempts: "all" as const, said: 2 },
    { attempts: 7, said: 7 },
    { attempts: 0, said: 0 },
  ])("retry: $attempts of three hosts is $said", ({ attempts, said }) => {
    const { pool } = poolOf([{}, {}, {}], { retry: { attempts, on: ["connect", "502"] } });
    expect(pool.retry).toEqual({ attempts: said, on: new Set(["connect", "502"]) });
  });

  test("a server taken out stays out through a reload", () => {
    const { pool, plan } = poolOf([{}, {}]);
    attempt(pool, "a", "refused");
    pool.apply(plan, specs({ weight: 9 }, {}), []);
    expect(choices(pool, 3)).toBe("bbb");
  });
});
