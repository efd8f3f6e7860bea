import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";

import { adminApp } from "../../../src/admin/app.ts";
import { caller, fakeDeps } from "../fake-deps.ts";

/** Bytes on the wire, all of it: the contract allows 150 KiB. */
const MOST_WEIGHT = 60 * 1024;

const app = adminApp(fakeDeps().deps);
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve(app.request(path, { headers }, caller("loopback")));
const front = await get("/");
const html = await front.text();
const files = Array.from(
  html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g),
  ([, path = ""]) => path,
);

test("the page is for strangers too, and says nothing about the appliance", () => {
  expect([front.status, front.headers.get("content-type")]).toEqual([
    200,
    "text/html; charset=utf-8",
  ]);
  expect(html).not.toContain("1.2.3");
  expect(front.headers.get("cache-control")).toBe("no-store");
});

test("its policy lets in our own files and nothing else", () => {
  const policy = front.headers.get("content-security-policy") ?? "";
  const parts = new Map(policy.split("; ").map((part) => [part.split(" ")[0], part]));
  expect(parts.get("default-src")).toBe("default-src 'none'");
  expect(parts.get("script-src")).toBe("script-src 'self'");
  expect(parts.get("style-src")).toBe("style-src 'self'");
  expect(parts.get("connect-src")).toBe("connect-src 'self'");
  expect(parts.get("frame-ancestors")).toBe("frame-ancestors 'none'");
  expect(parts.get("require-trusted-types-for")).toBe("require-trusted-types-for 'script'");
  expect(policy).not.toContain("unsafe");
  expect(front.headers.get("x-frame-options")).toBe("DENY");
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/i);
});

test("it weighs little", async () => {
  let weight = gzipSync(html).length;
  for (const path of files)
    weight += (await (await get(path, { "Accept-Encoding": "gzip" })).bytes()).length;
  expect(files).toHaveLength(2);
  expect(weight).toBeLessThan(MOST_WEIGHT);
});

describe.each(files)("%s", (path) => {
  test("is kept for ever by whoever has it, packed or not", async () => {
    const packed = await get(path, { "Accept-Encoding": "br, gzip" });
    const plain = await get(path, { "Accept-Encoding": "identity" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(packed.headers.get("cache-control")).toContain("immutable");
    expect(packed.headers.get("x-content-type-options")).toBe("nosniff");
    expect(packed.headers.get("content-type")).toBe(
      path.endsWith(".js") ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8",
    );
    expect(Bun.gunzipSync(await packed.bytes())).toEqual(await plain.bytes());
  });

  test("asks nobody else for anything", async () => {
    const text = await (await get(path)).text();
    const strangers = text
      .match(/(?:https?:)?\/\/[\w.-]+\.[a-z]{2,}[^\s"'`)]*/g)
      ?.filter((url) => !url.startsWith("http://www.w3.org/")); // names of XML, not places
    expect(strangers ?? []).toEqual([]);
  });
});

test.each(["/console/", "/console/nothing.js", "/console/__proto__", "/console/..%2fapp.ts"])(
  "%s is not there",
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);
