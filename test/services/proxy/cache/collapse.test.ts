/** Many who want the same; bodies on their way. */
import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Bench, type Got, reader, settled, Tap } from "./bench.ts";

const FRESH = { "Cache-Control": "max-age=60" };
const MB = 1024 * 1024;

describe("many clients, one key", () => {
  test("a thousand are answered by one request", async () => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({}, async () => {
      await gate.promise;
      return { headers: FRESH, body: "one" };
    });
    const all = Array.from({ length: 1000 }, () => bench.get());
    await settled();
    gate.resolve();
    const texts = new Set((await Promise.all(all)).map(({ text }) => text));
    expect([[...texts], bench.heard.length, bench.cache.collapsed]).toEqual([["one"], 1, 999]);
    expect((await all[1]!).headers.get("cache-status")).toContain("; collapsed");
  });

  test("each variant is fetched once", async () => {
    const bench = new Bench({}, async (request) => {
      await Bun.sleep(5);
      return { headers: { ...FRESH, Vary: "X" }, body: request.headers.get("x") ?? "" };
    });
    const all = Array.from({ length: 100 }, (_, i) => bench.get({ headers: { x: String(i % 4) } }));
    const texts = (await Promise.all(all)).map(({ text }) => text);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => String(i % 4)));
    expect(bench.heard.length).toBe(4);
  });

  test.each([
    { story: "an error of the server", first: { status: 500 } },
    { story: "no server", first: { status: 502, ours: true } },
    { story: "not to be kept", first: { headers: { "Cache-Control": "private" }, body: "mine" } },
    {
      story: "for someone else",
      first: { headers: { "Cache-Control": "max-age=60", "Set-Cookie": "a=b" }, body: "mine" },
    },
  ])("$story: those who waited go on at once, and by themselves", async ({ first }) => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({}, async (_, n) => {
      if (n > 1) return { headers: { "Cache-Control": "no-store" }, body: `own ${n}` };
      await gate.promise;
      return first;
    });
    const all = Array.from({ length: 20 }, () => bench.get());
    await settled();
    expect(bench.heard).toHaveLength(1);
    gate.resolve();
    const [leader, ...rest] = await Promise.all(all);
    expect(leader?.status).toBe(first.status ?? 200);
    expect(rest.every(({ text }) => text.startsWith("own "))).toBe(true);
    expect(new Set(rest.map(({ text }) => text)).size).toBe(19);
  });

  test("a slow one is waited for no longer than configured", async () => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({ collapse: "30ms" }, async (_, n) => {
      if (n === 1) await gate.promise;
      return { headers: FRESH, body: String(n) };
    });
    const slow = bench.get();
    const began = performance.now();
    const waited = await bench.get();
    expect(waited.text).toBe("2");
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(25);
    expect(took).toBeLessThan(500);
    gate.resolve();
    expect((await slow).text).toBe("1");
  });

  test("not at all, if so configured", async () => {
    const bench = new Bench({ collapse: false }, async (_, n) => {
      await Bun.sleep(5);
      return { headers: FRESH, body: String(n) };
    });
    const texts = (await Promise.all([bench.get(), bench.get()])).map(({ text }) => text);
    expect(texts).toEqual(["1", "2"]);
  });

  test("nobody waits twice for what is not to be kept", async () => {
    let most = 0;
    let now = 0;
    const bench = new Bench({}, async () => {
      most = Math.max(most, ++now);
      await Bun.sleep(2);
      now--;
      return { headers: { "Cache-Control": "no-store" }, body: "x" };
    });
    await bench.get();
    await Promise.all(Array.from({ length: 50 }, () => bench.get()));
    expect(most).toBe(50);
    expect(bench.heard).toHaveLength(51);
  });

  test("what was not to be kept for a while is kept when it may be", async () => {
    const bench = new Bench({}, (_, n) => ({
      headers: n === 1 ? { "Cache-Control": "no-store" } : FRESH,
      body: String(n),
    }));
    const texts: string[] = [];
    for (let i = 0; i < 4; i++) texts.push((await bench.get()).text);
    expect(texts).toEqual(["1", "2", "2", "2"]);
  });

  test("waiting for a revalidation", async () => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({}, async (_, n) => {
      if (n === 1) return { headers: { ...FRESH, ETag: '"a"' }, body: "one" };
      await gate.promise;
      return { status: 304, headers: { ...FRESH, ETag: '"a"' } };
    });
    await bench.get();
    bench.wait(61);
    const all = Array.from({ length: 50 }, () => bench.get());
    await settled();
    gate.resolve();
    expect(new Set((await Promise.all(all)).map(({ text }) => text))).toEqual(new Set(["one"]));
    expect(bench.heard).toHaveLength(2);
  });

  test("someone with credentials does not wait for what is for all, unless it says so", async () => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({}, async (_, n) => {
      if (n === 1) await gate.promise;
      return { headers: FRESH, body: String(n) };
    });
    const first = bench.get();
    expect((await bench.get({ headers: { authorization: "x" } })).text).toBe("2");
    gate.resolve();
    expect((await first).text).toBe("1");
  });
});

describe("a body on its way", () => {
  const open = (
    config: object,
    tap: Tap,
    fields: Record<string, string> = FRESH,
    length?: number,
  ): Bench =>
    new Bench(config, (_, n) =>
      n === 1 ? { headers: fields, body: tap.body(length) } : { headers: fields, body: "again" },
    );

  test("is sent to all as it comes, whenever they come, and then is stored", async () => {
    const tap = new Tap();
    const bench = open({}, tap);
    const one = reader(await bench.response());
    tap.send("abc");
    const two = reader(await bench.response());
    tap.send("def");
    expect([one.text, two.text]).toEqual(["abcdef", "abcdef"]);
    const three = reader(await bench.response());
    tap.end();
    expect([one, two, three].map(({ text, state }) => `${text} ${state}`)).toEqual(
      Array(3).fill("abcdef end"),
    );
    expect((await bench.get()).text).toBe("abcdef");
    expect(bench.heard).toHaveLength(1);
  });

  test("a slow client holds up neither the others nor the storing", async () => {
    const tap = new Tap();
    const bench = open({}, tap, FRESH, 3 * MB);
    const slow = reader(await bench.response(), 10);
    const quick = reader(await bench.response());
    for (let i = 0; i < 3; i++) tap.send(new Uint8Array(MB).fill(65 + i));
    tap.end();
    expect([quick.bytes, quick.state]).toEqual([3 * MB, "end"]);
    expect(slow.bytes).toBeLessThan(3 * MB);
    expect((await bench.get()).text).toHaveLength(3 * MB);
    slow.more();
    expect([slow.bytes, slow.state]).toEqual([3 * MB, "end"]);
  });

  test("is stored though the client that asked for it leaves", async () => {
    const tap = new Tap();
    const bench = open({}, tap);
    const one = reader(await bench.response());
    tap.send("abc");
    one.flow.cancel();
    tap.send("def");
    tap.end();
    expect(tap.cancelled).toBe(false);
    expect((await bench.get()).text).toBe("abcdef");
  });

  test("a part of it is sent as soon as it is here", async () => {
    const tap = new Tap();
    const bench = open({}, tap, FRESH, 10);
    const response = await bench.response({ headers: { range: "bytes=2-4" } });
    const part = reader(response);
    expect([response.status, response.body.kind === "flow" && response.body.length]).toEqual([
      206, 3,
    ]);
    tap.send("0123456");
    expect([part.text, part.state]).toEqual(["234", "end"]);
    tap.send("789");
    tap.end();
    expect((await bench.get()).text).toBe("0123456789");
  });

  test("a condition that holds is answered by the head; the body is stored", async () => {
    const tap = new Tap();
    const bench = open({}, tap, { ...FRESH, ETag: '"a"' });
    expect((await bench.response({ headers: { "if-none-match": '"a"' } })).status).toBe(304);
    tap.send("abc");
    tap.end();
    expect((await bench.get()).text).toBe("abc");
  });

  test.each([
    { story: "said so", length: 2000 },
    { story: "found out on the way", length: undefined },
  ])("too long to be kept, $story: goes by, as fast as its client takes it", async ({ length }) => {
    const tap = new Tap();
    const bench = open({ max_object: "1k" }, tap, FRESH, length);
    const one = reader(await bench.response());
    for (let i = 0; i < 20; i++) tap.send("x".repeat(100));
    tap.end();
    expect([one.bytes, one.state]).toEqual([2000, "end"]);
    expect((await bench.get()).text).toBe("again");
  });

  test("too long to be kept: the server is held back by the slowest, and let go by nobody", async () => {
    const tap = new Tap();
    const bench = open({ max_object: "1k" }, tap);
    const slow = reader(await bench.response(), 1);
    for (let i = 0; i < 100; i++) tap.send(new Uint8Array(10_000));
    expect(tap.paused).toBe(true);
    expect(tap.taken).toBeLessThan(300_000);
    slow.more(400_000);
    expect(tap.taken).toBeGreaterThan(400_000);
    slow.flow.cancel();
    expect(tap.cancelled).toBe(true);
  });

  test("too long to be kept, and nobody wants it: it is given up", async () => {
    const tap = new Tap();
    const bench = open({ max_object: "1k" }, tap);
    const one = reader(await bench.response());
    one.flow.cancel();
    expect(tap.cancelled).toBe(false); // it may still be kept
    for (let i = 0; i < 3; i++) tap.send("x".repeat(500));
    expect(tap.cancelled).toBe(true);
  });

  test("no more than the memory is given to bodies on their way", async () => {
    const tap = new Tap();
    const bench = open({ memory: "1MiB" }, tap);
    const slow = reader(await bench.response(), 1);
    for (let i = 0; i < 40; i++) tap.send(new Uint8Array(100_000));
    expect(tap.taken).toBeLessThan(1.5 * MB);
    slow.more();
    tap.end();
    expect([slow.bytes, slow.state]).toEqual([4_000_000, "end"]);
  });

  test.each(["fails", "is shorter than it was said to be"])(
    "that %s is cut for all, and nothing is kept",
    async (how) => {
      const tap = new Tap();
      const bench = open({}, tap, FRESH, 10);
      const all = [reader(await bench.response()), reader(await bench.response())];
      tap.send("abc");
      if (how === "fails") tap.fail();
      else tap.end();
      expect(all.map(({ text, state }) => `${text} ${state}`)).toEqual([
        "abc failed",
        "abc failed",
      ]);
      expect((await bench.get()).text).toBe("again");
    },
  );

  test("whatever the pieces and the paces, everybody gets all of it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 12 }),
        fc.array(fc.record({ after: fc.nat(12), room: fc.integer({ min: 1, max: 50_000 }) }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.constantFrom("20k", "10m"),
        async (sizes, clients, max_object) => {
          const tap = new Tap();
          const bench = open({ max_object }, tap);
          const whole = sizes.reduce((sum, size) => sum + size, 0);
          const readers: { one: ReturnType<typeof reader>; room: number }[] = [];
          const join = async (after: number): Promise<void> => {
            for (const client of clients.filter((c) => Math.min(c.after, sizes.length) === after)) {
              const response = await bench.response();
              // Too late for this one: it was too large, and is gone.
              if (response.body.kind === "flow" && bench.heard.length === 1)
                readers.push({ one: reader(response, client.room), room: client.room });
            }
          };
          for (const [i, size] of sizes.entries()) {
            await join(i);
            tap.send(new Uint8Array(size));
          }
          await join(sizes.length);
          tap.end();
          for (let i = 0; i < 1000 && readers.some(({ one }) => one.state === "reading"); i++)
            for (const { one, room } of readers)
              if (one.state === "reading" && one.room <= 0) one.more(room);
          for (const { one } of readers) expect([one.bytes, one.state]).toEqual([whole, "end"]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("every answer has the same fields, wherever it is from", async () => {
  const tap = new Tap();
  const bench = new Bench({}, () => ({
    headers: { ...FRESH, ETag: '"a"', Link: ["1", "2"] },
    body: tap.body(),
  }));
  const [one, two] = [bench.get(), bench.get()];
  await settled();
  tap.send("x");
  tap.end();
  const all: Got[] = [await one, await two, await bench.get()];
  const seen = all.map(({ headers }) =>
    [...headers].filter(([name]) => !/^(age|cache-status)$/.test(name)),
  );
  expect(seen[1]).toEqual(seen[0]!);
  expect(seen[2]).toEqual(seen[0]!);
});
