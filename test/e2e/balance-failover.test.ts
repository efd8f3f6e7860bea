/**
 * What clients see while a backend dies, hangs, vanishes or dawdles: nothing. hey keeps asking
 * through the balancer, a connection for each request, and counts what went wrong.
 */
import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";

import type { PoolStats } from "../../src/net/pools/pool-stats.ts";
import { type TwoNamespaces, twoNamespaces } from "../fake/two-namespaces.ts";
import { needs } from "../sys/needs.ts";
import { type Said, said } from "./binary.ts";
import { type Appliance, appliance, siteIn, TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000); // several programs, on a machine that may be busy

const BACKEND = new URL("../fake/http-backend.ts", import.meta.url).pathname;
const PORT = 8000;
/** Clients at once, and requests of each in a second: enough to meet every moment of a failure. */
const [CLIENTS, RATE] = [8, 40];
const SECONDS = 3;

const withAll = needs(
  process.getuid?.() === 0 && Bun.which("ip") !== null && Bun.which("hey") !== null,
  "root, ip and hey",
);

/** A backend as a process; the second address is the one that things happen to. */
class Backend implements AsyncDisposable {
  readonly #command: readonly string[];
  #child: Bun.Subprocess<"ignore", "pipe", "inherit"> | undefined;

  constructor(net: TwoNamespaces, name: string, host: string, delay = 0) {
    this.#command = [...net.far, process.execPath, BACKEND, name, host, "80", String(delay)];
  }

  async start(): Promise<void> {
    this.#child = Bun.spawn([...this.#command], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const _ of this.#child.stdout) break; // it listens
  }

  kill(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  /** By kill -9; resolves when it is gone. */
  async die(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
  }
}

interface Scene extends AsyncDisposable {
  readonly net: TwoNamespaces;
  readonly tern: Appliance;
  readonly good: Backend;
  readonly bad: Backend;
  /** One request, in words: who answered, or what went wrong. */
  ask(): Promise<string>;
  /** Connections that each backend has had. */
  totals(): Promise<{ good: number; bad: number }>;
  /** hey, until its time is over. */
  hey(): Promise<Load>;
}

interface Load {
  readonly answers: number;
  /** Lines of hey's "Error distribution". */
  readonly errors: readonly string[];
  readonly failed: number;
}

async function scene({ pool = {}, delay = 0, started = true } = {}): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const net = stack.use(await twoNamespaces());
  const good = stack.use(new Backend(net, "good", net.hosts[0]));
  const bad = stack.use(new Backend(net, "bad", net.hosts[1], delay));
  await Promise.all([good.start(), started && bad.start()]);
  const config = (dir: string): object =>
    siteIn(
      dir,
      {},
      {
        workers: 2,
        web: undefined,
        pools: {
          app: {
            hosts: net.hosts.map((host, i) => ({
              name: i === 0 ? "good" : "bad",
              address: `${host}:80`,
            })),
            checktime: "300ms",
            ...pool,
          },
        },
        balance: {
          b: {
            listen: `127.0.0.1:${PORT}`,
            groups: { main: { pool: "app" } },
            connect_timeout: "250ms",
          },
        },
      },
    );
  const tern = stack.use(await appliance(config, { command: [...net.near, ...TERN] }));
  const url = `http://127.0.0.1:${PORT}/`;
  const near = (...command: string[]): Promise<Said> => said([...net.near, ...command]);
  return {
    net,
    tern,
    good,
    bad,
    ask: async () => {
      const { out, code } = await near("curl", "-s", "--max-time", "5", url);
      return code === 0 ? out : `curl: ${code}`;
    },
    totals: async () => {
      const path = "http://localhost/api/v1/services/pools/stats";
      const answer = await fetch(path, { unix: join(tern.dir, "var", "tern.sock") });
      const { app } = (await answer.json()) as Record<string, PoolStats>;
      return { good: app?.hosts["good"]?.total ?? 0, bad: app?.hosts["bad"]?.total ?? 0 };
    },
    hey: async () => {
      const how = ["-disable-keepalive", "-z", `${SECONDS}s`, "-c", `${CLIENTS}`, "-q", `${RATE}`];
      return readHey((await near("hey", ...how, url)).out);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function readHey(out: string): Load {
  const answers = [...out.matchAll(/^\s+\[200\]\s+(\d+) responses$/gm)];
  const errors = (out.split("Error distribution:")[1] ?? "")
    .split("\n")
    .filter((l) => l.includes("["));
  return {
    answers: answers.reduce((sum, [, n]) => sum + Number(n), 0),
    errors,
    failed: errors.reduce((sum, line) => sum + Number(/\[(\d+)\]/.exec(line)?.[1] ?? 0), 0),
  };
}

/** While hey asks: something happens, and is over before the end. */
async function through(it: Scene, happens: () => unknown, over: () => unknown): Promise<Load> {
  const load = it.hey();
  await Bun.sleep(500);
  await happens();
  await Bun.sleep(1200);
  await over();
  return load;
}

/** Everybody was answered, and by many requests. */
function nobodySaw({ answers, errors }: Load): void {
  expect(errors).toEqual([]);
  expect(answers).toBeGreaterThan(SECONDS * RATE);
}

const probed = {
  check: { kind: "http", path: "/", interval: "150ms", timeout: "150ms", rise: 1, fall: 1 },
};

withAll("a backend that refuses is not noticed, and gets clients once it is there", async () => {
  await using it = await scene({ started: false });
  nobodySaw(
    await through(
      it,
      () => {},
      () => it.bad.start(),
    ),
  );
  await until(async () => (await it.ask()) === "bad");
});

withAll("kill -9: who was with it loses that connection, nobody after them", async () => {
  await using it = await scene();
  const load = await through(
    it,
    async () => {
      await it.bad.die();
      for (let i = 0; i < 30; i++) expect(await it.ask()).toBe("good");
    },
    () => it.bad.start(),
  );
  // A process takes a while to die, and its kernel goes on accepting for it meanwhile.
  expect(load.failed).toBeLessThanOrEqual(3 * CLIENTS);
  expect(load.errors.filter((line) => !/reset by peer|EOF/.test(line))).toEqual([]);
  expect(load.answers).toBeGreaterThan(SECONDS * RATE);
  await until(async () => (await it.ask()) === "bad");
});

withAll("SIGSTOP: probes see it, clients wait for it no longer than it is stopped", async () => {
  await using it = await scene({ pool: probed });
  const load = await through(
    it,
    async () => {
      it.bad.kill("SIGSTOP");
      await Bun.sleep(600); // the probe's turn, and its timeout
      for (let i = 0; i < 20; i++) expect(await it.ask()).toBe("good");
    },
    () => it.bad.kill("SIGCONT"),
  );
  nobodySaw(load);
  await until(async () => (await it.ask()) === "bad");
});

withAll("a backend whose packets are lost: the next is asked after connect_timeout", async () => {
  await using it = await scene();
  const load = await through(
    it,
    () => it.net.blackhole(true),
    () => it.net.blackhole(false),
  );
  nobodySaw(load);
  await until(async () => (await it.ask()) === "bad");
});

withAll("a slow backend gets what it can take, and nobody fails", async () => {
  await using it = await scene({ delay: 400, pool: { scheduler: "leastconns" } });
  nobodySaw(await it.hey());
  const { good, bad } = await it.totals();
  expect(bad).toBeGreaterThan(0);
  expect(good).toBeGreaterThan(3 * bad);
});

withAll("drained and stopped in good order: not one request is lost", async () => {
  await using it = await scene();
  const state = (to: string) =>
    it.tern.verb("do", "pools", "state", "pool=app", "host=bad", `to=${to}`);
  const load = await through(
    it,
    async () => {
      expect(await state("drain")).toMatchObject({ code: 0 });
      await Bun.sleep(300); // what was under way is answered
      await it.bad.die();
    },
    async () => {
      await it.bad.start();
      expect(await state("ready")).toMatchObject({ code: 0 });
    },
  );
  nobodySaw(load);
  await until(async () => (await it.ask()) === "bad");
});
