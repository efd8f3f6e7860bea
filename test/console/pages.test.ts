import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import type { Browser } from "playwright-core";

import { PASSWORD } from "../admin/fake-deps.ts";
import { type FakeApi, fakeApi } from "../fake/console-api.ts";
import { CHROMIUM, launch, type Look, visit } from "./browser.ts";

setDefaultTimeout(60_000);
const inBrowser = test.skipIf(CHROMIUM === undefined);

const PAGES = [
  { name: "overview", at: "#/" },
  { name: "pools", at: "#/pools" },
  { name: "pool", at: "#/pool/app" },
  { name: "balance", at: "#/balance" },
  { name: "balance-service", at: "#/balance/shop" },
  { name: "service", at: "#/service/dns" },
  { name: "events", at: "#/events" },
  { name: "config", at: "#/config" },
  { name: "config-edit", at: "#/config/edit" },
  { name: "config-diff", at: "#/config/diff" },
  { name: "users", at: "#/users" },
] as const;
const LOOKS: readonly Required<Look>[] = [
  { scheme: "light", device: "desk" },
  { scheme: "dark", device: "desk" },
  { scheme: "light", device: "phone" },
  { scheme: "dark", device: "phone" },
];
/** Long enough for some figures to be drawn. */
const WATCH_MS = 4000;

let browser: Browser;
let api: FakeApi;
beforeAll(async () => {
  if (CHROMIUM === undefined) return;
  browser = await launch();
  api = fakeApi();
});
afterAll(async () => {
  await browser?.close();
  await api?.[Symbol.asyncDispose]();
});

inBrowser.each(LOOKS)("every page in $scheme on a $device: drawn, for everybody", async (look) => {
  await using seat = await visit(browser, api.url, look);
  await seat.shot("login");
  expect(await seat.barriers()).toEqual([]);
  await seat.logIn("ann", PASSWORD.ann);
  await seat.page.waitForTimeout(WATCH_MS);
  for (const { name, at } of PAGES) {
    await seat.go(at);
    await seat.page.waitForTimeout(300); // what it asks for has come
    await seat.shot(name);
    expect({ name, overflow: await seat.overflow() }).toEqual({ name, overflow: 0 });
    expect({ name, barriers: await seat.barriers() }).toEqual({ name, barriers: [] });
  }
  expect(seat.wrong).toEqual([]);
  expect(seat.asked.filter((url) => !url.startsWith(api.url) && !url.startsWith("data:"))).toEqual(
    [],
  );
});

inBrowser("dialogs on a phone: they fit, and are for everybody", async () => {
  await using seat = await visit(browser, api.url, { device: "phone" });
  await seat.logIn("ann", PASSWORD.ann);
  await seat.go("#/pool/app");
  for (const name of ["More for web-1", "Add a host", "Down: web-1"]) {
    await seat.page.getByRole("button", { name }).click();
    await seat.page.getByRole("dialog").waitFor();
    await seat.shot(`dialog-${name.replaceAll(/\W+/g, "-").toLowerCase()}`);
    expect({ name, barriers: await seat.barriers() }).toEqual({ name, barriers: [] });
    await seat.page.keyboard.press("Escape");
    await seat.page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await seat.page.getByRole("button", { name: "Menu" }).click();
  await seat.page.getByRole("link", { name: "Events" }).waitFor();
  await seat.shot("menu");
  expect(await seat.barriers()).toEqual([]);
});
