import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { Attempts } from "../../src/admin/attempts.ts";
import { type App, basic, caller, fakeDeps, PASSWORD, postJson } from "./fake-deps.ts";

describe("Attempts", () => {
  /** Fail `times`, each as soon as it is allowed; the waits. */
  function waits(
    times: number,
    address: (n: number) => string,
    name: (n: number) => string,
  ): number[] {
    const attempts = new Attempts();
    let now = 0;
    return Array.from({ length: times }, (_, n) => {
      const wait = attempts.begin(address(n), name(n), now);
      if (wait > 0) {
        now += wait;
        expect(attempts.begin(address(n), name(n), now - 1)).toBe(1);
        expect(attempts.begin(address(n), name(n), now)).toBe(0);
      }
      attempts.failed(address(n), name(n));
      return wait / 1000;
    });
  }

  test("one address: five are free, then the wait doubles up to a quarter of an hour", () => {
    const got = waits(
      18,
      () => "192.0.2.1",
      (n) => `name ${n}`,
    );
    expect(got).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  test("one name from everywhere: its owner never waits longer than half a minute", () => {
    const got = waits(
      13,
      (n) => `192.0.2.${n}`,
      () => "ann",
    );
    expect(got).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test("a whole IPv6 /64 is one address", () => {
    const got = waits(
      7,
      (n) => `2001:db8:0:1::${n + 1}`,
      (n) => `name ${n}`,
    );
    expect(got.slice(5)).toEqual([1, 2]);
    const others = waits(
      7,
      (n) => `2001:db8:0:${n}::1`,
      (n) => `name ${n}`,
    );
    expect(others).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test("an hour without failures and the past is forgotten", () => {
    const attempts = new Attempts();
    for (let n = 0; n < 5; n++) attempts.begin("a", "ann", 0);
    expect(attempts.begin("a", "ann", 999)).toBe(1);
    for (let n = 0; n < 5; n++) expect(attempts.begin("a", "ann", 3_600_000)).toBe(0);
    expect(attempts.begin("a", "ann", 3_600_000)).toBe(1000);
  });

  test("one's own password between guesses at another's buys no guesses", () => {
    const attempts = new Attempts();
    let guesses = 0;
    for (let n = 0; n < 20; n++) {
      if (attempts.begin("a", "ann", 0) === 0) guesses++;
      if (attempts.begin("a", "bob", 0) === 0) attempts.succeeded("a", "bob", 0);
    }
    expect(guesses).toBe(5);
  });

  test("who was here before is not locked out by others who guess, until wrong once", () => {
    const attempts = new Attempts();
    attempts.begin("home", "ann", 0);
    attempts.succeeded("home", "ann", 0);
    for (let n = 0; n < 9; n++) attempts.begin(`bot ${n}`, "ann", 0);
    expect(attempts.begin("elsewhere", "ann", 0)).toBeGreaterThan(0);
    expect(attempts.begin("home", "ann", 0)).toBe(0);
    attempts.failed("home", "ann");
    expect(attempts.begin("home", "ann", 0)).toBeGreaterThan(0);
  });
});

const from = (n: number) => caller("loopback", { client: `192.0.2.${n}` });
const login = (app: App, name: string, password: string, at = 1) =>
  app.request("/api/v1/login", postJson({ name, password }), from(at));
const useBasic = (app: App, name: string, password: string, at = 1) =>
  app.request("/api/v1/me", { headers: { Authorization: basic(name, password) } }, from(at));

describe.each([
  { way: "login", send: login },
  { way: "Basic", send: useBasic },
])("guessing by $way", ({ send }) => {
  test.each(["ann", "nobody-of-that-name"])(
    "%s: refused unseen until the time is over",
    async (name) => {
      const { deps, clock } = fakeDeps();
      const app = adminApp(deps);
      const statuses: number[] = [];
      for (let n = 0; n < 7; n++) statuses.push((await send(app, name, `guess ${n}`)).status);
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);

      // The right one does not help while it is too early; then it does.
      const early = await send(app, "ann", PASSWORD.ann);
      expect([early.status, early.headers.get("retry-after")]).toEqual([429, "1"]);
      await clock.advance(1000);
      expect((await send(app, "ann", PASSWORD.ann)).status).toBe(200);
    },
  );

  test("many at once are no way around", async () => {
    const app = adminApp(fakeDeps().deps);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => send(app, "ann", `guess ${n}`)),
    );
    expect(all.filter((r) => r.status === 401)).toHaveLength(5);
    expect(all.filter((r) => r.status === 429)).toHaveLength(15);
  });

  test("a known name, an unknown one and a wait look the same but for their status", async () => {
    const bodies = async (name: string) => {
      const app = adminApp(fakeDeps().deps);
      const texts: string[] = [];
      for (let n = 0; n < 6; n++) texts.push(await (await send(app, name, "guess")).text());
      return texts;
    };
    expect(await bodies("eve")).toEqual(await bodies("ann"));
  });
});

test("a script that opens ten connections at once with the right password is let in ten times", async () => {
  const app = adminApp(fakeDeps().deps);
  const all = await Promise.all(
    Array.from({ length: 10 }, () => useBasic(app, "ann", PASSWORD.ann)),
  );
  expect(all.map((r) => r.status)).toEqual(Array.from({ length: 10 }, () => 200));
});

test("an unknown name takes as long as a known one", async () => {
  // Hashes that cost something, so that leaving them out would show.
  const hash = await Bun.password.hash("x", {
    algorithm: "argon2id",
    memoryCost: 16_384,
    timeCost: 2,
  });
  const { Secret } = await import("../../src/config/secret.ts");
  const users = [{ name: "ann", password: new Secret(hash), access: "full" } as const];
  const app = adminApp(fakeDeps({ access: () => ({ users, hosts: [] }) }).deps);
  // The best of several, in turns: what else the machine does only ever makes them slower.
  const best = { ann: Infinity, eve: Infinity };
  for (let n = 0; n < 5; n++)
    for (const [name, first] of [
      ["ann", 1],
      ["eve", 100],
    ] as const) {
      const start = performance.now();
      expect((await login(app, name, `guess ${n}`, first + n)).status).toBe(401);
      best[name] = Math.min(best[name], performance.now() - start);
    }
  expect(best.eve / best.ann).toBeGreaterThan(0.3);
  expect(best.eve / best.ann).toBeLessThan(3);
});

test("the log tells of refused logins without what was typed", async () => {
  const { deps, logged } = fakeDeps();
  await login(adminApp(deps), "my-password-by-mistake", "hunter2");
  expect(logged).toEqual([["login refused", { client: "192.0.2.1", waits: false }]]);
});
