import { describe, expect, test } from "bun:test";

import { house, SINCE, type Visit } from "./visit.ts";

const files = {
  "index.html": "<h1>home</h1>",
  "a.txt": "0123456789",
  "empty.txt": "",
  "data.json": "{}",
  "app.js": "let x = 1;",
  "pic.png": "png",
  noext: "?",
  "sub/index.htm": "sub",
  "sub/page.html": "page",
  "bare/file.txt": "x",
  "name with space é.txt": "named",
  ".env": "secret",
  ".git/config": "secret",
  ".well-known/security.txt": "mail us",
  ".well-known/.hidden": "secret",
  "docs/.draft/a.txt": "secret",
  "half/.tern-upload-1": "half",
};

describe("what is where", () => {
  test.each([
    { target: "/a.txt", status: 200, text: "0123456789" },
    { target: "/a.txt?v=3", status: 200, text: "0123456789" },
    { target: "/empty.txt", status: 200, text: "" },
    { target: "/", status: 200, text: "<h1>home</h1>" },
    { target: "/sub/", status: 200, text: "sub" },
    { target: "/sub/./page.html", status: 200, text: "page" },
    { target: "/sub/../a.txt", status: 200, text: "0123456789" },
    { target: "/%61.txt", status: 200, text: "0123456789" },
    { target: "/name%20with%20space%20%C3%A9.txt", status: 200, text: "named" },
    { target: "/nothing", status: 404 },
    { target: "/a.txt/", status: 404 },
    { target: "/a.txt/b", status: 404 },
    { target: "/bare/", status: 404 },
    { target: `/${"x".repeat(300)}`, status: 404 },
    { target: "/.env", status: 404 },
    { target: "/.git/config", status: 404 },
    { target: "/.git", status: 404 },
    { target: "/docs/.draft/a.txt", status: 404 },
    { target: "/.well-known/security.txt", status: 200, text: "mail us" },
    { target: "/.well-known/.hidden", status: 404 },
    { target: "/half/.tern-upload-1", status: 404 },
  ])("$target is $status", async ({ target, status, text }) => {
    await using site = await house(files);
    const got = await site.get(target);
    expect(got.status).toBe(status);
    if (text !== undefined) expect(got.text).toBe(text);
  });

  test.each([
    { dotfiles: "allow", target: "/.env", status: 200 },
    { dotfiles: "allow", target: "/half/.tern-upload-1", status: 404 },
    { dotfiles: "deny", target: "/.env", status: 403 },
    { dotfiles: "deny", target: "/.nothing", status: 403 },
  ])("dotfiles: $dotfiles makes $target $status", async ({ dotfiles, target, status }) => {
    await using site = await house(files, { dotfiles });
    expect((await site.get(target)).status).toBe(status);
  });
});

describe("a directory without its slash", () => {
  test.each([
    { target: "/sub", location: "/sub/" },
    { target: "/sub?a=b&c", location: "/sub/?a=b&c" },
    { target: "/%73ub", location: "/sub/" },
    { target: "//sub", location: "/sub/" },
    { target: "/%5Cevil.example", location: "/%5Cevil.example/" },
    { target: "/a%3Fb", location: "/a%3Fb/" },
  ])("$target goes to $location", async ({ target, location }) => {
    await using site = await house({ ...files, "\\evil.example/x": "", "a?b/x": "" });
    const got = await site.get(target);
    expect([got.status, got.headers.get("location")]).toEqual([301, location]);
  });
});

describe("methods", () => {
  test("HEAD is GET without its body", async () => {
    await using site = await house(files);
    const get = await site.get("/a.txt");
    const head = await site.get("/a.txt", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.bytes.length).toBe(0);
    expect(head.headers.get("content-length")).toBe("10");
    head.headers.delete("content-length");
    expect([...head.headers]).toEqual([...get.headers]);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "get", "FOO"])(
    "%s is 405",
    async (method) => {
      await using site = await house(files);
      const got = await site.get("/a.txt", { method });
      expect([got.status, got.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    },
  );

  test("OPTIONS says what there is", async () => {
    await using site = await house(files);
    const one = await site.get("/a.txt", { method: "OPTIONS" });
    expect([one.status, one.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const all = await site.get("*", { method: "OPTIONS" });
    expect([all.status, all.headers.get("allow")]).toEqual([200, "GET, HEAD, OPTIONS"]);
  });
});

describe("fields", () => {
  test.each([
    { target: "/", type: "text/html; charset=utf-8" },
    { target: "/a.txt", type: "text/plain; charset=utf-8" },
    { target: "/app.js", type: "text/javascript; charset=utf-8" },
    { target: "/data.json", type: "application/json" },
    { target: "/pic.png", type: "image/png" },
    { target: "/noext", type: "application/octet-stream" },
  ])("$target is $type", async ({ target, type }) => {
    await using site = await house(files);
    const { headers } = await site.get(target);
    expect(headers.get("content-type")).toBe(type);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("accept-ranges")).toBe("bytes");
    expect(headers.get("last-modified")).toBe("Sat, 03 Oct 2026 12:00:00 GMT");
    expect(headers.get("etag")).toMatch(/^"[\w-]+"$/);
  });

  test("the operator's types and charset", async () => {
    await using site = await house(files, {
      charset: "iso-8859-1",
      mime_types: { md: "text/markdown; charset=x", ".TXT": "text/x-own", png: "image/x-own" },
    });
    const typed = async (target: string) => (await site.get(target)).headers.get("content-type");
    expect(await typed("/a.txt")).toBe("text/x-own; charset=iso-8859-1");
    expect(await typed("/")).toBe("text/html; charset=iso-8859-1");
    expect(await typed("/pic.png")).toBe("image/x-own");
  });

  test("expiry by extension", async () => {
    await using site = await house(files, { expires: { txt: "5m", html: "0", "*": "7d" } });
    const caching = async (target: string) => (await site.get(target)).headers.get("cache-control");
    expect(await caching("/a.txt")).toBe("max-age=300");
    expect(await caching("/")).toBe("no-cache");
    expect(await caching("/pic.png")).toBe("max-age=604800");
    const expires = Date.parse((await site.get("/a.txt")).headers.get("expires") ?? "");
    expect(Math.abs(expires - Date.now() - 300_000)).toBeLessThan(3000);
  });

  test("fields by path, the longest prefix has the last word", async () => {
    await using site = await house(files, {
      headers: { "X-A": "all", "X-B": "all" },
      path_headers: {
        "/sub/": { "x-b": "sub", "Cache-Control": "private" },
        "/sub/page": { "X-B": "page" },
      },
      expires: { html: "5m" },
    });
    const { headers } = await site.get("/sub/page.html");
    expect(headers.get("x-a")).toBe("all");
    expect(headers.get("x-b")).toBe("page");
    expect(headers.get("cache-control")).toBe("private");
    expect(headers.get("expires")).toBeNull();
    expect((await site.get("/nothing")).headers.get("x-a")).toBe("all");
  });

  test("hints go ahead, and with the answer", async () => {
    await using site = await house(files, {
      early_hints: { "/": ["</app.css>; rel=preload; as=style"] },
    });
    for (const target of ["/", "/index.html"]) {
      const hints: string[][] = [];
      const visit: Visit = target === "/" ? { hints } : {};
      const got = await site.get(target, visit);
      const own = target === "/" ? "</app.css>; rel=preload; as=style" : got.headers.get("link");
      expect(got.headers.get("link")).toBe(own);
      if (target === "/") expect(hints).toEqual([["</app.css>; rel=preload; as=style"]]);
    }
  });
});

describe("conditions", () => {
  const date = new Date(SINCE).toUTCString();
  const before = new Date(SINCE - 1000).toUTCString();
  test.each([
    { story: "our tag", headers: { "if-none-match": "ETAG" }, status: 304 },
    { story: "our tag, weak, in a list", headers: { "if-none-match": '"x", W/ETAG' }, status: 304 },
    { story: "any tag", headers: { "if-none-match": "*" }, status: 304 },
    { story: "another tag", headers: { "if-none-match": '"x"' }, status: 200 },
    {
      story: "another tag outranks our date",
      headers: { "if-none-match": '"x"', "if-modified-since": date },
      status: 200,
    },
    { story: "our date", headers: { "if-modified-since": date }, status: 304 },
    { story: "an older date", headers: { "if-modified-since": before }, status: 200 },
    { story: "no date at all", headers: { "if-modified-since": "yesterday" }, status: 200 },
    { story: "must be ours, and is", headers: { "if-match": "ETAG" }, status: 200 },
    { story: "must be ours, and is not", headers: { "if-match": '"x"' }, status: 412 },
    { story: "must be ours, weakly", headers: { "if-match": "W/ETAG" }, status: 412 },
    {
      story: "must not be newer, and is not",
      headers: { "if-unmodified-since": date },
      status: 200,
    },
    { story: "must not be newer, and is", headers: { "if-unmodified-since": before }, status: 412 },
  ] as const)("$story: $status", async ({ headers, status }) => {
    await using site = await house(files);
    const etag = (await site.get("/a.txt")).headers.get("etag") ?? "";
    const sent = Object.fromEntries(
      Object.entries(headers).map(([k, value]) => [k, value.replace("ETAG", etag)]),
    );
    const got = await site.get("/a.txt", { headers: sent });
    expect(got.status).toBe(status);
    if (status === 304) {
      expect(got.headers.get("etag")).toBe(etag);
      expect(got.headers.get("content-type")).toBeNull();
      expect(got.bytes.length).toBe(0);
    }
  });
});

describe("ranges", () => {
  const date = new Date(SINCE).toUTCString();
  test.each([
    { range: "bytes=0-3", status: 206, text: "0123", where: "bytes 0-3/10" },
    { range: "bytes=7-", status: 206, text: "789", where: "bytes 7-9/10" },
    { range: "bytes=-2", status: 206, text: "89", where: "bytes 8-9/10" },
    { range: "bytes=-99", status: 206, text: "0123456789", where: "bytes 0-9/10" },
    { range: "bytes=8-99", status: 206, text: "89", where: "bytes 8-9/10" },
    { range: "bytes=10-", status: 416, where: "bytes */10" },
    { range: "bytes=-0", status: 416, where: "bytes */10" },
    { range: "bytes=3-1", status: 200, text: "0123456789" },
    { range: "lines=0-3", status: 200, text: "0123456789" },
    { range: "bytes=a-b", status: 200, text: "0123456789" },
    { range: "bytes=0-1", ifRange: "ETAG", status: 206, text: "01", where: "bytes 0-1/10" },
    { range: "bytes=0-1", ifRange: '"x"', status: 200, text: "0123456789" },
    { range: "bytes=0-1", ifRange: "W/ETAG", status: 200, text: "0123456789" },
    { range: "bytes=0-1", ifRange: date, status: 206, text: "01", where: "bytes 0-1/10" },
    {
      range: "bytes=0-1",
      ifRange: "Sat, 03 Oct 2026 11:00:00 GMT",
      status: 200,
      text: "0123456789",
    },
  ])("$range if $ifRange: $status", async ({ ifRange, range, status, text, where }) => {
    for (const small of ["64k", "0"]) {
      await using site = await house(files, { cache: { small } });
      const etag = (await site.get("/a.txt")).headers.get("etag") ?? "";
      const condition = ifRange === undefined ? {} : { "if-range": ifRange.replace("ETAG", etag) };
      const got = await site.get("/a.txt", { headers: { range, ...condition } });
      expect(got.status).toBe(status);
      if (text !== undefined) expect(got.text).toBe(text);
      expect(got.headers.get("content-range")).toBe(where ?? null);
    }
  });

  test("several parts", async () => {
    await using site = await house(files);
    const got = await site.get("/a.txt", { headers: { range: "bytes=0-1, 4-5, -1" } });
    expect(got.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(
      got.headers.get("content-type") ?? "",
    )?.[1];
    expect(got.headers.get("content-range")).toBeNull();
    const part = (where: string, text: string) =>
      `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${where}/10\r\n\r\n${text}\r\n`;
    expect(got.text).toBe(
      `${part("0-1", "01")}${part("4-5", "45")}${part("9-9", "9")}--${boundary}--\r\n`,
    );
  });

  test.each([
    {
      story: "too many",
      range: `bytes=${Array.from({ length: 20 }, (_, i) => `${i * 2}-${i * 2}`).join()}`,
      status: 200,
    },
    { story: "overlapping are joined", range: "bytes=0-4, 2-6, 7-8", status: 206 },
  ])("$story: $status", async ({ range, status }) => {
    await using site = await house({ "a.txt": "0123456789".repeat(10) });
    const got = await site.get("/a.txt", { headers: { range } });
    expect(got.status).toBe(status);
    if (status === 206) expect(got.headers.get("content-range")).toBe("bytes 0-8/100");
  });

  test("HEAD takes no notice", async () => {
    await using site = await house(files);
    const got = await site.get("/a.txt", { method: "HEAD", headers: { range: "bytes=0-1" } });
    expect([got.status, got.headers.get("content-length")]).toEqual([200, "10"]);
  });
});
