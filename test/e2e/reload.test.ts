import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs start and end, on a machine that may be busy

test.each([{ workers: 1 }, { workers: 2 }])(
  "with $workers worker(s) a reload changes what is served, on the same socket",
  async ({ workers }) => {
    await using tern = await appliance((dir) => siteIn(dir, {}, { workers }));
    const { port } = tern;
    expect((await tern.get("/hello.txt")).headers.get("x-test")).toBeNull();
    await tern.rewrite(siteIn(tern.dir, { headers: { "X-Test": "2" } }, { workers }));
    const reload = await tern.verb("reload");
    expect([reload.code, reload.out]).toEqual([0, "reloaded: web\n"]);
    for (let i = 0; i < 8; i++)
      expect((await tern.get("/hello.txt")).headers.get("x-test")).toBe("2");
    const status = await tern.status();
    expect([status.listeners[0]?.port, status.generation]).toEqual([port, 2]);
  },
);

test.each([
  { story: "words that are no YAML", config: "web: [", err: "tern.yaml:" },
  { story: "an unknown key", config: "wbe: {}", err: 'did you mean "web"' },
  { story: "a root that is gone", config: undefined, err: "web.site.root" },
])("$story: nothing changes, and the caller hears why", async ({ config, err }) => {
  await using tern = await appliance((dir) => siteIn(dir, {}, { workers: 2 }));
  const bad = siteIn(tern.dir, { root: join(tern.dir, "gone") }, { workers: 2 });
  await tern.rewrite(config ?? bad);
  const reload = await tern.verb("reload", "--socket", join(tern.dir, "var", "tern.sock"));
  expect(reload.code).toBe(1);
  expect(reload.err).toContain(err);
  expect(reload.err).toContain("the config before stays in force");
  expect((await tern.get("/hello.txt")).status).toBe(200);
  // SIGHUP says the same to the log.
  tern.kill("SIGHUP");
  await tern.logged("reload refused: the config before stays in force", 2);
  expect((await tern.get("/hello.txt")).status).toBe(200);
});

test("the number of workers changes live", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const workers = async (): Promise<number> => (await tern.status()).workers.length;
  for (const count of [3, 2, 1]) {
    await tern.rewrite(siteIn(tern.dir, {}, { workers: count }));
    expect((await tern.verb("reload")).code).toBe(0);
    expect(await workers()).toBe(count);
    expect((await tern.get("/hello.txt")).status).toBe(200);
  }
});

test("fewer and more workers under load: no connection is lost", async () => {
  const withWorkers = (dir: string, workers: number): object => siteIn(dir, {}, { workers });
  await using tern = await appliance((dir) => withWorkers(dir, 4));
  const failures: string[] = [];
  let served = 0;
  let over = false;
  // New connections all the time: some always wait in a backlog.
  const client = async (): Promise<void> => {
    while (!over) {
      try {
        const answer = await fetch(`http://127.0.0.1:${tern.port}/hello.txt`, { keepalive: false });
        if ((await answer.text()) !== "hello\n") failures.push(`${answer.status}`);
        served++;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: 16 }, client);
  for (const count of [1, 3, 2]) {
    await tern.rewrite(withWorkers(tern.dir, count));
    expect(await tern.verb("reload")).toMatchObject({ code: 0 });
    // Until those before are gone, with all that they held.
    await until(async () => (await tern.status()).workers.length === count);
    await Bun.sleep(700);
  }
  over = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(500);
});

test("an access log is begun, moved away and ended while it runs", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const file = join(tern.dir, "access.log");
  const lines = async (path: string): Promise<number> =>
    (await Bun.file(path).exists()) ? (await Bun.file(path).text()).split("\n").length - 1 : 0;
  await tern.get("/hello.txt?not-logged");
  await tern.rewrite(siteIn(tern.dir, {}, { access_log: { file } }));
  expect((await tern.verb("reload")).out).toBe("reloaded: access_log\n");
  await tern.get("/hello.txt?1");
  await until(async () => (await lines(file)) === 1);

  await Bun.$`mv ${file} ${file}.old`.quiet();
  tern.kill("SIGUSR1");
  await tern.logged("log files opened again");
  await tern.get("/hello.txt?2");
  await until(async () => (await lines(file)) === 1 && (await lines(`${file}.old`)) === 1);

  await tern.rewrite(siteIn(tern.dir));
  await tern.verb("reload");
  await tern.get("/hello.txt?3");
  await Bun.sleep(50);
  expect(await lines(file)).toBe(1);
});

test("what a reload cannot change is said", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  await tern.rewrite(siteIn(tern.dir, {}, { log: { format: "json" }, user: "nobody" }));
  const { out } = await tern.verb("reload");
  expect(out).toContain("needs a restart: user\n");
  expect(out).toContain("needs a restart: log.format\n");
});
