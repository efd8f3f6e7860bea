import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";

import type { Browser } from "playwright-core";

import { PASSWORD } from "../admin/fake-deps.ts";
import { type FakeApi, fakeApi } from "../fake/console-api.ts";
import { CHROMIUM, launch, type Visit, visit } from "./browser.ts";

setDefaultTimeout(60_000);

let browser: Browser;
let api: FakeApi;
let seat: Visit;
beforeAll(async () => {
  if (CHROMIUM !== undefined) browser = await launch();
});
afterAll(() => browser?.close());

describe.skipIf(CHROMIUM === undefined)("the console", () => {
  beforeEach(async () => {
    api = fakeApi();
    seat = await visit(browser, api.url);
  });
  afterEach(async () => {
    const { wrong } = seat;
    await seat[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    expect(wrong).toEqual([]);
  });

  test("a wrong password is said; the right one leads to where the address points", async () => {
    const { page } = seat;
    await page.evaluate(() => (location.hash = "#/events"));
    await page.getByLabel("Name").fill("ann");
    await page.getByLabel("Password").fill("guess");
    await page.keyboard.press("Enter");
    await page.getByText("No user has this name and password.").waitFor();
    await seat.logIn("ann", PASSWORD.ann);
    await page.getByRole("heading", { name: "Events" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("You have logged out.").waitFor();
    expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(401);
  });

  test("drain goes at once; down is asked about first, and Escape means no", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/pool/app");
    await page.getByRole("button", { name: "Drain: web-1" }).click();
    await page.getByText("web-1 is draining").waitFor();
    await page.getByText("2 changes are in force").waitFor();
    await page.getByRole("button", { name: "Down: web-2" }).click();
    await page.getByRole("heading", { name: "Take down web-2?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(api.done).toEqual(['pools state {"pool":"app","host":"web-1","to":"drain"}']);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved to the file.").waitFor();
    await page.getByText("are in force and not in the file").waitFor({ state: "detached" });
  });

  test("groups are switched after a question, by keys alone", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/balance/shop");
    await page.getByRole("button", { name: "Switch to upgrade" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Give shop to upgrade?" }).waitFor();
    // The safe answer has the focus; the next key stop is the other one.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cancel");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Switch to main" }).waitFor();
    expect(api.done).toContain('balance enable {"service":"shop","group":"upgrade"}');
  });

  test("a host is added by the form its schema makes; what is missing is said beside it", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/pool/app");
    await page.getByRole("button", { name: "Add a host" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByText("This is needed").waitFor();
    await dialog.getByLabel("Address").fill("10.0.0.4:8080");
    await dialog.getByText("More, all optional").click();
    await dialog.getByLabel("Weight").fill("3");
    await dialog.getByLabel("Backup").selectOption("yes");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("10.0.0.4:8080 is added.").waitFor();
    expect(api.done).toEqual([
      'pools add-host {"pool":"app","address":"10.0.0.4:8080","weight":3,"backup":true}',
    ]);
  });

  test("a mistake is marked where it is; what is right is put in force", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/config/edit");
    const text = page.getByLabel("The config", { exact: true });
    const apply = page.getByRole("button", { name: "Apply" });
    expect(await apply.isDisabled()).toBe(true);
    await text.fill((await text.inputValue()).replace("root: ./www", "rooot: ./www"));
    const problem = page.getByRole("button", { name: /35:5.*unknown key "rooot"/ });
    await problem.waitFor();
    expect(await apply.isDisabled()).toBe(true);
    expect(await page.locator(".gutter .bad").textContent()).toBe("35");
    await problem.click();
    await page.keyboard.type("root"); // over the word, which is selected
    await page.getByText("As it runs").waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.keyboard.type("autoindex: true"); // as far in as the line before
    await page.getByText("No problems").waitFor();
    await apply.click();
    await page.getByText("In force, in all workers.").waitFor();
    expect(api.model.text.running).toContain("    root: ./www\n    autoindex: true\n");
    await page.getByText("As it runs").waitFor();
  });

  test("a draft that others have overtaken is not applied", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/config/edit");
    const text = page.getByLabel("The config", { exact: true });
    await text.fill(`${await text.inputValue()}# mine\n`);
    api.model.text.put(`${api.model.text.running}# theirs\n`, "the whole config", "bob");
    await page.getByText("Somebody else has changed the config").waitFor();
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("changed meanwhile").waitFor();
    await page.getByRole("button", { name: "Start over" }).click();
    await page.waitForFunction(() =>
      document.querySelector("textarea")?.value.endsWith("# theirs\n"),
    );
  });

  test("who may only look sees everything and touches nothing", async () => {
    const { page } = seat;
    await seat.logIn("bob", PASSWORD.bob);
    await page.getByText("bob may look, not change.").waitFor();
    for (const at of [
      "#/pool/app",
      "#/balance/shop",
      "#/service/dns",
      "#/users",
      "#/config/edit",
    ]) {
      await seat.go(at);
      await page.waitForTimeout(200);
      const loose = await page
        .locator("main :is(button, input, select, textarea):not(:disabled)")
        .evaluateAll((all) => all.map((one) => one.outerHTML));
      expect({ at, loose }).toEqual({ at, loose: [] });
    }
    // The page is not what forbids it.
    const status = await page.evaluate(async () => {
      const me = (await (await fetch("/api/v1/me")).json()) as { csrf: string };
      const path = "/api/v1/services/pools/changes/state";
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": me.csrf };
      const body = JSON.stringify({ pool: "app", host: "web-1", to: "down" });
      return (await fetch(path, { method: "POST", headers, body })).status;
    });
    expect([status, api.done]).toEqual([403, []]);
  });

  test("markup in names and in what happened is text", async () => {
    const { page } = seat;
    const evil = `<img src=x onerror="window.hit=1">"'&lt;`;
    const { model } = api;
    const [web] = Object.values(model.pools["app"]?.hosts ?? {});
    if (!web) throw new Error("the model has hosts");
    model.pools[evil] = {
      scheduler: evil,
      sticky: evil,
      queued: 1,
      hosts: { [evil]: { ...web, why: evil, address: evil } },
    };
    model.web[evil] = { [evil]: evil };
    model.balance[evil] = { ...model.balance["shop"]!, listen: evil, enabled: evil, groups: evil };
    api.say(evil, { [evil]: evil });
    await seat.logIn("ann", PASSWORD.ann);
    const name = encodeURIComponent(evil);
    for (const at of [
      "#/",
      "#/pools",
      `#/pool/${name}`,
      "#/balance",
      `#/balance/${name}`,
      "#/service/web",
      "#/events",
      "#/config",
      `#/pool/${name}x`,
    ]) {
      await seat.go(at);
      await page.waitForTimeout(150);
      expect(await page.locator('img, [onerror], script:not([src^="/console/"])').count()).toBe(0);
    }
    await seat.go(`#/pool/${name}`);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(evil);
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
  });

  test("a session that is over leads to the login, and back to where it was", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/pool/app");
    api.expire();
    await page.getByText("Your session has ended.").waitFor();
    await seat.shot("expired");
    api.expire(false);
    await seat.logIn("ann", PASSWORD.ann);
    await page.getByRole("heading", { name: "app", exact: true }).waitFor();
  });

  test("a line that breaks is said to be broken, and mended", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    api.cut(true);
    await page.getByText("The line to the server is lost").waitFor();
    await page.getByText(/Trying again in \d+ s/).waitFor();
    api.say("meanwhile", {});
    api.cut(false);
    await page.getByText("The line to the server is lost").waitFor({ state: "detached" });
    await seat.go("#/events");
    await page.getByText("meanwhile").waitFor();
    expect(await page.getByText("meanwhile").count()).toBe(1);
  });

  test("events are searched by any of their words", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/events");
    await page.getByLabel("Search").fill("server=10.0.0.3 down");
    await page.getByText("1 shown").waitFor();
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Level").selectOption("error");
    await page.getByText("1 shown").waitFor();
    await page.getByText("a server is down").waitFor();
  });

  test("the appearance is chosen, and kept for the next visit", async () => {
    const { page } = seat;
    const background = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByTitle("Dark").click();
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForSelector("h1");
    expect(await background()).toBe(dark);
  });

  test("a counter is drawn by how fast it grows, a level as it is", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/service/dns");
    const legend = (title: string) =>
      page.locator("figure.chart", { hasText: title }).locator(".legend");
    await legend("Queries").first().getByText("growing by").waitFor();
    await legend("Cache, names").getByText("now").waitFor();
    expect(await legend("Cache, names").textContent()).not.toContain("/s");
  });

  test("an action is asked by its form, and its answer shown", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/service/dns");
    await page.locator("summary", { hasText: "state" }).click();
    await page.getByRole("button", { name: "State" }).click();
    await page
      .getByRole("region", { name: "Answer of state" })
      .getByText("www.example.net")
      .waitFor();
    expect(api.done).toEqual(["dns state {}"]);
  });

  test("users are let in, changed and removed", async () => {
    const { page } = seat;
    await seat.logIn("ann", PASSWORD.ann);
    await seat.go("#/users");
    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("cy");
    await page.getByRole("dialog").getByLabel("Password").fill("long enough");
    await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
    await page.getByText("cy may come in.").waitFor();
    await page.getByRole("button", { name: "Remove cy" }).click();
    await page.getByRole("button", { name: "Remove the user" }).click();
    await page.getByText("cy is removed.").waitFor();
    await page.getByRole("rowheader", { name: "cy" }).waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "Remove ann" }).isDisabled()).toBe(true);
  });
});
