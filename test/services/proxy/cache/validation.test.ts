/** Revalidation, staleness, conditions, ranges, HEAD, variants, invalidation; Age and Cache-Status. */
import { describe, expect, test } from "bun:test";

import { type Asked, Bench, type Reply, settled } from "./bench.ts";

const FRESH = { "Cache-Control": "max-age=60" };
const TAGGED = { ...FRESH, ETag: '"a"', "Last-Modified": "Sun, 22 Nov 2026 11:00:00 GMT" };

/** What came of it, in one line: `200 body [cache-status]`. */
async function line(bench: Bench, asked: Asked = {}): Promise<string> {
  const { status, text, headers } = await bench.get(asked);
  const said = (headers.get("cache-status") ?? "").replace("tern; ", "");
  return `${status} ${text} [${said}]`.replace("  ", " ");
}

describe("revalidation", () => {
  test("with both validators; a 304 brings the fields up to date, and the body stays", async () => {
    const bench = new Bench({}, (request, n) =>
      n === 1
        ? { headers: { ...TAGGED, X: "1", Vary: "Y" }, body: "body" }
        : { status: 304, headers: { ETag: '"a"', "Cache-Control": "max-age=100", X: String(n) } },
    );
    expect(await line(bench)).toBe(
      "200 body [fwd=uri-miss; stored]".replace("stored", "ttl=60; stored"),
    );
    bench.wait(61);
    expect(await line(bench)).toBe("200 body [fwd=stale; fwd-status=304; ttl=100]");
    const { headers } = bench.heard[1]!;
    expect([headers.get("if-none-match"), headers.get("if-modified-since")]).toEqual([
      '"a"',
      TAGGED["Last-Modified"],
    ]);
    bench.wait(90);
    const got = await bench.get();
    expect([got.text, got.headers.get("x"), got.headers.get("age"), bench.heard.length]).toEqual([
      "body",
      "2",
      "90",
      2,
    ]);
  });

  test.each<{ story: string; second: Reply; is: string; third: string }>([
    {
      story: "something new takes its place",
      second: { headers: { ...FRESH, ETag: '"b"' }, body: "new" },
      is: "200 new [fwd=stale; ttl=60; stored]",
      third: "200 new [hit; ttl=60]",
    },
    {
      story: "something new that must not be kept: the old is gone too",
      second: { headers: { "Cache-Control": "no-store" }, body: "new" },
      is: "200 new [fwd=stale; detail=no-store]",
      third: "200 new [fwd=uri-miss; detail=no-store]",
    },
    {
      story: "an error is the answer, where nothing allows the old",
      second: { status: 503, body: "down" },
      is: "503 down [fwd=stale; detail=no-freshness]",
      third: "503 down [fwd=stale; detail=no-freshness]",
    },
    {
      story: "no server",
      second: { status: 502, ours: true },
      is: "502 [fwd=stale; detail=error]",
      third: "502 [fwd=stale; detail=error]",
    },
  ])("$story", async ({ second, is, third }) => {
    const bench = new Bench({}, (_, n) => (n === 1 ? { headers: TAGGED, body: "old" } : second));
    await bench.get();
    bench.wait(61);
    expect(await line(bench)).toBe(is);
    expect(await line(bench)).toBe(third);
  });

  test.each([
    { story: "a 304 with another tag", fields: { ETag: '"other"' } },
    { story: "a 304 to every question", fields: { ETag: '"other"' }, always: true },
  ])("$story is asked again without conditions", async ({ fields, always }) => {
    const bench = new Bench({}, (request, n) => {
      if (n === 1) return { headers: TAGGED, body: "old" };
      const conditional = request.headers.has("if-none-match");
      return conditional || always
        ? { status: 304, headers: fields }
        : { headers: FRESH, body: "new" };
    });
    await bench.get();
    bench.wait(61);
    expect(await line(bench)).toBe(
      always ? "502 502\n [fwd=stale; detail=bad-304]" : "200 new [fwd=stale; ttl=60; stored]",
    );
    expect(bench.heard).toHaveLength(3);
  });

  test.each([
    { story: "private", fields: { "Cache-Control": "private, max-age=60" }, why: "private" },
    { story: "no-store", fields: { "Cache-Control": "no-store" }, why: "no-store" },
    { story: "somebody's cookie", fields: { "Set-Cookie": "session=1" }, why: "set-cookie" },
    { story: "another Vary", fields: { Vary: "Cookie" }, why: "vary" },
    { story: "Vary: *", fields: { Vary: "*" }, why: "vary" },
  ])("a 304 that says $story is for who asked alone", async ({ fields, why }) => {
    const bench = new Bench({}, (request, n) =>
      request.headers.has("if-none-match")
        ? { status: 304, headers: { ETag: '"a"', ...fields } }
        : { headers: TAGGED, body: `body ${n}` },
    );
    await bench.get();
    bench.wait(61);
    const got = await bench.get();
    expect([got.status, got.text]).toEqual([200, "body 1"]);
    expect(got.headers.get("set-cookie")).toBe(
      (fields as Record<string, string>)["Set-Cookie"] ?? null,
    );
    expect(got.headers.get("cache-status")).toBe(`tern; fwd=stale; detail=${why}`);
    expect(await line(bench)).toBe("200 body 3 [fwd=uri-miss; ttl=60; stored]");
  });

  test("what a 304 keeps for some is not kept", async () => {
    const bench = new Bench({}, (_, n) =>
      n === 1
        ? { headers: TAGGED, body: "body" }
        : {
            status: 304,
            headers: {
              ETag: '"a"',
              "Cache-Control": 'max-age=60, private="x-secret"',
              "X-Secret": "1",
            },
          },
    );
    await bench.get();
    bench.wait(61);
    await bench.get();
    const got = await bench.get();
    expect([got.text, got.headers.get("x-secret"), bench.heard.length]).toEqual(["body", null, 2]);
  });

  test("a 304 that nobody asked for is no answer", async () => {
    const bench = new Bench({}, () => ({ status: 304 }));
    expect(await line(bench)).toBe("502 502\n [fwd=uri-miss; detail=bad-304]");
    expect(bench.store.memory.size).toBe(0);
  });
});

describe("stale responses", () => {
  test.each<{
    story: string;
    config?: object;
    said?: string;
    reply: Reply;
    wait: number;
    is: string;
  }>([
    {
      story: "instead of 500",
      said: "stale-if-error=60",
      reply: { status: 500 },
      wait: 70,
      is: "200 old [fwd=stale; fwd-status=500; ttl=-10]",
    },
    {
      story: "instead of 503",
      said: "stale-if-error=60",
      reply: { status: 503 },
      wait: 70,
      is: "200 old [fwd=stale; fwd-status=503; ttl=-10]",
    },
    {
      story: "when no server answers",
      said: "stale-if-error=60",
      reply: { status: 504, ours: true },
      wait: 70,
      is: "200 old [fwd=stale; fwd-status=504; ttl=-10]",
    },
    {
      story: "by config",
      config: { stale_if_error: "60s" },
      reply: { status: 502 },
      wait: 70,
      is: "200 old [fwd=stale; fwd-status=502; ttl=-10]",
    },
    {
      story: "not for a 404",
      said: "stale-if-error=60",
      reply: { status: 404 },
      wait: 70,
      is: "404 [fwd=stale; detail=no-freshness]",
    },
    {
      story: "not when it is too old",
      said: "stale-if-error=60",
      reply: { status: 500, body: "e" },
      wait: 121,
      is: "500 e [fwd=stale; detail=no-freshness]",
    },
    {
      story: "not against must-revalidate",
      config: { stale_if_error: "60s" },
      said: "must-revalidate",
      reply: { status: 500, body: "e" },
      wait: 70,
      is: "500 e [fwd=stale; detail=no-freshness]",
    },
    {
      story: "not against s-maxage",
      config: { stale_if_error: "60s" },
      said: "s-maxage=60",
      reply: { status: 500, body: "e" },
      wait: 70,
      is: "500 e [fwd=stale; detail=no-freshness]",
    },
  ])("$story", async ({ config = {}, said, reply, wait, is }) => {
    const fields = {
      ...FRESH,
      "Cache-Control": `max-age=60${said === undefined ? "" : `, ${said}`}`,
    };
    const bench = new Bench(config, (_, n) => (n === 1 ? { headers: fields, body: "old" } : reply));
    await bench.get();
    bench.wait(wait);
    expect(await line(bench)).toBe(is);
  });

  test.each([
    { story: "said by the server", config: {}, said: ", stale-while-revalidate=60" },
    { story: "by config", config: { stale_while_revalidate: "60s" }, said: "" },
  ])(
    "while a newer one is fetched, once, behind everybody's back: $story",
    async ({ config, said }) => {
      const gate = Promise.withResolvers<void>();
      const bench = new Bench(config, async (_, n) => {
        if (n > 1) await gate.promise;
        return { headers: { "Cache-Control": `max-age=60${said}` }, body: `answer ${n}` };
      });
      await bench.get();
      bench.wait(70);
      expect(await line(bench)).toBe("200 answer 1 [hit; ttl=-10]");
      expect(await line(bench)).toBe("200 answer 1 [hit; ttl=-10]");
      gate.resolve();
      await settled();
      expect(await line(bench)).toBe("200 answer 2 [hit; ttl=60]");
      expect(bench.heard).toHaveLength(2);
    },
  );

  test("after the window it is asked for", async () => {
    const bench = new Bench({ stale_while_revalidate: "60s" }, (_, n) => ({
      headers: FRESH,
      body: String(n),
    }));
    await bench.get();
    bench.wait(121);
    expect(await line(bench)).toBe("200 2 [fwd=stale; ttl=60; stored]");
  });

  test("a failure behind the back is tried again by the next", async () => {
    const bench = new Bench({ stale_while_revalidate: "60s" }, (_, n) =>
      n === 2 ? { status: 502, ours: true } : { headers: FRESH, body: String(n) },
    );
    await bench.get();
    bench.wait(70);
    await bench.get();
    await settled();
    expect(await line(bench)).toBe("200 1 [hit; ttl=-10]");
    await settled();
    expect(await line(bench)).toBe("200 3 [hit; ttl=60]");
  });
});

describe("conditions and parts, of what is stored", () => {
  const body = "0123456789";
  test.each<{
    story: string;
    headers: Record<string, string>;
    method?: string;
    is: string;
    more?: Record<string, string | null>;
  }>([
    {
      story: "the same tag",
      headers: { "if-none-match": '"a"' },
      is: "304 ",
      more: { etag: '"a"', "content-type": null },
    },
    { story: "a weak one", headers: { "if-none-match": 'W/"a"' }, is: "304 " },
    { story: "one of several", headers: { "if-none-match": '"x", "a"' }, is: "304 " },
    { story: "any", headers: { "if-none-match": "*" }, is: "304 " },
    { story: "another tag", headers: { "if-none-match": '"b"' }, is: `200 ${body}` },
    {
      story: "not changed since",
      headers: { "if-modified-since": TAGGED["Last-Modified"] },
      is: "304 ",
    },
    {
      story: "changed since",
      headers: { "if-modified-since": "Sun, 22 Nov 2026 10:59:59 GMT" },
      is: `200 ${body}`,
    },
    {
      story: "the tag decides, not the date",
      headers: { "if-none-match": '"b"', "if-modified-since": TAGGED["Last-Modified"] },
      is: `200 ${body}`,
    },
    {
      story: "HEAD",
      method: "HEAD",
      headers: {},
      is: "200 ",
      more: { "content-length": "10", "content-type": "text/x" },
    },
    {
      story: "a part",
      headers: { range: "bytes=2-4" },
      is: "206 234",
      more: { "content-range": "bytes 2-4/10" },
    },
    { story: "the end", headers: { range: "bytes=-3" }, is: "206 789" },
    { story: "from the middle", headers: { range: "bytes=7-" }, is: "206 789" },
    {
      story: "beyond the end",
      headers: { range: "bytes=10-" },
      is: "416 ",
      more: { "content-range": "bytes */10" },
    },
    { story: "another unit", headers: { range: "lines=1-" }, is: `200 ${body}` },
    {
      story: "If-Range with the tag",
      headers: { range: "bytes=2-4", "if-range": '"a"' },
      is: "206 234",
    },
    {
      story: "If-Range with another",
      headers: { range: "bytes=2-4", "if-range": '"b"' },
      is: `200 ${body}`,
    },
    {
      story: "If-Range with the date",
      headers: { range: "bytes=2-4", "if-range": TAGGED["Last-Modified"] },
      is: "206 234",
    },
    {
      story: "HEAD takes no part",
      method: "HEAD",
      headers: { range: "bytes=2-4" },
      is: "200 ",
      more: { "content-length": "10" },
    },
    {
      story: "several parts",
      headers: { range: "bytes=0-1,8-9" },
      is:
        "206 --BOUNDARY\r\nContent-Type: text/x\r\nContent-Range: bytes 0-1/10\r\n\r\n01" +
        "\r\n--BOUNDARY\r\nContent-Type: text/x\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--BOUNDARY--\r\n",
      more: { "content-type": "multipart/byteranges; boundary=BOUNDARY" },
    },
  ])("$story", async ({ headers, method = "GET", is, more = {} }) => {
    const bench = new Bench({}, () => ({ headers: { ...TAGGED, "Content-Type": "text/x" }, body }));
    await bench.get();
    const got = await bench.get({ headers, method });
    expect(`${got.status} ${got.text}`).toBe(is);
    for (const [name, value] of Object.entries(more)) expect(got.headers.get(name)).toBe(value);
    expect(got.headers.get("cache-status")).toBe("tern; hit; ttl=60");
    expect(bench.heard).toHaveLength(1);
  });

  test.each([
    { story: "a condition that holds", headers: { "if-none-match": '"a"' }, is: "304 " },
    { story: "a part near the beginning", headers: { range: "bytes=2-4" }, is: "206 234" },
    { story: "an open part", headers: { range: "bytes=0-" }, is: `206 ${body}` },
  ])("$story, of what is not stored: the whole is fetched and kept", async ({ headers, is }) => {
    const bench = new Bench({}, () => ({ headers: TAGGED, body }));
    const got = await bench.get({ headers });
    expect(`${got.status} ${got.text}`).toBe(is);
    const { headers: asked } = bench.heard[0]!;
    expect([asked.get("range"), asked.get("if-none-match")]).toEqual([null, null]);
    expect(await line(bench)).toBe(`200 ${body} [hit; ttl=60]`);
  });

  test("a part from far inside is asked for as it is, and not kept", async () => {
    const bench = new Bench({}, () => ({
      status: 206,
      headers: { ...TAGGED, "Content-Range": "bytes 9000000-9000001/10000000" },
      body: "ab",
    }));
    const headers = { range: "bytes=9000000-9000001" };
    expect(await line(bench, { headers })).toBe("206 ab [fwd=uri-miss]");
    expect(bench.heard[0]?.headers.get("range")).toBe(headers.range);
    expect(bench.store.memory.size).toBe(0);
  });

  test("preconditions of the origin go to it", async () => {
    const bench = new Bench({}, () => ({ headers: TAGGED, body }));
    await bench.get();
    expect(await line(bench, { headers: { "if-match": '"b"' } })).toBe(
      `200 ${body} [fwd=bypass; detail=precondition]`,
    );
    expect(bench.heard).toHaveLength(2);
  });

  test("conditions hold for a 200 only", async () => {
    const bench = new Bench({}, () => ({ status: 404, headers: TAGGED, body: "none" }));
    await bench.get();
    expect(await line(bench, { headers: { "if-none-match": '"a"' } })).toBe(
      "404 none [hit; ttl=60]",
    );
    expect(await line(bench, { headers: { range: "bytes=0-0" } })).toBe("404 none [hit; ttl=60]");
  });
});

describe("variants", () => {
  const bench = new Bench({}, (request, n) => ({
    headers: { ...FRESH, Vary: "Accept-Language" },
    body: `${request.headers.get("accept-language")} ${n}`,
  }));
  test.each([
    { language: "de", is: "200 de 1 [fwd=uri-miss; ttl=60; stored]" },
    { language: "en", is: "200 en 2 [fwd=vary-miss; ttl=60; stored]" },
    { language: "de", is: "200 de 1 [hit; ttl=60]" },
    { language: "en", is: "200 en 2 [hit; ttl=60]" },
    { language: "fr", is: "200 fr 3 [fwd=vary-miss; ttl=60; stored]" },
  ])("$language: $is", async ({ language, is }) => {
    expect(await line(bench, { headers: { "accept-language": language } })).toBe(is);
  });

  test("servers are asked for codings that requests are told apart by, and no others", async () => {
    const coded = new Bench({}, (request) => ({
      headers: { ...FRESH, Vary: "Accept-Encoding" },
      body: request.headers.get("accept-encoding") ?? "nothing said",
    }));
    const texts: string[] = [];
    for (const value of ["gzip, deflate, br;q=0.1, sdch", "deflate", "x-gzip;q=0.3"])
      texts.push(
        (await coded.get({ path: `/${value.length}`, headers: { "accept-encoding": value } })).text,
      );
    texts.push((await coded.get({ path: "/none" })).text);
    expect(texts).toEqual(["br, gzip", "identity", "gzip", "nothing said"]);
  });
});

describe("invalidation", () => {
  test.each([
    { method: "POST", status: 200, gone: true },
    { method: "PUT", status: 204, gone: true },
    { method: "DELETE", status: 200, gone: true },
    { method: "M-SEARCH", status: 200, gone: true },
    { method: "POST", status: 303, gone: true },
    { method: "POST", status: 400, gone: false },
    { method: "POST", status: 500, gone: false },
    { method: "OPTIONS", status: 200, gone: false },
    { method: "PROPFIND", status: 207, gone: false },
  ])("$method answered $status: gone is $gone", async ({ method, status, gone }) => {
    const bench = new Bench({}, (request, n) =>
      request.method === "GET" ? { headers: FRESH, body: String(n) } : { status },
    );
    await bench.get();
    await bench.get({ method });
    bench.wait(1);
    expect((await bench.get()).text).toBe(gone ? "3" : "1");
  });

  test.each([
    { field: "Location", to: "/other", gone: true },
    { field: "Content-Location", to: "other", gone: true },
    { field: "Location", to: "http://example.net/other", gone: true },
    { field: "Location", to: "http://elsewhere.net/other", gone: false },
  ])("$field: $to", async ({ field, to, gone }) => {
    const bench = new Bench({}, (request, n) =>
      request.method === "GET" ? { headers: FRESH, body: String(n) } : { headers: { [field]: to } },
    );
    await bench.get({ path: "/other" });
    await bench.get({ method: "POST", path: "/here" });
    bench.wait(1);
    expect((await bench.get({ path: "/other" })).text).toBe(gone ? "3" : "1");
  });

  test("where the order of parameters makes no difference, it makes none here", async () => {
    const bench = new Bench({ query: { sort: true, drop: ["utm_*"] } }, (request, n) =>
      request.method === "GET"
        ? { headers: FRESH, body: String(n) }
        : { headers: { Location: "/other?b=1&utm_x=1&a=2" } },
    );
    await bench.get({ path: "/other?b=1&a=2" });
    await bench.get({ method: "POST", path: "/here" });
    bench.wait(1);
    expect((await bench.get({ path: "/other?a=2&b=1" })).text).toBe("3");
  });

  test("all variants go, and what was asked for before is not kept when it comes", async () => {
    const gate = Promise.withResolvers<void>();
    const bench = new Bench({}, async (request, n) => {
      if (n === 2) await gate.promise;
      return { headers: { ...FRESH, Vary: "X" }, body: String(n) };
    });
    const x = (value: string): Asked => ({ headers: { x: value } });
    await bench.get(x("1"));
    const late = bench.get(x("2"));
    bench.wait(1);
    await bench.get({ method: "POST" });
    bench.wait(1);
    gate.resolve();
    expect((await late).text).toBe("2");
    expect((await bench.get(x("1"))).text).toBe("4");
    expect((await bench.get(x("2"))).text).toBe("5");
  });
});

describe("told of it", () => {
  test("early hints reach the client that is the cause, and nobody when it has its answer", async () => {
    const bench = new Bench({ stale_while_revalidate: "1m" }, (request, n) => {
      request.interim?.(103, [["Link", `</${n}.css>`]]);
      return { headers: FRESH, body: String(n) };
    });
    const heard: number[] = [];
    const asked: Asked = { interim: (status) => void heard.push(status) };
    await bench.get(asked);
    expect(heard).toEqual([103]);
    await bench.get(asked);
    bench.wait(61);
    expect((await bench.get(asked)).text).toBe("1");
    await Bun.sleep(1);
    expect([heard.length, bench.heard.length]).toEqual([1, 2]);
  });

  test("Age counts from what the server and the way say", async () => {
    const bench = new Bench({}, () => {
      bench.wait(2); // the way there and back
      return { headers: { ...FRESH, Age: "10", Date: bench.date() }, body: "x" };
    });
    expect((await bench.get()).headers.get("age")).toBe("12");
    bench.wait(5);
    expect((await bench.get()).headers.get("age")).toBe("17");
  });

  test("a Date is added where there is none, and what others say of caching stays", async () => {
    const bench = new Bench({}, () => ({
      headers: { ...FRESH, Date: [], "Cache-Status": "origin; hit" },
      body: "x",
    }));
    const date = bench.date();
    await bench.get();
    bench.wait(9);
    const { headers } = await bench.get();
    expect(headers.get("date")).toBe(date);
    expect(headers.get("cache-status")).toBe("origin; hit, tern; hit; ttl=51");
  });

  test.each<{ story: string; asked: Asked; reply: Reply; said: string }>([
    {
      story: "a method that is not kept",
      asked: { method: "POST" },
      reply: {},
      said: "tern; fwd=method",
    },
    {
      story: "a GET with a body",
      asked: { body: "x" },
      reply: { headers: FRESH },
      said: "tern; fwd=bypass; detail=body",
    },
    {
      story: "what must not be kept",
      asked: {},
      reply: { headers: { "Cache-Control": "private" } },
      said: "tern; fwd=uri-miss; detail=private",
    },
    {
      story: "HEAD of what is not there",
      asked: { method: "HEAD" },
      reply: { headers: FRESH },
      said: "tern; fwd=uri-miss",
    },
    {
      story: "nobody answered",
      asked: {},
      reply: { status: 502, ours: true },
      said: "tern; fwd=uri-miss; detail=error",
    },
  ])("$story: $said", async ({ asked, reply, said }) => {
    const bench = new Bench({}, () => reply);
    expect((await bench.get(asked)).headers.get("cache-status")).toBe(said);
  });

  test("only-if-cached", async () => {
    const bench = new Bench({ client_control: true }, () => ({ headers: FRESH, body: "x" }));
    const headers = { "cache-control": "only-if-cached" };
    expect((await bench.get({ headers })).status).toBe(504);
    await bench.get();
    expect((await bench.get({ headers })).status).toBe(200);
    expect(bench.heard).toHaveLength(1);
  });
});
