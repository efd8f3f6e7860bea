/** One stranger must not choose what others get. */
import { describe, expect, test } from "bun:test";

import { targetOf, urlKey } from "../../../../src/services/proxy/cache/target.ts";
import { authorityOf } from "../../../../src/services/proxy/target.ts";
import { Bench, requestOf } from "./bench.ts";

const FRESH = { "Cache-Control": "max-age=60" };
const NONE = { sort: false, drop: [] };

/** A server that believes everything it is told, and says so. */
const gullible = () =>
  new Bench({}, (request) => {
    const told: string[] = [];
    request.headers.forEach((value, name) => told.push(`${name}=${value}`));
    return { headers: FRESH, body: told.sort().join("; ") };
  });

describe("fields in no key do not reach servers", () => {
  test.each([
    ["x-original-url", "/admin"],
    ["x-rewrite-url", "/admin"],
    ["x-http-method-override", "POST"],
    ["x-method-override", "POST"],
    ["x-host", "evil.net"],
    ["x-forwarded-server", "evil.net"],
    ["x-forwarded-scheme", "nothttps"],
    ["x-forwarded-port", "1"],
    ["x-forwarded-prefix", "/evil"],
    ["surrogate-capability", 'x="ESI/1.0"'],
    ["range", "bytes=0-0"],
    ["if-none-match", '"x"'],
    ["cache-control", "no-cache"],
  ])("%s", async (name, value) => {
    const bench = gullible();
    await bench.get({ headers: { [name]: value } });
    expect((await bench.get()).text).toBe("host=example.net");
  });

  test.each([
    { story: "with Authorization", first: undefined, more: { authorization: "Basic eDp5" } },
    { story: "of a URL whose last response was not kept", first: "no-store", more: {} },
  ])("$story, when what comes is kept all the same", async ({ first, more }) => {
    const bench = new Bench({ query: { sort: false, drop: ["utm_*"] } }, (request, n) => {
      const told = [request.target];
      for (const name of ["x-original-url", "accept-encoding"])
        told.push(request.headers.get(name) ?? "-");
      const control = n === 1 && first !== undefined ? first : "public, max-age=60";
      return { headers: { "Cache-Control": control }, body: told.join(" ") };
    });
    if (first !== undefined) await bench.get();
    const evil = { "x-original-url": "/admin", "accept-encoding": "evil", ...more };
    await bench.get({ path: "/?utm_x=1", headers: evil });
    const { text, headers } = await bench.get();
    expect([text, headers.get("cache-status")]).toEqual(["/ - identity", "tern; hit; ttl=60"]);
  });

  test("they do where nothing is kept", async () => {
    const bench = gullible();
    const got = await bench.get({ method: "POST", headers: { "x-http-method-override": "PUT" } });
    expect(got.text).toContain("x-http-method-override=PUT");
  });
});

test("a GET with a body is not kept, and does not get what is", async () => {
  const bench = new Bench({}, (request, n) => ({
    headers: FRESH,
    body: `${request.body ? "fat" : "lean"} ${n}`,
  }));
  const texts: string[] = [];
  for (const asked of [{ body: "evil" }, {}, { body: "evil" }, {}])
    texts.push((await bench.get(asked)).text);
  expect(texts).toEqual(["fat 1", "lean 2", "fat 3", "lean 2"]);
});

describe("whose page it is", () => {
  test.each([
    { story: "another host", asked: { headers: { host: "evil.net" } } },
    { story: "another port", asked: { headers: { host: "example.net:1337" } } },
    { story: "a host in the target", asked: { path: "http://evil.net/" } },
    { story: "the same path behind a fat finger", asked: { path: "//" } },
    { story: "an escape", asked: { path: "/%2e" } },
    { story: "a query", asked: { path: "/?" } },
  ])("$story is another page", async ({ asked }) => {
    const bench = new Bench({}, (request, n) => ({
      headers: FRESH,
      body: `${request.headers.get("host")} ${n}`,
    }));
    await bench.get(asked);
    expect((await bench.get()).text).toBe("example.net 2");
  });

  test("but not the case of the host", async () => {
    const bench = new Bench({}, (_, n) => ({ headers: FRESH, body: String(n) }));
    await bench.get({ headers: { host: "EXAMPLE.net" } });
    expect((await bench.get()).text).toBe("1");
  });

  test.each([
    {
      story: "scheme",
      from: "10.0.0.1",
      first: { "x-forwarded-proto": "http" },
      second: { "x-forwarded-proto": "https" },
      same: false,
    },
    {
      story: "host",
      from: "10.0.0.1",
      first: { "x-forwarded-host": "a" },
      second: { "x-forwarded-host": "b" },
      same: false,
    },
    {
      story: "Forwarded",
      from: "10.0.0.1",
      first: { forwarded: "for=1;proto=http" },
      second: { forwarded: "for=1;proto=https" },
      same: false,
    },
    {
      story: "Forwarded for another",
      from: "10.0.0.1",
      first: { forwarded: "for=1;proto=http" },
      second: { forwarded: "for=2;proto=http" },
      same: true,
    },
    {
      story: "a stranger",
      from: "192.0.2.1",
      first: { "x-forwarded-proto": "http" },
      second: { "x-forwarded-proto": "https" },
      same: true,
    },
  ])("what a proxy before us says of the $story", async ({ from, first, second, same }) => {
    const bench = new Bench(
      {},
      (_, n) => ({ headers: FRESH, body: String(n) }),
      (address) => address.startsWith("10."),
    );
    await bench.get({ from, headers: first });
    expect((await bench.get({ from, headers: second })).text).toBe(same ? "1" : "2");
  });

  test("a response that varies by the client's address is for that client", async () => {
    const bench = new Bench({}, (_, n) => ({
      headers: { ...FRESH, Vary: "X-Forwarded-For" },
      body: String(n),
    }));
    await bench.get({ from: "192.0.2.1" });
    expect((await bench.get({ from: "192.0.2.2" })).text).toBe("2");
    expect((await bench.get({ from: "192.0.2.1" })).text).toBe("1");
  });

  test("keys that look like others", async () => {
    const bench = new Bench({ key: ["header:x"] }, (_, n) => ({
      headers: { ...FRESH, Vary: "Y" },
      body: String(n),
    }));
    const texts: string[] = [];
    for (const headers of [
      { x: "1" },
      { y: "x=1" },
      { x: "1", y: "" },
      { x: "", y: "1" },
    ] as Record<string, string>[])
      texts.push((await bench.get({ headers })).text);
    expect(new Set(texts).size).toBe(4);
  });
});

describe("what tells responses apart", () => {
  test.each([
    {
      key: ["header:x-device"],
      a: { headers: { "x-device": "phone" } },
      b: { headers: { "x-device": "desk" } },
    },
    {
      key: ["cookie:lang"],
      a: { headers: { cookie: "lang=de; id=1" } },
      b: { headers: { cookie: "id=1; lang=en" } },
    },
  ])("$key", async ({ key, a, b }) => {
    const bench = new Bench({ key }, (_, n) => ({ headers: FRESH, body: String(n) }));
    const texts: string[] = [];
    for (const asked of [a, b, a, b]) texts.push((await bench.get(asked)).text);
    expect(texts).toEqual(["1", "2", "1", "2"]);
  });

  test("queries are normalised, and servers see them so", async () => {
    const query = { sort: true, drop: ["utm_*", "fbclid"] };
    const bench = new Bench({ query }, (request) => ({ headers: FRESH, body: request.target }));
    const texts: string[] = [];
    for (const path of ["/a?b=2&a=1&utm_source=<evil>", "/a?a=1&b=2", "/a?fbclid=1&b=2&a=1"])
      texts.push((await bench.get({ path })).text);
    expect(texts).toEqual(Array(3).fill("/a?a=1&b=2"));
    expect(bench.heard).toHaveLength(1);
  });

  test.each([
    { path: "/a?utm_x=1", is: "/a" },
    { path: "/a?c&b&utm_x", is: "/a?b&c" },
    { path: "/a?a=2&a=1", is: "/a?a=1&a=2" },
    { path: "/a", is: "/a" },
    { path: "/a?", is: "/a?" },
    { path: "http://x.net/a?b=1&a=1", is: "/a?a=1&b=1" },
    { path: "http://x.net", is: "/" },
    { path: "http://x.net?q", is: "/?q" },
  ])("$path is $is", ({ path, is }) => {
    expect(targetOf(requestOf({ path }), { sort: true, drop: ["utm_*"] })).toBe(is);
  });

  test.each([
    { url: "http://Example.net/A?b", is: "example.net/A?b" },
    { url: "https://example.net:8443", is: "example.net:8443/" },
    { url: "example.net/x#y", is: "example.net/x" },
    { url: "/x", is: undefined },
    { url: "", is: undefined },
    { url: "example.net/a b", is: undefined },
  ])("the URL $url is $is", ({ url, is }) => {
    expect(urlKey(url, NONE)).toBe(is);
  });

  test.each([
    { path: "/", headers: { host: "A.net:80" }, is: "a.net:80" },
    { path: "http://B.net:1/", headers: { host: "a.net" }, is: "b.net:1" },
    { path: "https://b.net", headers: {}, is: "b.net" },
  ])("$path of $headers is of $is", ({ path, headers, is }) => {
    expect(authorityOf(requestOf({ path, headers: headers as Record<string, string> }))).toBe(is);
  });
});
