import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { appliance, siteIn, TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs start and end, on a machine that may be busy

test("it serves, says where, and tells its status", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const answer = await tern.get("/hello.txt");
  expect([answer.status, await answer.text()]).toEqual([200, "hello\n"]);
  const status = await tern.status();
  expect(status).toMatchObject({ state: "serving", pid: tern.pid, generation: 1 });
  expect(status.listeners).toMatchObject([{ port: tern.port, sites: ["web.site"], requests: 1 }]);
  expect(status.workers).toMatchObject([{ index: 0, pid: tern.pid, state: "serving" }]);
  expect((await tern.verb("status")).out).toContain("web.site");
});

test("its state is its own: the directory, the pid file, the socket", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const state = join(tern.dir, "var");
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  expect([mode(state), mode(join(state, "tern.sock"))]).toEqual(["700", "600"]);
  expect(readFileSync(join(state, "tern.pid"), "utf8")).toBe(`${tern.pid}\n`);

  const stop = await tern.verb("stop");
  expect([stop.code, stop.out]).toEqual([0, "stopped\n"]);
  expect(await tern.exited).toBe(0);
  expect(statSync(join(state, "tern.sock"), { throwIfNoEntry: false })).toBeUndefined();
  expect(statSync(join(state, "tern.pid"), { throwIfNoEntry: false })).toBeUndefined();
});

test("a second one on the same socket is refused", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  const second = await tern.verb("run");
  expect(second.code).toBe(1);
  expect(second.err).toContain("tern is running already");
});

test("a socket that a crash has left does not stop the next one", async () => {
  await using tern = await appliance((dir) => siteIn(dir));
  tern.kill("SIGKILL");
  await tern.exited;
  await Bun.write(join(tern.dir, "again.yaml"), await Bun.file(`${tern.dir}/tern.yaml`).text());
  await using next = await appliance(() => siteIn(tern.dir));
  expect((await next.get("/hello.txt")).status).toBe(200);
});

test.each([
  {
    story: "a port that is taken",
    config: (dir: string, port: number) =>
      siteIn(dir, { listen: `127.0.0.1:${port}`, socket: { reuse_port: false } }),
    err: "another program listens there",
  },
  {
    story: "a root that is not there",
    config: (dir: string) => siteIn(dir, { root: join(dir, "nothing") }),
    err: "web.site.root",
  },
  {
    story: "two of the same admin port",
    config: (dir: string, port: number) =>
      siteIn(dir, {}, { admin: { listen: `127.0.0.1:${port}` } }),
    err: "admin: cannot listen on",
  },
  { story: "a wrong key", config: () => ({ workerz: 1 }), err: 'did you mean "workers"' },
])("$story is one clear error and exit code 1", async ({ config, err }) => {
  await using dir = await temporary();
  await Bun.write(join(dir.path, "www", "x"), "");
  using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  await Bun.write(join(dir.path, "tern.yaml"), JSON.stringify(config(dir.path, taken.port ?? 0)));
  const run = await said([...TERN, "run", "-c", join(dir.path, "tern.yaml")]);
  expect(run.code).toBe(1);
  expect(run.err).toContain(err);
  expect(run.err).not.toContain(".ts:");
});

test("tern web serves a directory with no file", async () => {
  await using dir = await temporary();
  await Bun.write(join(dir.path, "a.txt"), "a");
  const child = Bun.spawn([...TERN, "web", dir.path, "--listen", "127.0.0.1:0", "--autoindex"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    let log = "";
    for await (const chunk of child.stderr) {
      log += new TextDecoder().decode(chunk);
      if (log.includes('"serving"')) break;
    }
    const port = /"port":(\d+)/.exec(log)?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}/a.txt`)).text()).toBe("a");
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain("a.txt");
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
});

const asRoot = process.geteuid?.() === 0;
if (!asRoot) console.warn("SKIPPED: dropping privileges can only be tested as root"); // oxlint-disable-line no-console -- skipped loudly

test.skipIf(!asRoot).each([{ workers: 1 }, { workers: 2 }])(
  "started as root it becomes its user, and can still bind low ports ($workers worker(s))",
  async ({ workers }) => {
    const low = 997;
    const site = (dir: string, port: number) =>
      siteIn(
        dir,
        { listen: `127.0.0.1:${port}` },
        { workers, user: "nobody", access_log: { file: join(dir, "logs", "access.log") } },
      );
    await using tern = await appliance((dir) => {
      chmodSync(dir, 0o711);
      return site(dir, 0);
    });
    const status = await tern.status();
    expect(status.user).toBe("nobody");
    const ids = (pid = 0): string =>
      /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
    const nobody = statSync(join(tern.dir, "var")).uid;
    expect(nobody).not.toBe(0);
    for (const pid of [tern.pid, ...status.workers.map((w) => w.pid)])
      expect(ids(pid)).toBe(`${nobody}\t${nobody}\t${nobody}\t${nobody}`);

    await tern.rewrite(site(tern.dir, low));
    const reload = await tern.verb("reload");
    expect([reload.code, reload.err]).toEqual([0, ""]);
    expect((await fetch(`http://127.0.0.1:${low}/hello.txt`)).status).toBe(200);
    expect((await tern.verb("upgrade")).err).toBe("");
    expect((await fetch(`http://127.0.0.1:${low}/hello.txt`)).status).toBe(200);
    expect((await tern.status()).user).toBe("nobody");
    const log = join(tern.dir, "logs", "access.log");
    await until(async () => (await Bun.file(log).text()).split("\n").length === 3);
  },
);
