import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { webSchema } from "../../../src/services/web/config.ts";
import { web } from "../../../src/services/web/web.ts";
import { settled } from "../../../src/wire/http/message.ts";
import { fakeHost } from "../../fake/host.ts";
import { house, read, request } from "./visit.ts";

const section = (sites: object) => v.parse(webSchema, sites);

describe("the service", () => {
  test("prepares all, opens all, closes all", async () => {
    using host = fakeHost();
    const sites = {
      a: { root: "/tmp", listen: ":1", hosts: ["A.example"] },
      b: { root: "builtin:welcome", tls: true, http3: true },
    };
    const instance = await web.prepare(section(sites), host);
    expect(
      host.http.sites.map(({ hosts, http3, name, tls }) => ({ hosts, http3, name, tls })),
    ).toEqual([
      { hosts: ["a.example"], http3: false, name: "web.a", tls: false },
      { hosts: ["*"], http3: true, name: "web.b", tls: true },
    ]);
    expect(host.http.diary).toEqual([]);
    instance.start();
    await instance.stop(AbortSignal.abort());
    expect(host.http.diary).toEqual(["open web.a", "open web.b", "close web.a", "close web.b"]);
  });

  test("a root that is none: nothing is left behind, and it says which", async () => {
    using host = fakeHost();
    const sites = { a: { root: "/tmp" }, b: { root: "/no/such/place" } };
    const before = openFiles();
    await expect(web.prepare(section(sites), host)).rejects.toThrow(
      "web.b.root: /no/such/place is no directory",
    );
    expect(host.http.diary).toEqual(["close web.a"]);
    expect(openFiles()).toBe(before);
  });

  test("limits go to the listener; bodies only where somebody reads them", async () => {
    using host = fakeHost();
    const sites = {
      a: { root: "/tmp", limits: { head: "8k", keep_alive: "5s" } },
      b: { root: "/tmp", webdav: { enabled: true, max_body: "3m" } },
    };
    const instance = await web.prepare(section(sites), host);
    expect(
      host.http.sites.map(({ limits }) => [limits.maxHead, limits.maxBody, limits.keepAlive]),
    ).toEqual([
      [8192, 1024 * 1024, 5000],
      [16_384, 3 * 1024 * 1024, 75_000],
    ]);
    await instance.stop(AbortSignal.abort());
  });

  test("the welcome page needs no directory", async () => {
    using host = fakeHost();
    const instance = await web.prepare(section({ a: { root: "builtin:welcome" } }), host);
    const site = host.http.sites[0];
    const got = await read(await settled(site!.handler(request("/"))));
    expect([got.status, got.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    expect(got.text).toContain("tern is running");
    expect(got.text).toContain("9900");
    for (const target of ["/index.html", "/nothing", "/../index.html"].slice(0, 2)) {
      const { status } = await read(await settled(site!.handler(request(target))));
      expect(status).toBe(target === "/index.html" ? 200 : 404);
    }
    await instance.stop(AbortSignal.abort());
  });
});

describe("what an operator sees", () => {
  test("stats and metrics", async () => {
    await using site = await house({ "a.txt": "one", "b.bin": "x".repeat(100_000) });
    await site.get("/a.txt");
    await site.get("/a.txt");
    await site.get("/b.bin");
    site.quick("/a.txt");
    expect(site.instance.stats()["site"]).toMatchObject({
      quick: 1,
      hits: 1,
      misses: 2,
      entries: 2,
      open_files: 1,
    });
    const { families } = site.host.metrics.snapshot();
    const lookups = families.find(({ name }) => name === "tern_web_lookups_total")?.series;
    expect(lookups?.map(({ labels, value }) => [labels["from"], value])).toEqual([
      ["quick", 1],
      ["cache", 1],
      ["disk", 2],
    ]);
    site.host.metrics.snapshot();
    expect(lookups?.[2]?.value).toBe(2);
  });

  test.each([
    { input: {}, left: 0 },
    { input: { site: "site" }, left: 0 },
    { input: { site: "other" }, left: 3 },
    { input: { path: "/a.txt" }, left: 2 },
    { input: { path: "/d/" }, left: 1 },
  ])("purge $input leaves $left", async ({ input, left }) => {
    await using site = await house({ "a.txt": "1", "d/b.txt": "2", "d/e/c.txt": "3" });
    for (const target of ["/a.txt", "/d/b.txt", "/d/e/c.txt"]) await site.get(target);
    const purge = site.instance.actions?.["purge"];
    expect(await purge?.run(v.parse(purge.input, input))).toEqual({ purged: 3 - left });
    expect(site.instance.stats()["site"]).toMatchObject({ entries: left });
  });

  test("purge takes what is on disk too", async () => {
    await using site = await house({ "page.html": "<p>text</p>".repeat(500) });
    await site.get("/page.html", { headers: { "accept-encoding": "gzip" } });
    const kept = join(site.host.state, "web/encoded/site-site");
    for (let i = 0; i < 100 && readdirSync(kept).length === 0; i++) await Bun.sleep(10);
    expect(readdirSync(kept)).toHaveLength(1);
    await site.instance.actions?.["purge"]?.run({});
    expect(readdirSync(kept)).toEqual([]);
  });
});

describe("WebDAV", () => {
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });
  const hash = (password: string) =>
    Bun.password.hash(password, { algorithm: "argon2id", memoryCost: 1024, timeCost: 2 });

  test.each([
    { story: "a writer by address", address: "10.1.2.3", headers: {}, status: 201 },
    { story: "a reader", address: "192.0.2.1", headers: {}, status: 401 },
    { story: "a writer by name", address: "192.0.2.1", headers: basic("kim:a"), status: 201 },
    { story: "a user who is no writer", address: "192.0.2.1", headers: basic("jo:b"), status: 403 },
    {
      story: "a writer's name with a wrong password",
      address: "192.0.2.1",
      headers: basic("kim:b"),
      status: 401,
    },
  ])("$story: $status", async ({ address, headers, status }) => {
    const users = { kim: await hash("a"), jo: await hash("b") };
    await using site = await house(
      { "a.txt": "one" },
      {
        webdav: { enabled: true, writers: ["10.0.0.0/8", "kim"] },
        auth: { users, paths: ["/private/"] },
      },
    );
    const got = await site.get("/new", { method: "MKCOL", address, headers });
    expect(got.status).toBe(status);
    expect(existsSync(join(site.root, "new"))).toBe(status === 201);
    expect(got.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each([
    {
      story: "a listing of all that is beneath",
      method: "PROPFIND",
      target: "/",
      headers: {},
      status: 401,
    },
    {
      story: "a copy out",
      method: "COPY",
      target: "/private/x",
      headers: { destination: "/x" },
      status: 401,
    },
    {
      story: "a copy in",
      method: "COPY",
      target: "/a.txt",
      headers: { destination: "http://localhost/private/y" },
      status: 401,
    },
    {
      story: "a move of what holds it",
      method: "MOVE",
      target: "/",
      headers: { destination: "/y" },
      status: 401,
    },
    {
      story: "elsewhere",
      method: "PROPFIND",
      target: "/a.txt",
      headers: { depth: "0" },
      status: 207,
    },
  ])("a protected path is not reached by $story", async ({ headers, method, status, target }) => {
    const users = { kim: await hash("a") };
    await using site = await house(
      { "a.txt": "one", "private/x": "secret" },
      { webdav: { enabled: true }, auth: { users, paths: ["/private/"] } },
    );
    expect((await site.get(target, { method, headers })).status).toBe(status);
  });

  test("what it changes is seen at once, even for ever after", async () => {
    await using site = await house(
      { "a.txt": "one", "d/b.txt": "two" },
      { webdav: { enabled: true }, cache: { ttl: "1h" } },
    );
    await site.get("/a.txt");
    await site.get("/d/b.txt");
    expect((await site.get("/d", { method: "MOVE", headers: { destination: "/e" } })).status).toBe(
      201,
    );
    expect(site.quick("/d/b.txt")).toBeUndefined();
    expect((await site.get("/d/b.txt")).status).toBe(404);
    expect((await site.get("/e/b.txt")).text).toBe("two");
    expect((await site.get("/a.txt", { method: "DELETE" })).status).toBe(204);
    expect(site.quick("/a.txt")).toBeUndefined();
    expect((await site.get("/a.txt")).status).toBe(404);
  });

  test("GET and PROPFIND give the same tag", async () => {
    await using site = await house({ "a.txt": "one" }, { webdav: { enabled: true } });
    const etag = (await site.get("/a.txt")).headers.get("etag") ?? "";
    const found = await site.get("/a.txt", { method: "PROPFIND", headers: { depth: "0" } });
    expect(found.text).toContain(`<D:getetag>${etag.replaceAll('"', "&quot;")}</D:getetag>`);
  });

  test("OPTIONS and 405 name its methods", async () => {
    await using site = await house({ "a.txt": "one" }, { webdav: { enabled: true } });
    const options = await site.get("/a.txt", { method: "OPTIONS" });
    expect(options.headers.get("dav")).toStartWith("1, 2");
    const wrong = await site.get("/a.txt", { method: "POST" });
    const sorted = (allow: string | null) => allow?.split(", ").toSorted();
    expect(wrong.status).toBe(405);
    expect(sorted(wrong.headers.get("allow"))).toEqual(sorted(options.headers.get("allow")));
  });
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
