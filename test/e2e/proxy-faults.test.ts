/** Servers that die, hang and leave, and tern that reloads and upgrades, under load: nothing idempotent fails. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { listenStream } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";
import { accepts, freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";
import { dial, type Wire } from "./wire.ts";

setDefaultTimeout(90_000); // programs start and end, on a machine that may be busy

const missing = ["nginx", "node"].filter((name) => Bun.which(name) === null);
if (missing.length > 0) process.stderr.write(`SKIPPED: no ${missing.join(", ")}\n`);
const withTools = test.skipIf(missing.length > 0);

/** Answers a moment later, and writes down every POST it has heard to its end. */
const NODE = `
import http from "node:http";
import { appendFileSync } from "node:fs";
const [port, log] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.method === "POST") appendFileSync(log, request.url + "\\n");
    setTimeout(() => response.end("hello\\n"), 5);
  });
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(port), "127.0.0.1");
`;

/** A program behind tern that can be ended and started again on its port. */
class Backend {
  readonly port: number;
  readonly #command: readonly string[];
  #child: Bun.Subprocess | undefined;

  constructor(port: number, command: readonly string[]) {
    this.port = port;
    this.#command = command;
  }
  async start(): Promise<void> {
    this.#child = Bun.spawn([...this.#command], { stdio: ["ignore", "ignore", "ignore"] });
    await until(() => accepts(this.port));
  }
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }
  async end(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    await this.#child?.exited;
  }
}

const stack = new AsyncDisposableStack();
let dir = "";
let log = "";
const backends: Backend[] = [];

beforeAll(async () => {
  if (missing.length > 0) return;
  dir = stack.use(await temporary()).path;
  log = join(dir, "posts");
  writeFileSync(log, "");
  const script = join(dir, "backend.mjs");
  await Bun.write(script, NODE);
  for (let i = 0; i < 2; i++) {
    const port = await freePort();
    backends.push(new Backend(port, ["node", script, `${port}`, log]));
  }
  const port = await freePort();
  await Bun.write(
    join(dir, "nginx.conf"),
    `daemon off; master_process off; user root; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events {} http { log_format uri $request_uri;
     map $request_method $posted { POST 1; default 0; }
     server { listen 127.0.0.1:${port}; access_log ${log} uri if=$posted;
       location / { return 200 "hello\\n"; } } }`,
  );
  backends.push(new Backend(port, ["nginx", "-c", join(dir, "nginx.conf"), "-p", dir]));
  for (const one of backends) {
    stack.defer(() => one.end("SIGKILL"));
    await one.start();
  }
});
afterAll(() => stack.disposeAsync());

/** A server whose queue is full: what is sent to it is never answered. */
async function blackHole(): Promise<{ readonly port: number } & AsyncDisposable> {
  const options = { backlog: 0, reusePort: false, fastOpen: 0, deferAccept: 0 };
  const { fd, port } = listenStream({ kind: "tcp", host: "127.0.0.1", port: 0 }, options);
  const held: Wire[] = [];
  for (let i = 0; i < 4; i++)
    void dial(port).then(
      (wire) => held.push(wire),
      () => {},
    ); // until it is full
  await Bun.sleep(200);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const wire of held) wire[Symbol.dispose]();
      close(fd);
    },
  };
}

interface Change {
  readonly workers?: number;
  readonly forwarded?: boolean;
}

const config = (
  home: string,
  port: number,
  servers: readonly number[],
  { workers = 1, forwarded = false }: Change = {},
) =>
  siteIn(
    home,
    {},
    {
      workers,
      web: undefined,
      pools: {
        app: {
          hosts: servers.map((one) => `127.0.0.1:${one}`),
          checktime: "200ms",
          retry: { attempts: 3 },
        },
      },
      proxy: {
        edge: {
          listen: `127.0.0.1:${port}`,
          routes: [{ pool: "app", timeout: "1s" }],
          upstream: { connect_timeout: "500ms", retry_budget: 100 },
          forwarded,
        },
      },
    },
  );

interface Loaded {
  readonly served: number;
  /** What went wrong with requests that may be asked twice. */
  readonly failures: readonly string[];
  /** POSTs that were answered by a server. */
  readonly posts: readonly string[];
}

/** GETs, new connections and old ones, and POSTs, each under a name of its own, until `during` is over. */
async function loaded(port: number, during: () => Promise<void>): Promise<Loaded> {
  const failures: string[] = [];
  const posts: string[] = [];
  let served = 0;
  let over = false;
  const get = async (keepalive: boolean): Promise<void> => {
    while (!over) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/x`, { keepalive });
        const text = await answer.text();
        if (answer.status !== 200 || text !== "hello\n") failures.push(`${answer.status} ${text}`);
        served++;
      } catch (error) {
        failures.push(String(error));
      }
      await Bun.sleep(3);
    }
  };
  const post = async (): Promise<void> => {
    while (!over) {
      const name = `/${crypto.randomUUID()}`;
      const answer = await fetch(`http://127.0.0.1:${port}${name}`, {
        method: "POST",
        body: "x",
      }).catch(() => undefined);
      if (answer?.status === 200) posts.push(name);
      await answer?.text().catch(() => "");
      await Bun.sleep(5);
    }
  };
  const clients = [get(true), get(true), get(true), get(false), get(false), post(), post()];
  try {
    await during();
  } finally {
    over = true;
    await Promise.all(clients);
  }
  return { served, failures, posts };
}

/** Nobody idempotent failed; what a POST was answered was done, and nothing was done twice. */
function expectWhole({ served, failures, posts }: Loaded): void {
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(50);
  const done = readFileSync(log, "utf8").split("\n").filter(Boolean);
  expect(new Set(done).size).toBe(done.length);
  expect(posts.filter((name) => !done.includes(name))).toEqual([]);
}

async function retried({ dir: home }: Appliance): Promise<number> {
  const unix = join(home, "var", "tern.sock");
  const metrics = await (await fetch("http://tern/metrics", { unix })).text();
  return Number(/^tern_proxy_retries_total\S* (\d+)/m.exec(metrics)?.[1]);
}

const ports = () => backends.map(({ port }) => port);
const [LIVES_MS, GONE_MS] = [300, 600];

const faults: { story: string; happens: () => Promise<void> }[] = [
  {
    story: "killed and started again, one after the other",
    happens: async () => {
      for (const one of backends) {
        await one.end("SIGKILL");
        await Bun.sleep(GONE_MS);
        await one.start();
        await Bun.sleep(LIVES_MS);
      }
    },
  },
  {
    story: "ended in order and started again",
    happens: async () => {
      for (const [i, one] of backends.entries()) {
        // Node's waits for connections that are kept open; who hangs on is ended.
        one.signal(i === 2 ? "SIGQUIT" : "SIGTERM");
        await Bun.sleep(GONE_MS);
        await one.end("SIGKILL");
        await one.start();
        await Bun.sleep(LIVES_MS);
      }
    },
  },
  {
    story: "stopped in their tracks and woken up",
    happens: async () => {
      for (const one of backends) {
        one.signal("SIGSTOP");
        await Bun.sleep(1500);
        one.signal("SIGCONT");
        await Bun.sleep(LIVES_MS);
      }
    },
  },
];

test.skipIf(missing.length > 0).each(faults)("servers are $story", async ({ happens }) => {
  const port = await freePort();
  await using tern = await appliance((home) => config(home, port, ports()));
  expectWhole(await loaded(port, happens));
  expect(tern.lines.filter(({ level }) => level === "error")).toEqual([]);
});

withTools("a server cannot be reached: its packets are lost", async () => {
  await using hole = await blackHole();
  const port = await freePort();
  await using tern = await appliance((home) => config(home, port, [hole.port, ...ports()]));
  expectWhole(await loaded(port, () => Bun.sleep(2000)));
  expect(await retried(tern)).toBeGreaterThan(0); // so there was something to be passed over
  expect(tern.lines.filter(({ level }) => level === "error")).toEqual([]);
});

withTools.each([{ workers: 1 }, { workers: 2 }])(
  "tern reloads, its servers come and go from the config, one is killed ($workers worker(s))",
  async ({ workers }) => {
    const port = await freePort();
    const [first, second, third] = backends;
    if (!first || !second || !third) throw new Error("three were made");
    let home = "";
    await using tern: Appliance = await appliance((dir_) => {
      home = dir_;
      return config(home, port, ports(), { workers });
    });
    const become = async (servers: readonly number[], change: Change): Promise<void> => {
      await tern.rewrite(config(home, port, servers, { workers, ...change }));
      const reload = await tern.verb("reload");
      expect([reload.code, reload.err]).toEqual([0, ""]);
    };
    const done = await loaded(port, async () => {
      await become([second.port, third.port], {});
      await become(ports(), { forwarded: true });
      await first.end("SIGKILL");
      await become(ports(), {});
      await first.start();
      await become([first.port], { forwarded: true });
      await become(ports(), {});
    });
    expectWhole(done);
  },
);

test("a WebSocket lives through reloads, and a download that is under way", async () => {
  const half = "x".repeat(100_000);
  using backend = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      if (server.upgrade(request)) return undefined;
      async function* slowly(): AsyncGenerator<string> {
        yield half;
        await Bun.sleep(2500);
        yield half;
      }
      return new Response(slowly as unknown as BodyInit);
    },
    websocket: { message: (socket, text) => void socket.send(`${text}!`) },
  });
  const port = await freePort();
  let home = "";
  const made = (change: Change): object => {
    const all = config(home, port, [backend.port ?? 0], change) as {
      proxy: { edge: { routes: object[] } };
    };
    all.proxy.edge.routes = [{ pool: "app", websocket: true, timeout: "10s" }];
    return all;
  };
  await using tern = await appliance((at) => {
    home = at;
    return made({});
  });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const heard: string[] = [];
  let over = false;
  socket.addEventListener("message", ({ data }: MessageEvent<string>) => void heard.push(data));
  socket.addEventListener("close", () => void (over = true));
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  const download = fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());
  for (const forwarded of [true, false, true]) {
    await tern.rewrite(made({ forwarded }));
    expect((await tern.verb("reload")).code).toBe(0);
    socket.send(`${forwarded}`);
    await Bun.sleep(100);
  }
  expect((await download).length).toBe(2 * half.length);
  socket.send("still here");
  await until(() => heard.length === 4);
  expect([heard.at(-1), over]).toEqual(["still here!", false]);
  socket.close();
});

withTools.each([{ workers: 1 }, { workers: 2 }])(
  "tern is upgraded while a server is killed ($workers worker(s))",
  async ({ workers }) => {
    const port = await freePort();
    const [first] = backends;
    await using tern = await appliance((home) => config(home, port, ports(), { workers }));
    const done = await loaded(port, async () => {
      await first?.end("SIGKILL");
      const upgrade = await tern.verb("upgrade");
      expect([upgrade.code, upgrade.err]).toEqual([0, ""]);
      await first?.start();
      expect((await tern.verb("upgrade")).code).toBe(0);
      await Bun.sleep(LIVES_MS);
    });
    expectWhole(done);
  },
);
