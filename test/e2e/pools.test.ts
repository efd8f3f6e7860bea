import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
/** Pools as seen through the whole program: verdicts, changes and names reach every worker. */
import { connect, createServer, type Server } from "node:net";

import { freePort } from "../fake/ports.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // a whole program starts and ends, on a machine that may be busy

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

/** A server that says its name and hangs up; taken down and up again. */
class Named {
  readonly name: string;
  readonly host: string;
  port = 0;
  #server: Server | undefined;

  constructor(name: string, host = "127.0.0.1") {
    this.name = name;
    this.host = host;
  }
  async up(): Promise<this> {
    const server = createServer((socket) => socket.on("error", () => {}).end(this.name));
    this.#server = server;
    servers.push(server);
    await new Promise<void>((ready) => server.listen(this.port, this.host, ready));
    const at = server.address();
    if (typeof at === "object" && at !== null) this.port = at.port;
    return this;
  }
  async down(): Promise<void> {
    await new Promise<void>((gone) => this.#server?.close(() => gone()));
  }
  get address(): string {
    return `${this.host}:${this.port}`;
  }
}

const quick = { kind: "tcp", interval: "100ms", timeout: "100ms", rise: 1, fall: 1 };

const port = await freePort();

function config(dir: string, app: object, root: object = {}): object {
  return siteIn(
    dir,
    {},
    {
      workers: 2,
      admin: { listen: "127.0.0.1:0" },
      pools: { app },
      balance: {
        b: {
          listen: `127.0.0.1:${port}`,
          groups: { main: { pool: "app" } },
          socket: { defer_accept: 0 }, // it is the server that speaks first
        },
      },
      ...root,
    },
  );
}

/** What is said behind the balancer, to so many connections at once from this address. */
async function asked(times = 16, from = "127.0.0.1"): Promise<string> {
  const said = await Promise.all(
    Array.from({ length: times }, async () => {
      const heard = Promise.withResolvers<string>();
      let text = "";
      connect({ host: "127.0.0.1", port, localAddress: from })
        .on("data", (bytes: Buffer) => (text += bytes.toString()))
        .on("error", () => {}) // closed in any case
        .on("close", () => heard.resolve(text));
      const got = await heard.promise;
      return got === "" ? "nothing" : got;
    }),
  );
  return [...new Set(said)].sort().join(" ");
}

/** Ask the admin API over the unix socket, as the CLI does. */
async function admin(tern: Appliance, path: string, body?: object): Promise<Response> {
  const { admin } = await tern.status();
  const unix = admin.find((at) => at.startsWith("unix:"))?.slice("unix:".length) ?? "";
  return fetch(`http://localhost${path}`, {
    unix,
    ...(body && {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
}

/** The change as it was answered. */
async function change(tern: Appliance, name: string, input: object): Promise<string> {
  const answer = await admin(tern, `/api/v1/services/pools/changes/${name}`, input);
  return `${answer.status} ${answer.ok ? "" : await answer.text()}`.trim();
}

interface Shown {
  readonly state: string;
  readonly set: string;
  readonly total: number;
  readonly failed: number;
}

async function hosts(tern: Appliance): Promise<Record<string, Shown>> {
  const answer = await admin(tern, "/api/v1/services/pools/stats");
  const said = (await answer.json()) as { stats?: object } & Record<string, unknown>;
  const stats = (said.stats ?? said) as { app: { hosts: Record<string, Shown> } };
  return stats.app.hosts;
}

test("verdicts are in all workers within 50 ms", async () => {
  const flipping = await new Named("flip").up();
  const steady = await new Named("steady").up();
  await using tern = await appliance((dir) =>
    config(dir, { hosts: [flipping.address, steady.address], check: quick }),
  );
  const flips = 5;
  for (let i = 0; i < flips; i++) {
    await flipping.down();
    await tern.logged("a server is down", i + 1);
    await flipping.up();
    await tern.logged("a server is up", i + 1);
  }
  /** How many verdicts came within each time, over all workers. */
  const delays = async (): Promise<Map<string, number>> => {
    const text = await (await admin(tern, "/metrics")).text();
    const lines = text.matchAll(/tern_pool_verdict_delay_seconds_bucket\{le="([^"]+)"\} (\d+)/g);
    return new Map(Array.from(lines, ([, le = "", n]) => [le, Number(n)]));
  };
  await until(async () => ((await delays()).get("+Inf") ?? 0) >= flips * 2 * 2);
  const within = await delays();
  const all = within.get("+Inf") ?? 0;
  // Most of them, since a machine that is busy holds up anybody now and then.
  expect((within.get("0.05") ?? 0) / all).toBeGreaterThan(0.5);
});

describe.each([{ workers: 1 }, { workers: 2 }])("with $workers workers", ({ workers }) => {
  test("a host that refuses is taken out, and no client notices", async () => {
    const one = await new Named("one").up();
    const two = await new Named("two").up();
    await using tern = await appliance((dir) =>
      config(dir, { hosts: [one.address, two.address], checktime: "500ms" }, { workers }),
    );
    expect(await asked()).toBe("one two");
    await one.down();
    expect(await asked(40)).toBe("two");
    expect((await tern.logged("a server is taken out"))["server"]).toBe(one.address);
    await one.up();
    await until(async () => (await asked()) === "one two");
    expect((await hosts(tern))[one.address]?.failed).toBeGreaterThan(0);
  });

  test("when all are gone everybody is tried again by each client", async () => {
    const one = await new Named("one").up();
    const two = await new Named("two").up();
    await using _ = await appliance((dir) =>
      config(dir, { hosts: [one.address, two.address], checktime: "1h" }, { workers }),
    );
    await one.down();
    await two.down();
    expect(await asked()).toBe("nothing");
    await two.up();
    expect(await asked()).toBe("two");
  });

  test("changes are in all workers at once, and in those that start again", async () => {
    const one = await new Named("one").up();
    const two = await new Named("two").up();
    await using tern = await appliance((dir) => config(dir, { hosts: [one.address] }, { workers }));
    expect(await asked()).toBe("one");
    expect(await change(tern, "add-host", { pool: "app", address: two.address, name: "b" })).toBe(
      "200",
    );
    expect(await asked()).toBe("one two");
    expect(await change(tern, "state", { pool: "app", host: one.address, to: "drain" })).toBe(
      "200",
    );
    expect(await asked()).toBe("two");
    const before = (await hosts(tern))[one.address]?.total ?? 0;
    expect(before).toBeGreaterThan(15); // its counters live on
    if (workers > 1) {
      const { pid } = (await tern.status()).workers[0] ?? {};
      process.kill(pid ?? 0, "SIGKILL");
      await tern.logged("a worker serves again");
      expect(await asked()).toBe("two");
    }
    expect(await change(tern, "remove-host", { pool: "app", host: "b" })).toContain(
      "the last host of pool app",
    );
    expect(await change(tern, "state", { pool: "app", host: one.address, to: "ready" })).toBe(
      "200",
    );
    expect(await change(tern, "remove-host", { pool: "app", host: "b" })).toBe("200");
    expect(await asked()).toBe("one");
    expect(await change(tern, "weight", { pool: "app", host: "x", weight: 2 })).toContain(
      "has no host",
    );
    // What the file says is in force again after a reload.
    expect((await tern.verb("reload")).code).toBe(0);
    expect(Object.keys(await hosts(tern))).toEqual([one.address]);
  });

  test("retry: who was taken out is let in, and probed now", async () => {
    const one = await new Named("one").up();
    const two = await new Named("two").up();
    await using tern = await appliance((dir) =>
      config(
        dir,
        { hosts: [one.address, two.address], check: { ...quick, interval: "1h" } },
        { workers },
      ),
    );
    await one.down();
    const retry = (): Promise<Response> =>
      admin(tern, "/api/v1/services/pools/actions/retry", { pool: "app" });
    expect((await retry()).status).toBe(200);
    await until(async () => (await hosts(tern))[one.address]?.state === "down");
    await one.up();
    await retry();
    await until(async () => (await hosts(tern))[one.address]?.state === "up");
    expect(await asked()).toBe("one two");
  });

  test("names are looked up, /etc/hosts too", async () => {
    const one = await new Named("one").up();
    await using tern = await appliance((dir) =>
      config(dir, { hosts: [`localhost:${one.port}`], check: quick }, { workers }),
    );
    expect(await asked()).toBe("one");
    expect(Object.keys(await hosts(tern))).toContain(`localhost:${one.port}/127.0.0.1:${one.port}`);
  });
});

test("all workers know where a client sticks, also after it had to move", async () => {
  const one = await new Named("one").up();
  const two = await new Named("two").up();
  await using tern = await appliance((dir) =>
    config(dir, {
      hosts: [one.address, two.address],
      sticky: "ip",
      check: quick,
    }),
  );
  const clients = Array.from({ length: 12 }, (_, i) => `127.0.1.${i + 1}`);
  const whereAll = (times: number): Promise<string[]> =>
    Promise.all(clients.map((from) => asked(times, from)));
  // The first connections of a client come to all workers at once.
  const before = await whereAll(8);
  expect(new Set(before)).toEqual(new Set(["one", "two"]));
  await one.down();
  await tern.logged("a server is down");
  await until(async () => (await asked(8, "127.0.1.99")) === "two");
  // Each is seen by one worker only; the other hears of it.
  expect(new Set(await whereAll(1))).toEqual(new Set(["two"]));
  await one.up();
  await tern.logged("a server is up");
  expect(new Set(await whereAll(8))).toEqual(new Set(["two"]));
  const fresh = Array.from({ length: 12 }, (_, i) => `127.0.2.${i + 1}`);
  const said = await Promise.all(fresh.map((from) => asked(8, from)));
  expect(new Set(said)).toEqual(new Set(["one", "two"]));
});

test.each([{ workers: 1 }, { workers: 2 }])(
  "where clients stick is known after an upgrade, and to a worker that had to be started again ($workers worker(s))",
  async ({ workers }) => {
    const one = await new Named("one").up();
    const two = await new Named("two").up();
    const hosts = [one.address, two.address];
    await using tern = await appliance((dir) =>
      config(dir, { hosts, sticky: "ip", check: quick }, { workers }),
    );
    const clients = Array.from({ length: 12 }, (_, i) => `127.0.3.${i + 1}`);
    const whereAll = async (): Promise<string> =>
      [...new Set(await Promise.all(clients.map((from) => asked(4, from))))].sort().join();
    expect(await whereAll()).toBe("one,two");
    await one.down();
    await tern.logged("a server is down");
    await until(async () => (await asked(8, "127.0.3.99")) === "two");
    expect(await whereAll()).toBe("two");
    await one.up();
    await tern.logged("a server is up");

    if (workers > 1) {
      const { workers: all } = await tern.status();
      for (const { pid } of all) process.kill(pid ?? 0, "SIGKILL");
      await until(async () =>
        (await tern.status()).workers.every((w) => w.restarts === 1 && w.state === "serving"),
      );
      expect(await whereAll()).toBe("two");
    }
    expect((await tern.verb("upgrade")).code).toBe(0);
    expect(await whereAll()).toBe("two");
    expect((await tern.verb("stop")).code).toBe(0); // it is another process, on the port of the next row
  },
);
