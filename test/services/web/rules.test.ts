import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { networkOf } from "../../../src/core/client-network.ts";
import { webSchema } from "../../../src/services/web/config.ts";
import { FakeClock } from "../../fake/clock.ts";
import { house } from "./visit.ts";

const files = {
  "index.html": "home",
  "404.html": "<h1>not here</h1>",
  "50x.html": "sorry",
  "private/x.txt": "for staff",
  "privates.txt": "for all",
  "new/x.txt": "moved",
};

describe("redirects", () => {
  const redirects = [
    { from: "/old", to: "/new/x.txt" },
    { from: "/tree/*", to: "/new/*", status: 308 },
    { from: "/away/*", to: "https://example.net/*?a=1", status: 302 },
    { from: "/all*", to: "/*" },
  ];
  test.each([
    { target: "/old", status: 301, location: "/new/x.txt" },
    { target: "/old?q=1", status: 301, location: "/new/x.txt?q=1" },
    { target: "/older", status: 404, location: null },
    { target: "/tree/a%20b/c", status: 308, location: "/new/a%20b/c" },
    { target: "/away/x?y=2", status: 302, location: "https://example.net/x?a=1&y=2" },
    { target: "/all/evil.example", status: 301, location: "/evil.example" },
    { target: "/all%5Cevil.example", status: 301, location: "/%5Cevil.example" },
    { target: "/tree/%0d%0aX:%20y", status: 400, location: null },
  ])("$target to $location", async ({ location, status, target }) => {
    await using site = await house(files, { redirects });
    if (status === 400) return expect(site.get(target)).rejects.toThrow("bad target");
    const got = await site.get(target);
    expect([got.status, got.headers.get("location")]).toEqual([status, location]);
  });
});

describe("errors", () => {
  test("ours is a page, and says nothing of the request", async () => {
    await using site = await house(files);
    const got = await site.get("/<script>");
    expect(got.status).toBe(404);
    expect(got.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(got.text).toContain("<title>404 Not Found</title>");
    expect(got.text).not.toContain("script");
    expect(got.headers.get("x-content-type-options")).toBe("nosniff");
    const head = await site.get("/nothing", { method: "HEAD" });
    expect([head.bytes.length, head.headers.get("content-length")]).toEqual([
      0,
      String(got.bytes.length),
    ]);
  });

  test.each([
    {
      target: "/nothing",
      status: 404,
      text: "<h1>not here</h1>",
      type: "text/html; charset=utf-8",
    },
    {
      target: "/index.html",
      method: "BREW",
      status: 405,
      text: "home",
      type: "text/html; charset=utf-8",
    },
  ])("the operator's own: $status", async ({ method, status, target, text, type }) => {
    await using site = await house(files, {
      error_pages: { "404": "/404.html", "4xx": "/index.html" },
    });
    const got = await site.get(target, method ? { method } : {});
    expect([got.status, got.text, got.headers.get("content-type")]).toEqual([status, text, type]);
    expect([got.headers.get("etag"), got.headers.get("accept-ranges")]).toEqual([null, null]);
  });

  test("an error page that is not there does no harm", async () => {
    await using site = await house(files, { error_pages: { "404": "/gone.html" } });
    expect((await site.get("/nothing")).text).toContain("404 Not Found");
  });
});

describe("fallback", () => {
  test.each([
    { target: "/app/route", status: 200, text: "home" },
    { target: "/new/", status: 200, text: "home" },
    { target: "/new", status: 301 },
    { target: "/new/x.txt", status: 200, text: "moved" },
    { target: "/.env", status: 404 },
  ])("$target is $status", async ({ status, target, text }) => {
    await using site = await house(files, { fallback: "/index.html" });
    const got = await site.get(target);
    expect(got.status).toBe(status);
    if (text !== undefined) expect(got.text).toBe(text);
  });

  test("a fallback that is missing is 404", async () => {
    await using site = await house(files, { fallback: "/none.html" });
    expect((await site.get("/app/route")).status).toBe(404);
  });
});

describe("users", () => {
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });
  test.each([
    { target: "/privates.txt", headers: {}, status: 200 },
    { target: "/private/x.txt", headers: {}, status: 401 },
    { target: "/private/nothing", headers: {}, status: 401 },
    { target: "/private", headers: {}, status: 401 },
    { target: "/%70rivate/x.txt", headers: {}, status: 401 },
    { target: "/new/../private//x.txt", headers: {}, status: 401 },
    { target: "/private/x.txt", headers: basic("kim:wrong"), status: 401 },
    { target: "/private/x.txt", headers: basic("kim:pass"), status: 200 },
  ])("$target with $headers: $status", async ({ headers, status, target }) => {
    const kim = await Bun.password.hash("pass", {
      algorithm: "argon2id",
      memoryCost: 1024,
      timeCost: 2,
    });
    await using site = await house(files, {
      auth: { realm: "staff", users: { kim }, paths: ["/private/"] },
    });
    for (let i = 0; i < 2; i++) {
      const got = await site.get(target, { headers });
      expect(got.status).toBe(status);
      if (status === 401)
        expect(got.headers.get("www-authenticate")).toBe('Basic realm="staff", charset="UTF-8"');
      if ("authorization" in headers && status === 200) expect(got.response.user).toBe("kim");
    }
    if (target.includes("rivate/")) expect(site.quick(target)).toBeUndefined();
  });
});

describe("limit", () => {
  test("beyond the burst 429 with Retry-After, by client", async () => {
    const clock = new FakeClock();
    await using site = await house(files, { limit: { rate: "1/s", burst: 3 } }, { clock });
    const ask = async (address: string) => (await site.get("/", { address })).status;
    expect([await ask("192.0.2.1"), await ask("192.0.2.1"), await ask("192.0.2.1")]).toEqual([
      200, 200, 200,
    ]);
    const refused = await site.get("/", { address: "192.0.2.1" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await ask("192.0.2.2")).toBe(200);
    await clock.advance(1000);
    expect([await ask("192.0.2.1"), await ask("192.0.2.1")]).toEqual([200, 429]);
  });

  test.each([
    { a: "192.0.2.1", b: "192.0.2.2", same: false },
    { a: "2001:db8::1", b: "2001:db8::ffff:1", same: true },
    { a: "2001:db8::1", b: "2001:db8:0:1::1", same: false },
  ])("$a and $b are one client: $same", ({ a, b, same }) => {
    expect(networkOf(a) === networkOf(b)).toBe(same);
  });
});

describe("listings", () => {
  const tree = {
    "d/b10.txt": "x".repeat(2048),
    "d/b9.txt": "xyz",
    "d/<img src=x>&.txt": "",
    "d/a:b": "",
    "d/.secret": "",
    "d/sub/x": "",
    "d/.tern-part": "",
  };

  test("HTML", async () => {
    await using site = await house(tree, { autoindex: true });
    const got = await site.get("/d/");
    expect([got.status, got.headers.get("content-type"), got.headers.get("vary")]).toEqual([
      200,
      "text/html; charset=utf-8",
      "Accept",
    ]);
    const names = [...got.text.matchAll(/<td class="name"><a href="([^"]*)">([^<]*)<\/a>/g)].map(
      ([, href, name]) => [href, name],
    );
    expect(names).toEqual([
      ["../", ".."],
      ["./sub/", "sub/"],
      ["./%3Cimg%20src%3Dx%3E%26.txt", "&#60;img src=x&#62;&#38;.txt"],
      ["./a%3Ab", "a:b"],
      ["./b9.txt", "b9.txt"],
      ["./b10.txt", "b10.txt"],
    ]);
    expect(got.text).not.toContain("<img");
    expect(got.text).toContain("2 KiB");
    expect(got.text).toContain('aria-sort="ascending"');
  });

  test.each([
    { query: "?sort=size&order=desc", names: ["sub", "b10.txt", "b9.txt"] },
    { query: "?sort=name&order=desc", names: ["sub", "b10.txt", "b9.txt"] },
    { query: "?sort=size", names: ["sub", "b9.txt", "b10.txt"] },
    { query: "?sort=nonsense&order=x", names: ["sub", "b9.txt", "b10.txt"] },
  ])("sorted by $query", async ({ names, query }) => {
    await using site = await house(
      { "b10.txt": "x".repeat(2048), "b9.txt": "xyz", "sub/x": "" },
      { autoindex: "json" },
    );
    const rows = JSON.parse((await site.get(`/${query}`)).text) as { name: string }[];
    expect(rows.map(({ name }) => name)).toEqual([...names]);
  });

  test.each([
    {
      story: "as asked for by Accept",
      autoindex: true,
      target: "/d/",
      accept: "application/json",
      json: true,
    },
    {
      story: "as asked for by the query",
      autoindex: true,
      target: "/d/?format=json",
      accept: "text/html",
      json: true,
    },
    {
      story: "a browser",
      autoindex: true,
      target: "/d/",
      accept: "text/html,*/*;q=0.8",
      json: false,
    },
    {
      story: "HTML only",
      autoindex: "html",
      target: "/d/?format=json",
      accept: "application/json",
      json: false,
    },
  ])("$story", async ({ accept, autoindex, json, target }) => {
    await using site = await house(tree, { autoindex });
    const got = await site.get(target, { headers: { accept } });
    expect(
      got.headers.get("content-type")?.startsWith(json ? "application/json" : "text/html"),
    ).toBe(true);
    if (json) {
      const [sub, ...rest] = JSON.parse(got.text) as Record<string, unknown>[];
      expect(sub).toEqual({ name: "sub", type: "directory", mtime: expect.any(String) });
      expect(rest.at(-1)).toEqual({
        name: "b10.txt",
        type: "file",
        mtime: "2026-10-03T12:00:00.000Z",
        size: 2048,
      });
    }
  });

  test("links out of the root, loops and pipes are not listed", async () => {
    await using site = await house({ "a.txt": "" }, { autoindex: "json" });
    symlinkSync("a.txt", join(site.root, "in"));
    symlinkSync("/etc", join(site.root, "out"));
    symlinkSync("loop", join(site.root, "loop"));
    Bun.spawnSync(["mkfifo", join(site.root, "pipe")]);
    const rows = JSON.parse((await site.get("/")).text) as { name: string }[];
    expect(rows.map(({ name }) => name)).toEqual(["a.txt", "in"]);
  });

  test.each(["/d/nothing/", "/d/.secret/", "/.git/"])("%s is 404", async (target) => {
    await using site = await house(tree, { autoindex: true });
    expect((await site.get(target)).status).toBe(404);
  });
});

describe("the section", () => {
  test.each([
    { story: "an unknown key", site: { rot: "./www" } },
    {
      story: "a field that would split the response",
      site: { headers: { "X-A": "a\r\nSet-Cookie: b" } },
    },
    { story: "a field name that is none", site: { headers: { "X A": "a" } } },
    { story: "a field that is the server's own", site: { headers: { "Content-Length": "3" } } },
    { story: "an unknown coding", site: { encodings: ["deflate"] } },
    { story: "a plain password", site: { auth: { users: { kim: "hunter2" } } } },
    {
      story: "a redirect to nowhere",
      site: { redirects: [{ from: "/a", to: "javascript:alert(1)" }] },
    },
    { story: "an error page for a success", site: { error_pages: { "200": "/x" } } },
    { story: "an index with a path", site: { index: ["../x"] } },
    { story: "a writer who is nobody", site: { webdav: { writers: ["kim"] } } },
  ])("refuses $story", ({ site }) => {
    expect(v.safeParse(webSchema, { site }).success).toBe(false);
  });

  test("takes the contract's example", async () => {
    const hash = await Bun.password.hash("x", {
      algorithm: "argon2id",
      memoryCost: 1024,
      timeCost: 2,
    });
    const site = {
      listen: [":8080"],
      hosts: ["*"],
      root: "./www",
      index: ["index.html", "index.htm"],
      autoindex: false,
      fallback: null,
      mime_types: { md: "text/plain" },
      gzip: { enabled: true, min: "1k", max: "100m", types: ["html", "htm", "js"], store: true },
      encodings: ["zstd", "br", "gzip"],
      cache: { memory: "64MiB", ttl: "10s" },
      expires: { html: "5m", png: "7d" },
      webdav: { enabled: false, writers: ["127.0.0.1"], locks: true, max_body: "10g" },
      headers: { "X-Content-Type-Options": "nosniff" },
      auth: { realm: "staff", users: { kim: hash }, paths: ["/private/"] },
      limit: { rate: "100/s", burst: 200, by: "ip" },
      pipelining: true,
      http2: true,
      http3: false,
      tls: false,
    };
    const got = v.parse(webSchema, { site })["site"];
    expect(got?.gzip.max).toBe(100 * 1024 * 1024);
    expect(got?.cache.ttl).toBe(10_000);
  });
});
