import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, siteIn, TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs start, die and are replaced, on a machine that is busy

/** A config as an operator writes it, with a balancer in front of two servers that say their names. */
async function balanced(workers: number) {
  const servers = ["s0", "s1"].map((name) =>
    Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(name) }),
  );
  const listen = await freePort();
  const [s0, s1] = servers.map(({ port }) => port);
  const tern = await appliance(
    (dir) => `# ours
workers: ${workers}
state: ${join(dir, "var")}
admin: { listen: [] }
pools:
  app:            # the app
    hosts:
      - { name: s0, address: "127.0.0.1:${s0}" }  # number 0
      - { name: s1, address: "127.0.0.1:${s1}" }  # number 1
balance:
  web:
    listen: 127.0.0.1:${listen}
    groups: { main: { pool: app } }   # one
    enable: main
`,
  );
  const file = join(tern.dir, "tern.yaml");
  return {
    tern,
    file,
    text: () => readFileSync(file, "utf8"),
    /** Who answers new connections. */
    who: async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 12; i++) {
        const answer = await fetch(`http://127.0.0.1:${listen}/`, { keepalive: false });
        seen.add(await answer.text());
      }
      return [...seen].sort();
    },
    [Symbol.asyncDispose]: async () => {
      await tern[Symbol.asyncDispose]();
      for (const server of servers) await server.stop(true);
    },
  };
}

const drain = (tern: Appliance, host = "s0") =>
  tern.verb("do", "pools", "state", "pool=app", `host=${host}`, "to=drain");

test("a change is in force in all workers, outlives them, and is saved with the comments", async () => {
  await using it = await balanced(2);
  const { tern, file, text, who } = it;
  const before = text();
  chmodSync(file, 0o640);
  expect(await who()).toEqual(["s0", "s1"]);
  const { listeners } = await tern.status();
  expect(listeners).toMatchObject([{ sites: ["balance web"], workers: [0, 1], requests: 12 }]);

  expect(await drain(tern)).toMatchObject({
    code: 0,
    out: "done: pools\n1 not saved to the file: tern diff, tern save\n",
  });
  expect(await who()).toEqual(["s1"]);
  expect(text()).toBe(before);
  expect((await tern.status()).unsaved).toBe(1);

  // A worker that dies is replaced by one that knows of it.
  for (const { pid } of (await tern.status()).workers) process.kill(pid ?? 0, "SIGKILL");
  await until(async () => {
    const { workers } = await tern.status();
    return workers.every((w) => w.state === "serving" && w.restarts === 1);
  });
  expect(await who()).toEqual(["s1"]);

  const diff = await tern.verb("diff");
  expect(diff.code).toBe(1);
  expect(diff.out).toContain('+      - { name: s0, address: "127.0.0.1:');
  expect(diff.err).toContain("not saved: pools state pool=app host=s0 to=drain (");
  const save = await tern.verb("save");
  expect([save.code, save.out]).toEqual([0, `saved to ${file}\n`]);
  expect(text()).toBe(before.replace(/(name: s0, address: "[^"]*")/, "$1, state: drain"));
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect((await tern.status()).unsaved).toBe(0);
  expect(await tern.verb("diff")).toMatchObject({ code: 0, out: "", err: "" });
  expect((await tern.verb("save")).out).toBe(`${file} says it already\n`);
});

test("a reload says what it drops", async () => {
  await using it = await balanced(1);
  const { tern, who } = it;
  await drain(tern);
  expect(await who()).toEqual(["s1"]);
  const reload = await tern.verb("reload");
  expect(reload.out).toMatch(
    /^reloaded: pools\ndropped what was not saved: pools state pool=app host=s0 to=drain \(\w+\)\n$/,
  );
  expect(await who()).toEqual(["s0", "s1"]);
  expect((await tern.status()).unsaved).toBe(0);
});

test.each([{ workers: 1 }, { workers: 2 }])(
  "an upgrade takes unsaved changes along ($workers worker(s))",
  async ({ workers }) => {
    await using it = await balanced(workers);
    const { tern, who, text } = it;
    await drain(tern);
    const before = await tern.status();
    const file = text();
    expect((await tern.verb("upgrade")).code).toBe(0);
    const after = await tern.status();
    expect(after.pid).not.toBe(before.pid);
    expect([after.unsaved, after.generation]).toEqual([1, before.generation + 1]);
    expect(await who()).toEqual(["s1"]);
    expect(text()).toBe(file);
    expect((await tern.verb("diff")).err).toContain("host=s0 to=drain");
    expect((await tern.verb("save")).code).toBe(0);
    expect(text()).toContain("state: drain");
  },
);

test.each([{ workers: 1 }, { workers: 2 }])(
  "an address goes from one service to another and back: everybody is answered ($workers worker(s))",
  async ({ workers }) => {
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("app") });
    const port = await freePort();
    const listen = `127.0.0.1:${port}`;
    await using tern = await appliance((dir) => siteIn(dir, { listen }, { workers }));
    const { web, ...rest } = siteIn(tern.dir, { listen }, { workers }) as { web: object };
    const balance = {
      pools: { app: { hosts: [`127.0.0.1:${server.port}`] } },
      balance: { web: { listen, groups: { main: { pool: "app" } } } },
    };
    const seen: string[] = [];
    let over = false;
    const visitors = (async () => {
      while (!over) {
        const answer = await fetch(`http://${listen}/hello.txt`, { keepalive: false });
        seen.push(await answer.text());
      }
    })();
    for (const sections of [balance, { web }, balance]) {
      await tern.rewrite({ ...rest, ...sections });
      const reload = await tern.verb("reload");
      expect([reload.code, reload.err]).toEqual([0, ""]);
      const says = sections === balance ? "app" : "hello\n";
      await until(() => seen.slice(-5).every((text) => text === says));
    }
    over = true;
    await visitors;
    expect(new Set(seen)).toEqual(new Set(["hello\n", "app"]));
  },
);

test("somebody edits the file meanwhile: both changes are in it, or it is refused", async () => {
  await using it = await balanced(1);
  const { tern, text } = it;
  await drain(tern);
  const theirs = text().replace("# ours", "# ours and theirs\nlog: { level: warn }");
  await tern.rewrite(theirs);
  expect((await tern.verb("diff")).err).toContain("was changed by somebody else");
  const save = await tern.verb("save");
  expect(save.out).toContain("not in force: tern reload");
  expect(text()).toContain("# ours and theirs\nlog: { level: warn }");
  expect(text()).toContain("state: drain");

  await drain(tern, "s1");
  await tern.rewrite("web: {}\n");
  const refused = await tern.verb("save");
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("somebody else has changed the file");
  expect(text()).toBe("web: {}\n");
  expect(
    (await tern.verb("save", "--force", "--socket", join(tern.dir, "var/tern.sock"))).code,
  ).toBe(0);
  expect(text()).toMatch(/s0.*state: drain[^]*s1.*state: drain/);
});

test("what cannot be is refused, and nothing has changed", async () => {
  await using it = await balanced(1);
  const { tern, who } = it;
  const all = [
    { words: ["pools", "remove-pool", "pool=app"], says: /balance|uses/ },
    { words: ["pools", "state", "pool=ap", "host=s0", "to=drain"], says: /no pool "ap"/ },
    { words: ["balance", "enable", "service=web", "group=blue"], says: /blue/ },
    { words: ["pools", "state", "pool=app", "host=s0", "to=up"], says: /expected|fit/ },
  ];
  for (const { words, says } of all) {
    const { code, err } = await tern.verb("do", ...words);
    expect(err).toMatch(says);
    expect(code).toBe(1);
  }
  expect((await tern.status()).generation).toBe(1);
  expect(await who()).toEqual(["s0", "s1"]);
});

const asRoot = process.geteuid?.() === 0 ? test : test.skip;

asRoot(
  "what the running tern may not write, root who asks writes: mode and owner kept",
  async () => {
    await using tern = await appliance((dir) => {
      chmodSync(dir, 0o755);
      return `user: nobody # dropped to
workers: 1
state: ${join(dir, "var")}
admin: { listen: [] }
web: { site: { listen: "127.0.0.1:0", root: ${join(dir, "www")} } }
`;
    });
    const file = join(tern.dir, "tern.yaml");
    chmodSync(file, 0o644);
    expect((await tern.status()).user).toBe("nobody");
    const socket = join(tern.dir, "var", "tern.sock");
    const put = await fetch("http://tern/api/v1/config", {
      unix: socket,
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        text: `${readFileSync(file, "utf8")}log: { level: debug } # louder\n`,
      }),
    });
    expect(put.status).toBe(200);
    const refused = await fetch("http://tern/api/v1/config/save", { unix: socket, method: "POST" });
    expect(await refused.json()).toMatchObject({ error: "cannot_write" });
    // Which file root writes is not for the running tern to say.
    const socketOnly = await said([...TERN, "save", "--socket", socket]);
    expect([socketOnly.code, socketOnly.err]).toEqual([
      1,
      expect.stringContaining(`root does it when told so: tern save -c ${file}`),
    ]);
    expect(await tern.verb("save")).toMatchObject({ err: "", out: `saved to ${file}\n` });
    expect(readFileSync(file, "utf8")).toEndWith("log: { level: debug } # louder\n");
    const { mode, uid } = statSync(file);
    expect([mode & 0o777, uid]).toEqual([0o644, 0]);
    expect((await tern.status()).unsaved).toBe(0);
  },
);

test("no secret is in the event log, however it came", async () => {
  await using tern = await appliance((dir) => siteIn(dir, {}, { workers: 2 }));
  const socket = join(tern.dir, "var", "tern.sock");
  const ask = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`http://tern/api/v1/${path}`, {
      unix: socket,
      method,
      headers: { "Content-Type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
  const hash = `$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$${"hunter5".repeat(6)}`;
  const { web } = siteIn(tern.dir) as { web: { site: object } };
  const text = JSON.stringify({
    ...siteIn(tern.dir, {}, { workers: 2 }),
    web: {
      ...web,
      other: { ...web.site, auth: { realm: "x", users: { kim: hash }, paths: ["/"] } },
    },
  });
  const statuses = [
    await ask("PUT", "users/ann", { password: "hunter2" }),
    await ask("PUT", "users/bob", { password: hash, access: "readonly" }),
    await ask("PUT", "users/a%20b", { password: "hunter2" }),
    await ask("POST", "login", { name: "ann", password: "hunter3" }),
    await ask("PUT", "config", { text: "admin: { users: [{ name: x, password: hunter4 }] }" }),
    await ask("PUT", "config", { text: "admin: { passwort: hunter4, users: hunter4 }" }),
    await ask("POST", "config/check", { text: "secret: hunter4" }),
    await ask("PUT", "config", { text }),
    await ask("POST", "config/save"),
    await ask("DELETE", "users/nobody"),
    await ask("POST", "reload"),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 400, 401, 422, 422, 200, 200, 200, 404, 200]);
  const log = await (await ask("GET", "log?limit=5000")).text();
  for (const said of ["user ann added as full", "user bob added as readonly", "login refused"])
    expect(log).toContain(said);
  expect(log).toContain("config edited in");
  expect(log).not.toContain("hunter");
  for (const path of ["config", "config/diff", "status", "services", "activity", "users"])
    expect(await (await ask("GET", path)).text()).not.toContain("hunter");
  expect(JSON.stringify(tern.lines)).not.toContain("hunter");
});

test("events of a real server: figures, what happens in a worker, and the end", async () => {
  await using it = await balanced(2);
  const { tern } = it;
  const socket = join(tern.dir, "var", "tern.sock");
  const response = await fetch("http://tern/api/v1/events", { unix: socket });
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  let text = "";
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  })().catch(() => {});
  await until(() => (text.match(/^event: stats$/gm)?.length ?? 0) >= 2);
  await drain(tern);
  await until(() => text.includes('"message":"changed"'));
  const [, stats = "{}"] = /^event: stats\ndata: (.*)$/m.exec(text) ?? [];
  expect(JSON.parse(stats)).toMatchObject({
    status: { generation: 1, unsaved: 0 },
    services: { pools: { app: { hosts: {} } }, balance: { web: { enabled: "main" } } },
    totals: { connections: 0 },
  });
  expect((await tern.verb("stop")).code).toBe(0);
  await read;
  expect(text).toContain("event: end");
});
