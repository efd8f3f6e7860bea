import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
/** The cache through the whole program: several workers, reloads, crashes, and what operators ask. */
import { readdirSync, statSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { type Appliance, appliance, until } from "./from-source.ts";

setDefaultTimeout(60_000); // a whole program starts and ends, on a machine that may be busy

/** A server that counts what it is asked for; paths say what they want. */
const heard: string[] = [];
let slow = 0;
/** Of longer bodies only so much is sent, and then nothing more. */
let stopAt = Infinity;
const backend = createServer((request: IncomingMessage, response) => {
  const url = request.url ?? "/";
  heard.push(url);
  setTimeout(() => {
    const size = Number(/size=(\d+)/.exec(url)?.[1] ?? 0);
    response.setHeader("Cache-Control", url.includes("private") ? "private" : "max-age=600");
    response.setHeader("Cache-Tag", url.includes("news") ? "news, all" : "all");
    if (size > stopAt) {
      response.setHeader("Content-Length", size);
      return void response.write(Buffer.alloc(stopAt, url));
    }
    response.end(size > 0 ? Buffer.alloc(size, url) : `${url} ${heard.length}`);
  }, slow);
});
const backendPort = await new Promise<number>((resolve) => {
  backend.listen(0, "127.0.0.1", () => resolve((backend.address() as { port: number }).port));
});
afterAll(() => void backend.close());
const port = await freePort();

const config = (dir: string, cache: object = {}, workers = 2): object => ({
  workers,
  state: `${dir}/var`,
  admin: { listen: [] },
  pools: { app: { hosts: [`127.0.0.1:${backendPort}`] } },
  proxy: {
    edge: {
      listen: `127.0.0.1:${port}`,
      routes: [{ pool: "app" }],
      cache: { disk: `${dir}/cache`, purge: { allow: ["127.0.0.1"] }, ...cache },
    },
  },
});

function sizeOf(directory: string, name: string): number {
  return statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
}

/** On a connection of its own, so that any worker may get it. */
async function get(path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers: { Connection: "close", ...init.headers },
  });
}
const text = async (path: string): Promise<string> => (await get(path)).text();
const asked = (path: string): number => heard.filter((url) => url === path).length;

/** Many times, until every worker will have been asked. */
async function all(path: string): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: 24 }, () => text(path))));
}

describe("two workers", () => {
  let tern: Appliance;
  test("share what is on disk, and a purge holds in both at once", async () => {
    tern = await appliance((dir) => config(dir));
    const first = await text("/news/1");
    await Bun.sleep(50);
    expect(await all("/news/1")).toEqual(new Set([first]));
    expect(asked("/news/1")).toBe(1);
    expect(await (await get("/news/1", { method: "PURGE" })).json()).toEqual({
      purged: expect.any(Number),
    });
    await Bun.sleep(50);
    const second = await text("/news/1");
    expect(second).not.toBe(first);
    await Bun.sleep(50);
    expect(await all("/news/1")).toEqual(new Set([second]));
  });

  test.each([
    { words: ["--tag", "news"], gone: ["/news/a"], left: ["/other"] },
    { words: ["--prefix", `127.0.0.1:${port}/oth`], gone: ["/other"], left: ["/news/a"] },
    { words: [`http://127.0.0.1:${port}/other`], gone: ["/other"], left: ["/news/a"] },
    { words: ["--all"], gone: ["/other", "/news/a"], left: [] },
  ])("tern cache purge $words", async ({ words, gone, left }) => {
    const before = new Map<string, string>();
    for (const path of [...gone, ...left]) {
      await all(path);
      await Bun.sleep(20);
      before.set(path, await text(path));
    }
    const purged = await tern.verb("cache", "purge", ...words);
    expect([purged.code, purged.err]).toEqual([0, ""]);
    await Bun.sleep(50);
    for (const path of left) expect(await all(path)).toEqual(new Set([before.get(path)!]));
    for (const path of gone) expect((await all(path)).has(before.get(path)!)).toBe(false);
  });

  test("tern cache ls and stat", async () => {
    await all("/listed");
    const listed = JSON.parse(
      (await tern.verb("cache", "ls", `127.0.0.1:${port}/listed`, "--json")).out,
    ) as object[];
    expect(listed[0]).toMatchObject({
      proxy: "edge",
      url: `127.0.0.1:${port}/listed`,
      status: 200,
      tags: "all",
    });
    const stat = JSON.parse((await tern.verb("cache", "stat", "--json")).out) as {
      edge: { disk_errors: number; hits: number };
    };
    expect(stat.edge.disk_errors).toBe(0);
    expect(stat.edge.hits).toBeGreaterThan(0);
    expect((await tern.verb("cache", "stat")).out).toContain("edge");
    expect((await tern.verb("cache", "purge")).code).toBe(2);
    expect((await tern.verb("cache", "purge", "--all", "--tag", "x")).code).toBe(2);
    expect((await tern.verb("cache", "purge", "--all", "--proxy", "none")).code).toBe(1);
  });

  test("a reload that changes something else forgets nothing", async () => {
    const before = await text("/kept");
    const file = JSON.parse(await Bun.file(`${tern.dir}/tern.yaml`).text()) as {
      proxy: { edge: object };
    };
    await tern.rewrite({
      ...file,
      proxy: { edge: { ...file.proxy.edge, headers: { response: { "X-New": "1" } } } },
    });
    expect((await tern.verb("reload")).code).toBe(0);
    const got = await get("/kept");
    expect([await got.text(), got.headers.get("x-new")]).toEqual([before, "1"]);
    for (let i = 0; i < 4; i++) expect((await get("/kept")).headers.get("x-new")).toBe("1");
  });

  test("a worker that is killed, and then all of it: what was stored is served", async () => {
    const before = await text("/survives");
    const large = await text("/large?size=3000000");
    await Bun.sleep(100);
    const { workers } = await tern.status();
    process.kill(workers[0]?.pid ?? 0, "SIGKILL");
    await Bun.sleep(500);
    expect(await text("/survives")).toBe(before);
    const dir = tern.dir;
    const file = JSON.parse(await Bun.file(`${dir}/tern.yaml`).text()) as object;
    const pids = (await tern.status()).workers.flatMap(({ pid }) => pid ?? []);
    tern.kill("SIGKILL");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await tern.exited;
    await using again = await appliance(() => file);
    expect(await text("/survives")).toBe(before);
    expect(asked("/survives")).toBe(1);
    expect((await text("/large?size=3000000")) === large).toBe(true);
    expect(asked("/large?size=3000000")).toBe(1);
    expect(
      again.lines.filter(({ message }) => message === "the cache does without its disk for now"),
    ).toEqual([]);
    await tern[Symbol.asyncDispose]();
  });
});

test("killed in the middle of a long body: nobody gets half of it afterwards", async () => {
  const path = "/half?size=6000000";
  stopAt = 4_000_000;
  const tern = await appliance((dir) => config(dir, {}, 1));
  await using _dir = tern;
  const reader = (await get(path)).body?.getReader();
  for (let got = 0; got < 3_900_000;) got += (await reader?.read())?.value?.length ?? 0;
  const directory = `${tern.dir}/cache/proxy-edge/new`;
  await until(() => readdirSync(directory).some((name) => sizeOf(directory, name) > 3_000_000));
  tern.kill("SIGKILL");
  await tern.exited;
  stopAt = Infinity;
  const file = JSON.parse(await Bun.file(`${tern.dir}/tern.yaml`).text()) as object;
  await using _again = await appliance(() => file);
  const before = asked(path);
  expect((await text(path)).length).toBe(6_000_000);
  expect(asked(path)).toBe(before + 1);
  await reader?.cancel().catch(() => {}); // it broke
});

test.each([1, 2])(
  "a thousand connections for one cold page: one request, workers: %d",
  async (n) => {
    slow = 300;
    heard.length = 0;
    await using _tern = await appliance((dir) => config(dir, {}, n));
    const texts = await Promise.all(Array.from({ length: 1000 }, () => text("/cold")));
    slow = 0;
    expect(new Set(texts).size).toBe(1);
    expect(asked("/cold")).toBe(1);
  },
);

test("a page that is large and slow is one request for all, and comes whole", async () => {
  await using _tern = await appliance((dir) => config(dir, {}, 1));
  const bodies = await Promise.all(Array.from({ length: 10 }, () => text("/big?size=5000000")));
  expect(new Set(bodies.map(({ length }) => length))).toEqual(new Set([5_000_000]));
  expect(asked("/big?size=5000000")).toBe(1);
});
