import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import type { Browser } from "playwright-core";

import { type Appliance, appliance, until } from "../e2e/from-source.ts";
import { freePort } from "../fake/ports.ts";
import { CHROMIUM, launch, type Visit, visit } from "./browser.ts";

setDefaultTimeout(60_000);

/** As cheap as argon2id can be. */
const CHEAP = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;
const PASSWORD = "correct horse battery";

/** A server that says its name, and how often it was asked. */
function backend(name: string): { readonly port: number; asked: number; stop(): Promise<void> } {
  const me = {
    port: 0,
    asked: 0,
    stop: () => server.stop(true),
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      me.asked++;
      return new Response(name);
    },
  });
  me.port = server.port ?? 0;
  return me;
}

/** Clients that come and go, four at a time, until stopped. */
function load(url: () => string): { readonly failed: string[]; done(): Promise<number> } {
  const failed: string[] = [];
  let going = true;
  let served = 0;
  const client = async (): Promise<void> => {
    while (going) {
      try {
        const answer = await fetch(url(), { headers: { Connection: "close" } });
        await answer.text();
        if (answer.status === 200) served++;
        else failed.push(String(answer.status));
      } catch (error) {
        failed.push(String(error));
      }
      await Bun.sleep(5);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  return {
    failed,
    done: async () => {
      going = false;
      await Promise.all(clients);
      return served;
    },
  };
}

describe.skipIf(CHROMIUM === undefined)("the console of a tern that runs", () => {
  let browser: Browser;
  let tern: Appliance;
  let url = "";
  let balanced = 0;
  const [a, b, c] = [backend("a"), backend("b"), backend("c")];

  beforeAll(async () => {
    browser = await launch();
    const hash = await Bun.password.hash(PASSWORD, CHEAP);
    balanced = await freePort();
    tern = await appliance(
      (dir) => `# The shop's edge
workers: 2
state: ${dir}/var

admin:
  listen: 127.0.0.1:0
  users:
    - { name: ann, password: "${hash}", access: full } # on call
    - { name: bob, password: "${hash}", access: readonly }

pools:
  app:
    scheduler: roundrobin
    hosts:
      - { name: web-a, address: "127.0.0.1:${a.port}" }
      - { name: web-b, address: "127.0.0.1:${b.port}" }
  next:
    hosts:
      - { name: web-c, address: "127.0.0.1:${c.port}" }

balance:
  shop:
    listen: 127.0.0.1:${balanced}
    groups:
      main: { pool: app }
      upgrade: { pool: next }
    enable: main

web:
  site: { listen: "127.0.0.1:0", root: ${dir}/www }
`,
    );
    const { admin } = await tern.status();
    url = `http://${admin.find((address) => !address.startsWith("unix:"))}`;
  });
  afterAll(async () => {
    await browser?.close();
    await tern?.[Symbol.asyncDispose]();
    await Promise.all([a, b, c].map((one) => one.stop()));
  });

  const ask = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${balanced}/`, { headers: { Connection: "close" } })).text();
  const enter = async (name: string): Promise<Visit> => {
    const seat = await visit(browser, url);
    await seat.logIn(name, PASSWORD);
    return seat;
  };

  test("a host is drained under load, and no client notices", async () => {
    await using seat = await enter("ann");
    const { page } = seat;
    await seat.go("#/pool/app");
    const clients = load(() => `http://127.0.0.1:${balanced}/`);
    await until(() => a.asked > 20 && b.asked > 20);
    await page.getByRole("button", { name: "Drain: web-a" }).click();
    await page.getByText("web-a is draining").waitFor();
    await Bun.sleep(300); // who was on their way has arrived
    const [before, others] = [a.asked, b.asked];
    await until(() => b.asked > others + 50);
    expect(a.asked).toBe(before);
    await page.getByRole("button", { name: "Ready: web-a" }).click();
    await until(() => a.asked > before + 20);
    await seat.shot("real-pool");
    expect(await clients.done()).toBeGreaterThan(100);
    expect(clients.failed).toEqual([]);
    expect(seat.wrong).toEqual([]);
  });

  test("a group is switched, and switched back", async () => {
    await using seat = await enter("ann");
    const { page } = seat;
    await seat.go("#/balance/shop");
    expect(["a", "b"]).toContain(await ask());
    await page.getByRole("button", { name: "Switch to upgrade" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Switch to upgrade" }).click();
    await page.getByText("shop goes to upgrade.").waitFor();
    expect(await ask()).toBe("c");
    await page.getByRole("button", { name: "Switch to main" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Switch to main" }).click();
    await page.getByText("shop goes to main.").waitFor();
    expect(["a", "b"]).toContain(await ask());
    await seat.shot("real-balance");
  });

  test("the config is broken, mended, put in force and saved; secrets stay", async () => {
    await using seat = await enter("ann");
    const { page } = seat;
    await seat.go("#/config/edit");
    const text = page.getByLabel("The config", { exact: true });
    await page.waitForFunction(() => (document.querySelector("textarea")?.value ?? "") !== "");
    const running = await text.inputValue();
    expect(running).not.toContain("$argon2id$");
    await text.fill(running.replace("roundrobin", "roundrobbin"));
    const problem = page.locator(".problems button").first();
    await problem.waitFor();
    const said = (await problem.textContent()) ?? "";
    expect(said).toContain("pools.app.scheduler");
    const line = Number(/^(\d+):/.exec(said)?.[1]);
    expect(running.split("\n")[line - 1]).toContain("roundrobin");
    expect(await page.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await seat.shot("real-config-wrong");

    await text.fill(running.replace("roundrobin", "leastconns"));
    await page.getByText("No problems").waitFor();
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("In force, in all workers.").waitFor();
    await seat.go("#/config/diff");
    await page.locator(".d-in", { hasText: "leastconns" }).waitFor();
    await seat.shot("real-diff");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved to the file.").waitFor();
    const file = await Bun.file(`${tern.dir}/tern.yaml`).text();
    expect(file).toContain("leastconns");
    expect(file).toContain("$argon2id$");
    expect(file).toContain("# on call");
    expect((await tern.verb("check")).code).toBe(0);
  });

  test("every service shows its figures without a page of its own", async () => {
    await using seat = await enter("bob");
    await tern.get("/hello.txt");
    for (const at of [
      "#/",
      "#/service/web",
      "#/pool/app",
      "#/balance/shop",
      "#/events",
      "#/users",
    ]) {
      await seat.go(at);
      await seat.page.waitForTimeout(1200);
      await seat.shot(`real-readonly-${at.replaceAll(/\W+/g, "-")}`);
    }
    await seat.go("#/events");
    await seat.page.getByText("login", { exact: true }).first().waitFor();
    expect(seat.wrong).toEqual([]);
  });

  test("a password changed elsewhere ends the session", async () => {
    await using seat = await enter("bob");
    await using admin = await enter("ann");
    await admin.go("#/users");
    await admin.page.getByRole("button", { name: "Change bob" }).click();
    await admin.page.getByRole("dialog").getByLabel("Password").fill("another password");
    await admin.page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await admin.page.getByText("bob is changed.").waitFor();
    await seat.page.getByText("Your session has ended.").waitFor();
  });
});
