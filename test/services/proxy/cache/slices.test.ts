/** Large responses in slices: what is asked of servers, and what clients get. */
import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import type { HttpRequest } from "../../../../src/wire/http/message.ts";
import { parseRange } from "../../../../src/wire/http/range.ts";
import { Bench, read, reader, type Reply, settled, Tap } from "./bench.ts";

const SIZE = 64 * 1024;
const CONFIG = { slice: "64KiB", memory: "64MiB" };

/** A server with one file, which may change; by the book. */
class Origin {
  version = 1;
  ranges = true;
  tag: (version: number) => string = (version) => `"v${version}"`;
  more: Record<string, string> = {};
  constructor(public length: number) {}

  text(version = this.version): string {
    return Buffer.alloc(this.length, `${version}:${"abcdefghijklmnopqrstuvwxyz"}`).toString(
      "latin1",
    );
  }

  answer({ headers }: HttpRequest): Reply {
    const etag = this.tag(this.version);
    const fields = { ETag: etag, "Cache-Control": "max-age=60", "Cache-Tag": "film", ...this.more };
    if (headers.get("if-none-match") === etag) return { status: 304, headers: fields };
    const text = this.text();
    const asked = [null, etag].includes(headers.get("if-range")) ? headers.get("range") : null;
    const ranges = this.ranges ? parseRange(asked, text.length, 1) : "ignore";
    if (ranges === "ignore") return { headers: fields, body: text };
    if (ranges === "unsatisfiable")
      return { status: 416, headers: { "Content-Range": `bytes */${text.length}` } };
    const [{ offset, length } = { offset: 0, length: 0 }] = ranges;
    const range = `bytes ${offset}-${offset + length - 1}/${text.length}`;
    return {
      status: 206,
      headers: { ...fields, "Content-Range": range },
      body: text.slice(offset, offset + length),
    };
  }
}

function bench(origin: Origin, config: object = {}): Bench {
  return new Bench({ ...CONFIG, ...config }, (request) => origin.answer(request));
}
const asked = ({ heard }: Bench): (string | null)[] =>
  heard.map(({ headers }) => headers.get("range"));
const range = (index: number): string => `bytes=${index * SIZE}-${(index + 1) * SIZE - 1}`;

describe("a large body", () => {
  test("is fetched in order, and then served from what there is", async () => {
    const origin = new Origin(SIZE * 3 + 100);
    const b = bench(origin);
    const first = await b.get();
    expect([first.status, first.text === origin.text()]).toEqual([200, true]);
    expect(first.headers.get("cache-status")).toBe("tern; fwd=uri-miss; ttl=60; stored");
    expect(first.headers.get("content-range")).toBeNull();
    expect([...first.headers.keys()].some((name) => name.includes("slices"))).toBe(false);
    expect(asked(b)).toEqual([range(0), range(1), range(2), range(3)]);
    expect(b.heard.map(({ headers }) => headers.get("if-range"))).toEqual([
      null,
      '"v1"',
      '"v1"',
      '"v1"',
    ]);
    const again = await b.get();
    expect([again.text === origin.text(), again.headers.get("cache-status")]).toEqual([
      true,
      "tern; hit; ttl=60",
    ]);
    expect(b.heard).toHaveLength(4);
    const head = await b.response({ method: "HEAD" });
    expect(head.headers).toContainEqual(["Content-Length", String(origin.length)]);
  });

  test.each([
    { story: "in the middle", want: `bytes=${SIZE}-${SIZE + 9}`, slices: [1] },
    { story: "across two", want: `bytes=${SIZE - 5}-${SIZE + 4}`, slices: [0, 1] },
    { story: "of the end", want: "bytes=-10", slices: [0, 3] },
    { story: "open", want: `bytes=${SIZE * 2}-`, slices: [2, 3] },
    { story: "behind the end", want: "bytes=9999999-", slices: [152, 0], status: 416 },
  ])("a range $story takes only its slices", async ({ want, slices, status = 206 }) => {
    const origin = new Origin(SIZE * 3 + 100);
    const b = bench(origin);
    const got = await b.get({ headers: { Range: want } });
    expect(got.status).toBe(status);
    expect(asked(b)).toEqual(slices.map(range));
    const [part] = parseRange(want, origin.length, 1) as { offset: number; length: number }[];
    if (status === 206 && typeof part === "object")
      expect(got.text).toBe(origin.text().slice(part.offset, part.offset + part.length));
    // What is there is not asked for again, and what is missing is.
    const before = b.heard.length;
    const whole = await b.get();
    expect(whole.text === origin.text()).toBe(true);
    const there = status === 416 ? new Set([0]) : new Set(slices);
    expect(asked(b).slice(before)).toEqual([0, 1, 2, 3].filter((i) => !there.has(i)).map(range));
    const hit = there.has(0);
    expect(whole.headers.get("cache-status")).toBe(
      hit ? "tern; hit; ttl=60" : "tern; fwd=partial; ttl=60; stored",
    );
  });

  test("conditions and If-Range are ours to answer", async () => {
    const b = bench(new Origin(SIZE * 2));
    await b.get();
    expect((await b.get({ headers: { "If-None-Match": '"v1"' } })).status).toBe(304);
    const ranged = { Range: "bytes=0-9" };
    expect((await b.get({ headers: { ...ranged, "If-Range": '"v1"' } })).text).toHaveLength(10);
    expect((await b.get({ headers: { ...ranged, "If-Range": '"v0"' } })).status).toBe(200);
    expect((await b.get({ headers: { Range: "bytes=0-9,20-29" } })).text).toHaveLength(SIZE * 2);
    expect(b.heard).toHaveLength(2);
  });

  test("stale: one question renews it, and its slices hold", async () => {
    const origin = new Origin(SIZE * 2);
    const b = bench(origin);
    await b.get();
    b.wait(100);
    const got = await b.get();
    expect([got.text === origin.text(), got.headers.get("cache-status")]).toEqual([
      true,
      "tern; fwd=stale; fwd-status=304; ttl=60",
    ]);
    expect(b.heard).toHaveLength(3);
  });

  test("stale and changed: it starts anew", async () => {
    const origin = new Origin(SIZE * 2);
    const b = bench(origin);
    await b.get();
    b.wait(100);
    origin.version = 2;
    expect((await b.get()).text === origin.text(2)).toBe(true);
    expect(asked(b).slice(2)).toEqual([range(0), range(1)]);
    expect((await b.get()).headers.get("cache-status")).toContain("hit");
  });

  test("changed while a slice is missing: who asks now gets the new one, whole", async () => {
    const origin = new Origin(SIZE * 3);
    const b = bench(origin);
    await b.get({ headers: { Range: "bytes=0-9" } });
    origin.version = 2;
    const got = await b.get({ headers: { Range: `bytes=${SIZE}-${SIZE + 9}` } });
    expect([got.status, got.text]).toEqual([206, origin.text(2).slice(SIZE, SIZE + 10)]);
    expect((await b.get()).text === origin.text(2)).toBe(true);
  });

  test("changed in the middle of a body: it breaks off, never mixed; the next one gets the new", async () => {
    const origin = new Origin(SIZE * 3);
    const b = bench(origin);
    const one = reader(await b.response(), 1);
    await settled();
    origin.version = 2;
    one.more();
    for (let i = 0; i < 10; i++) await settled();
    // The second slice was on its way.
    expect([one.state, one.bytes < SIZE * 3, one.bytes % SIZE]).toEqual(["failed", true, 0]);
    expect((await b.get()).text === origin.text(2)).toBe(true);
  });

  test("purged by its tag: all of it is fetched again", async () => {
    const b = bench(new Origin(SIZE * 2));
    await b.get();
    b.wait(1);
    b.store.bans.add({ time: b.wall, kind: "tag", value: "film" });
    b.wait(1);
    await b.get();
    expect(b.heard).toHaveLength(4);
  });

  test("many clients ask once for each slice, each at its own pace; memory holds one slice for each", async () => {
    const origin = new Origin(SIZE * 4);
    const taps: Tap[] = [];
    const b = new Bench({ ...CONFIG, memory: "1MiB" }, (request) => {
      const reply = origin.answer(request);
      const tap = new Tap();
      const text = typeof reply.body === "string" ? reply.body : "";
      tap.send(text);
      tap.end();
      taps.push(tap);
      return { ...reply, body: tap.body(text.length) };
    });
    const all = await Promise.all([b.response(), b.response(), b.response()]);
    const readers = all.map((response) => reader(response));
    for (let i = 0; i < 40; i++) await settled();
    expect(readers.map(({ state, bytes }) => [state, bytes])).toEqual(
      readers.map(() => ["end", SIZE * 4]),
    );
    expect(taps).toHaveLength(4);
    // One that does not read costs the server nothing.
    const slow = reader(await b.response(), 1);
    for (let i = 0; i < 10; i++) await settled();
    const before = taps.length;
    await settled();
    expect([taps.length, slow.bytes <= SIZE]).toEqual([before, true]);
    slow.flow.cancel();
  });
});

describe("a slice that comes later", () => {
  test.each<{ story: string; more: Record<string, string> }>([
    { story: "for one client alone", more: { "Cache-Control": "private, max-age=60" } },
    { story: "not to be kept", more: { "Cache-Control": "no-store" } },
    { story: "with a cookie", more: { "Set-Cookie": "a=b" } },
  ])("$story is kept for nobody", async ({ more }) => {
    const origin = new Origin(SIZE * 2);
    const b = bench(origin);
    await b.get({ headers: { Range: "bytes=0-9" } });
    origin.more = more;
    const want = { headers: { Range: `bytes=${SIZE}-${SIZE + 9}` } };
    for (let i = 0; i < 2; i++)
      expect((await b.get(want)).text).toBe(origin.text().slice(SIZE, SIZE + 10));
    expect(asked(b).at(-1)).toBe(want.headers.Range);
    origin.more = {};
    expect((await b.get(want)).text).toBe(origin.text().slice(SIZE, SIZE + 10));
  });

  test("brings no early hints: the client is in the middle of its answer", async () => {
    const origin = new Origin(SIZE * 3);
    const hints: number[] = [];
    const b = new Bench(CONFIG, (request) => {
      request.interim?.(103, []);
      return origin.answer(request);
    });
    const interim = (status: number): void => void hints.push(status);
    await b.get({ interim });
    expect([b.heard.length, hints]).toEqual([3, [103]]);
  });

  test("is sent in small steps: a slow client is not sent all of it at once", async () => {
    const b = bench(new Origin(2 ** 20 + 5), { slice: "1MiB" });
    const one = reader(await b.response(), 1);
    for (let i = 0; i < 10; i++) await settled();
    expect(one.bytes).toBe(64 * 1024);
    one.more();
    for (let i = 0; i < 10; i++) await settled();
    expect([one.state, one.bytes]).toEqual(["end", 2 ** 20 + 5]);
  });
});

describe("what cannot be sliced is kept as a whole", () => {
  test.each<{ story: string; make: (origin: Origin) => void; heard: number }>([
    { story: "servers that ignore ranges", make: (o) => (o.ranges = false), heard: 1 },
    { story: "weak tags", make: (o) => (o.tag = (v) => `W/"v${v}"`), heard: 2 },
    { story: "a small body", make: (o) => (o.length = 1000), heard: 1 },
    { story: "exactly one slice", make: (o) => (o.length = SIZE), heard: 1 },
    { story: "an empty body", make: (o) => (o.length = 0), heard: 1 },
  ])("$story", async ({ make, heard }) => {
    const origin = new Origin(SIZE * 3);
    make(origin);
    const b = bench(origin);
    const got = await b.get();
    expect([got.status, got.text === origin.text()]).toEqual([200, true]);
    expect(got.headers.get("content-range")).toBeNull();
    expect(b.heard).toHaveLength(heard);
    const again = await b.get({ headers: { Range: "bytes=1-5" } });
    if (origin.length > 0) expect(again.text).toBe(origin.text().slice(1, 6));
    expect(again.headers.get("cache-status")).toBe("tern; hit; ttl=60");
    expect(b.heard).toHaveLength(heard);
  });

  test("a part from far inside of what has weak tags is asked for alone, and takes nothing from others", async () => {
    const origin = new Origin(2 ** 20 * 3);
    origin.tag = (version) => `W/"v${version}"`;
    const b = bench(origin);
    const want = `bytes=${2 ** 20 * 2}-${2 ** 20 * 2 + 9}`;
    for (let i = 0; i < 2; i++) {
      const got = await b.get({ headers: { Range: want } });
      expect([got.status, got.text]).toEqual([
        206,
        origin
          .text()
          .slice(2 ** 20 * 2)
          .slice(0, 10),
      ]);
    }
    expect(asked(b)).toEqual([range(32), want, want]);
    expect((await b.get()).text === origin.text()).toBe(true);
    expect((await b.get()).headers.get("cache-status")).toBe("tern; hit; ttl=60");
  });

  test("nor what must not be kept, which is asked for as clients do", async () => {
    const origin = new Origin(SIZE * 3);
    origin.more = { "Cache-Control": "no-store" };
    const b = bench(origin);
    expect((await b.get()).text === origin.text()).toBe(true);
    expect((await b.get({ headers: { Range: "bytes=1-5" } })).text).toBe(origin.text().slice(1, 6));
    expect(asked(b)).toEqual([range(0), null, "bytes=1-5"]);
  });

  test.each<{ story: string; reply: Reply }>([
    {
      story: "another range",
      reply: { headers: { "Content-Range": "bytes 5-9/200000" }, body: "abcde" },
    },
    { story: "no range", reply: { body: "abcde" } },
    {
      story: "less than it says",
      reply: { headers: { "Content-Range": `bytes 0-${SIZE - 1}/200000` }, body: "abcde" },
    },
  ])("a server that lies: $story", async ({ reply }) => {
    const whole = "whole";
    const b = new Bench(CONFIG, ({ headers }) =>
      headers.has("range")
        ? {
            ...reply,
            status: 206,
            headers: { ...reply.headers, ETag: '"a"', "Cache-Control": "max-age=60" },
          }
        : { headers: { "Cache-Control": "max-age=60" }, body: whole },
    );
    const got = await b.get();
    expect([got.status, got.text]).toEqual([200, whole]);
  });

  test("a field of a server does not make slices of what is none", async () => {
    const b = new Bench(CONFIG, () => ({
      headers: { "Cache-Control": "max-age=60", ETag: '"a"', "slices-of": "65536/1000000" },
      body: "hello",
    }));
    for (let i = 0; i < 2; i++) expect((await b.get()).text).toBe("hello");
  });
});

test("whatever is asked, and whenever the file changes: bytes of one version, the one that is told", async () => {
  const want = fc.oneof(
    fc.constant(undefined),
    fc.tuple(fc.nat(SIZE * 5), fc.nat(SIZE * 2)).map(([from, n]) => `bytes=${from}-${from + n}`),
    fc.nat(SIZE * 5).map((from) => `bytes=${from}-`),
    fc.nat(SIZE * 5).map((n) => `bytes=-${n + 1}`),
  );
  const step = fc.record({
    want,
    change: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    wait: fc.constantFrom(0, 0, 0, 30, 100),
    changeWithin: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: SIZE * 4 }),
      fc.constantFrom("64KiB", "256KiB", "64MiB"),
      fc.array(step, { minLength: 1, maxLength: 12 }),
      async (length, memory, steps) => {
        const origin = new Origin(length);
        const b = bench(origin, { memory });
        for (const { want: wanted, change, wait, changeWithin } of steps) {
          b.wait(wait);
          if (change) origin.version++;
          const response = await b.response(
            wanted === undefined ? {} : { headers: { Range: wanted } },
          );
          if (changeWithin) origin.version++;
          const fields = new Headers(response.headers.map(([name, value]) => [name, value]));
          const version = Number(/\d+/.exec(fields.get("etag") ?? "")?.[0]);
          const text = await read(response.body).catch(() => undefined);
          if (text === undefined) {
            expect(origin.version).toBeGreaterThan(1); // broken off, rather than mixed
            continue;
          }
          const ranges = parseRange(wanted ?? null, length, 1);
          if (ranges === "unsatisfiable") expect(response.status).toBe(416);
          else if (ranges === "ignore") expect(text === origin.text(version)).toBe(true);
          else {
            const [{ offset, length: n } = { offset: 0, length: 0 }] = ranges;
            expect(text === origin.text(version).slice(offset, offset + n)).toBe(true);
            expect(fields.get("content-range")).toBe(`bytes ${offset}-${offset + n - 1}/${length}`);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
