import { describe, expect, test } from "bun:test";

import type { Prepared } from "../../../src/net/quick.ts";
import { FakeClock } from "../../fake/clock.ts";
import { type House, house, SINCE } from "./visit.ts";

const files = {
  "index.html": "<h1>home</h1>".repeat(200),
  "a.txt": "0123456789",
  "big.bin": new Uint8Array(100_000),
};

function headOf(prepared: Prepared | undefined): Record<string, string> {
  const [, ...lines] = Buffer.from(prepared?.head ?? [])
    .toString("latin1")
    .trimEnd()
    .split("\r\n");
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]));
}

describe("the quick path", () => {
  test("knows nothing before the full path taught it, then the same answer", async () => {
    await using site = await house(files);
    expect(site.quick("/a.txt")).toBeUndefined();
    const full = await site.get("/a.txt");
    const quick = site.quick("/a.txt");
    expect(Buffer.from(quick?.body ?? []).toString()).toBe("0123456789");
    const { "Content-Length": length, Date: date, Server: _, ...fields } = headOf(quick);
    expect(length).toBe("10");
    expect(date).toHaveLength(29);
    expect(new Headers(fields)).toEqual(full.headers);
    const head = Buffer.from(quick?.head ?? []).toString("latin1");
    expect(head.startsWith("HTTP/1.1 200 OK\r\n")).toBe(true);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
    const closing = Buffer.from(quick?.closing ?? []).toString("latin1");
    expect(closing).toContain("\r\nConnection: close\r\n");
    quick?.refresh({ second: 7, bytes: Buffer.from("x".repeat(29)) });
    for (const bytes of [quick?.head, quick?.closing, quick?.packet])
      expect(Buffer.from(bytes ?? []).toString("latin1")).toContain(
        `\r\nDate: ${"x".repeat(29)}\r\n`,
      );
    expect(quick?.stamp).toBe(7);
  });

  const date = new Date(SINCE).toUTCString();
  test.each([
    { story: "plain", headers: {}, status: 200 },
    { story: "HEAD", headers: {}, method: "HEAD", status: 200 },
    { story: "our tag", headers: { "If-None-Match": "ETAG" }, status: 304 },
    { story: "our date", headers: { "If-Modified-Since": date }, status: 304 },
    {
      story: "our tag with any date",
      headers: { "If-None-Match": "ETAG", "If-Modified-Since": "x" },
      status: 304,
    },
    { story: "another tag", headers: { "If-None-Match": '"x"' }, status: undefined },
    { story: "our tag among others", headers: { "If-None-Match": '"x", ETAG' }, status: undefined },
    { story: "another date", headers: { "If-Modified-Since": "x" }, status: undefined },
    { story: "a range", headers: { Range: "bytes=0-1" }, status: undefined },
    { story: "credentials", headers: { Authorization: "Basic x" }, status: undefined },
    { story: "If-Match", headers: { "If-Match": "*" }, status: undefined },
    { story: "If-Unmodified-Since", headers: { "If-Unmodified-Since": date }, status: undefined },
    { story: "Expect", headers: { Expect: "100-continue" }, status: undefined },
    { story: "Upgrade", headers: { Upgrade: "h2c", Connection: "upgrade" }, status: undefined },
    { story: "another method", headers: {}, method: "OPTIONS", status: undefined },
    {
      story: "an Accept-Encoding never seen",
      headers: { "Accept-Encoding": "x" },
      status: undefined,
    },
  ])("$story: $status", async ({ headers, method, status }) => {
    await using site = await house(files);
    const etag = (await site.get("/a.txt")).headers.get("etag") ?? "";
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      String(value).replace("ETAG", etag),
    ]);
    expect(site.quick("/a.txt", Object.fromEntries(sent), method)?.status).toBe(status);
  });

  test("each class of Accept-Encoding has its own answer", async () => {
    await using site = await house(files);
    const encoded = (accept: string) =>
      headOf(site.quick("/", { "Accept-Encoding": accept }))["Content-Encoding"];
    for (const accept of ["gzip", "gzip, br", "identity", "zstd;q=0, gzip"])
      await site.get("/", { headers: { "accept-encoding": accept } });
    expect(encoded("gzip")).toBe("gzip");
    expect(encoded("gzip, br")).toBe("br");
    expect(encoded("identity")).toBeUndefined();
    expect(encoded("zstd;q=0, gzip")).toBe("gzip");
    expect(site.quick("/")).toBeUndefined();
    // Another way to say what was said before: the class is known, the spelling is not.
    expect(site.quick("/", { "Accept-Encoding": "br,gzip" })).toBeUndefined();
  });

  test("larger files stay in their file, which stays open until it is sent", async () => {
    await using site = await house(files);
    await site.get("/big.bin");
    const quick = site.quick("/big.bin");
    expect(quick?.file?.length).toBe(100_000);
    expect(quick?.body.length).toBe(0);
    quick?.hold?.();
    await run(site, "purge", {});
    expect(site.quick("/big.bin")).toBeUndefined();
    const { readSync } = await import("node:fs");
    expect(readSync(quick?.file?.fd ?? -1, new Uint8Array(10), 0, 10, 99_990)).toBe(10);
    quick?.drop?.();
    expect(() => readSync(quick?.file?.fd ?? -1, new Uint8Array(10), 0, 10, 0)).toThrow("EBADF");
  });

  test("an answer is good for the ttl, an index for one ttl at most", async () => {
    const clock = new FakeClock();
    await using site = await house(files, { cache: { ttl: "10s" } }, { clock });
    await site.get("/a.txt");
    await site.get("/");
    await clock.advance(9_999);
    expect([site.quick("/a.txt")?.status, site.quick("/")?.status]).toEqual([200, 200]);
    await clock.advance(1);
    expect([site.quick("/a.txt"), site.quick("/")]).toEqual([undefined, undefined]);
    await site.get("/index.html");
    expect(site.quick("/index.html")?.status).toBe(200);
    expect(site.quick("/")).toBeUndefined();
    await site.get("/");
    expect(site.quick("/")?.status).toBe(200);
  });

  test.each([
    { story: "a limit counts every request", config: { limit: { rate: "1000/s" } } },
    { story: "a path asks for a user", config: { auth: { users: {}, paths: ["/"] } } },
    { story: "no cache", config: { cache: { memory: "0" } } },
    { story: "no ttl", config: { cache: { ttl: 0 } } },
    {
      story: "hints have to be sent each time",
      config: { early_hints: { "/a.txt": ["</b>; rel=preload"] } },
    },
  ])("is not taken when $story", async ({ config }) => {
    await using site = await house(files, config);
    await site.get("/a.txt");
    expect(site.quick("/a.txt")).toBeUndefined();
  });

  test("errors, redirects and listings are never answered from it", async () => {
    await using site = await house({ ...files, "d/x": "" }, { autoindex: true });
    for (const target of ["/nothing", "/d", "/d/"]) {
      await site.get(target);
      expect(site.quick(target)).toBeUndefined();
    }
  });

  test("more targets than there is room for: the last ones are known, none is wrong", async () => {
    await using site = await house(files);
    for (let i = 0; i < 20_000; i++) await site.get(`/a.txt?${i}`);
    let known = 0;
    for (let i = 0; i < 20_000; i++) {
      const quick = site.quick(`/a.txt?${i}`);
      if (quick) known++;
    }
    expect(site.quick("/a.txt?19999")?.status).toBe(200);
    expect(known).toBeGreaterThan(4000);
  });
});

async function run(site: House, action: string, input: object): Promise<unknown> {
  return site.instance.actions?.[action]?.run(input);
}
