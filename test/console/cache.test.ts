import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import type { Browser } from "playwright-core";

import { type Appliance, appliance, until } from "../e2e/from-source.ts";
import { freePort } from "../fake/ports.ts";
import { CHROMIUM, launch, visit } from "./browser.ts";

setDefaultTimeout(90_000);

/** As cheap as argon2id can be. */
const CHEAP = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;
const PASSWORD = "correct horse battery";

describe.skipIf(CHROMIUM === undefined)("the console, and the cache of a proxy", () => {
  let browser: Browser;
  let tern: Appliance;
  let url = "";
  let front = "";
  let asked = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(`page ${++asked}`, { headers: { "Cache-Control": "max-age=600" } }),
  });

  beforeAll(async () => {
    browser = await launch();
    const password = await Bun.password.hash(PASSWORD, CHEAP);
    const port = await freePort();
    front = `http://127.0.0.1:${port}`;
    tern = await appliance((dir) => ({
      workers: 2,
      state: `${dir}/var`,
      admin: { listen: "127.0.0.1:0", users: [{ name: "ann", password, access: "full" }] },
      pools: { app: { hosts: [`127.0.0.1:${server.port}`] } },
      proxy: {
        edge: {
          listen: `127.0.0.1:${port}`,
          routes: [{ pool: "app" }],
          cache: { disk: `${dir}/cache`, slice: "1MiB" },
        },
      },
    }));
    const { admin } = await tern.status();
    url = `http://${admin.find((address) => !address.startsWith("unix:"))}`;
  });
  afterAll(async () => {
    await browser?.close();
    await tern?.[Symbol.asyncDispose]();
    await server.stop(true);
  });

  const get = async (path: string): Promise<string> =>
    (await fetch(front + path, { headers: { Connection: "close" } })).text();

  test("figures are there, and a purge by a form is one", async () => {
    const first = await get("/news");
    await until(async () => (await get("/news")) === first);
    await using seat = await visit(browser, url);
    await seat.logIn("ann", PASSWORD);
    const { page } = seat;
    await seat.go("#/service/proxy");
    const main = page.locator("main");
    for (const figure of ["Hits", "Misses", "Stored", "Slices", "Memory", "Disk entries"])
      expect(await main.getByText(figure, { exact: true }).count()).toBe(1);
    await main.getByText("purge", { exact: true }).click();
    await main.getByLabel(/^URL/i).first().fill(`${front}/news`);
    await seat.shot("real-cache");
    expect(await seat.overflow()).toBe(0);
    expect(await seat.barriers()).toEqual([]);
    await main.getByRole("button", { name: /purge/i }).click();
    await until(async () => (await get("/news")) !== first);
    await seat.shot("real-cache-purged");
    expect(seat.wrong).toEqual([]);
  });
});
