/** A large file of nginx in slices: what clients get, what nginx is asked for, and what it costs. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { accepts, freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { appliance, until } from "./from-source.ts";
import { residentBytes } from "./process-facts.ts";

setDefaultTimeout(90_000); // several programs, on a machine that may be busy

const MB = 2 ** 20;
const BIG = 240 * MB + 12_345;
const missing = ["nginx", "curl"].filter((name) => Bun.which(name) === null);
if (missing.length > 0) process.stderr.write(`SKIPPED: no ${missing.join(", ")}\n`);

test.skipIf(missing.length > 0)("a film", async () => {
  await using dir = await temporary();
  const film = new Uint8Array(BIG);
  for (let at = 0; at < BIG; at += 65_536)
    crypto.getRandomValues(film.subarray(at, Math.min(BIG, at + 65_536)));
  writeFileSync(join(dir.path, "film"), film);
  const origin = await freePort();
  const log = join(dir.path, "access.log");
  await Bun.write(
    join(dir.path, "nginx.conf"),
    `daemon off; user root; pid ${dir.path}/pid; error_log ${dir.path}/error.log; events {} http {
     log_format l '$status $http_range'; access_log ${log} l;
     server { listen 127.0.0.1:${origin}; root ${dir.path}; add_header Cache-Control max-age=600; } }`,
  );
  const nginx = Bun.spawn(["nginx", "-c", join(dir.path, "nginx.conf"), "-p", dir.path], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  await using _ = { [Symbol.asyncDispose]: async () => void (nginx.kill(), await nginx.exited) };
  await until(() => accepts(origin));
  const port = await freePort();
  await using tern = await appliance((home) => ({
    workers: 1,
    state: `${home}/var`,
    admin: { listen: [] },
    pools: { app: { hosts: [`127.0.0.1:${origin}`] } },
    proxy: {
      edge: {
        listen: `127.0.0.1:${port}`,
        routes: [{ pool: "app" }],
        cache: { slice: "1MiB", memory: "16MiB", disk: `${home}/cache` },
      },
    },
  }));
  const url = `http://127.0.0.1:${port}/film`;
  const asked = (): string[] => readFileSync(log, "utf8").trim().split("\n");
  const part = async (from: number, to: number): Promise<Response> =>
    fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` } });

  // A jump far into it: the slices that takes, and no more.
  const middle = await part(30 * MB - 10, 30 * MB + 10);
  expect(middle.status).toBe(206);
  expect(Buffer.compare(await middle.bytes(), film.subarray(30 * MB - 10, 30 * MB + 10))).toBe(0);
  await until(() => asked().length === 2);
  expect(asked()).toEqual([29, 30].map((i) => `206 bytes=${i * MB}-${(i + 1) * MB - 1}`));

  // All of it, through clients that take it slowly: memory does not hold it.
  const before = residentBytes(tern.pid);
  const rates = ["40M", "50M", "60M"].map((rate) =>
    said(["sh", "-c", `curl -sS --limit-rate ${rate} ${url} | sha256sum`]),
  );
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, residentBytes(tern.pid))), 20);
  const sum = new Bun.CryptoHasher("sha256").update(film).digest("hex");
  for (const got of await Promise.all(rates)) expect(got.out.split(" ")[0]).toBe(sum);
  clearInterval(watch);
  // Code that runs for the first time, 16 MB of cache and what is not collected yet, however long the film is.
  expect((most - before) / MB).toBeLessThan(100);
  await Bun.sleep(100);
  expect(asked().toSorted()).toEqual([...new Set(asked())].toSorted()); // each slice once
  expect(asked()).toHaveLength(241);

  // Anywhere, without a word to nginx.
  for (let i = 0; i < 40; i++) {
    const from = Math.floor(Math.random() * BIG);
    const to = Math.min(BIG, from + 1 + Math.floor(Math.random() * 3 * MB));
    const got = await part(from, to);
    expect(got.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/${BIG}`);
    expect(got.headers.get("cache-status")).toMatch(/^tern; hit;/);
    expect(Buffer.compare(await got.bytes(), film.subarray(from, to))).toBe(0);
  }
  expect(asked()).toHaveLength(241);

  // A purge of its URL is one of all of it.
  expect((await tern.verb("cache", "purge", `127.0.0.1:${port}/film`)).code).toBe(0);
  await (await part(0, 10)).bytes();
  await until(() => asked().length === 242);
  expect(tern.lines.filter(({ level }) => level === "error")).toEqual([]);
});
