import { expect, test } from "bun:test";

import type { Handlers } from "../../src/app/channel.ts";
import type { Config } from "../../src/app/config-text.ts";
import type { Orders, Report, Requests } from "../../src/app/messages.ts";
import { Slot } from "../../src/app/slot.ts";
import type { Death, Hand } from "../../src/app/worker-process.ts";
import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { noHealth } from "../../src/net/health/health.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { CertificateStore } from "../../src/net/tls/store.ts";
import { Journal } from "../../src/observe/journal.ts";
import { FakeClock } from "../fake/clock.ts";
import { memoryLog } from "../fake/log.ts";

const report = (requests: number): Report => ({
  pid: 1,
  uptime: 0,
  rss: 0,
  lag: 0,
  listeners: [],
  services: [],
  stats: {},
  metrics: {
    families: [
      { name: "n_total", help: "", kind: "counter", series: [{ labels: {}, value: requests }] },
    ],
  },
});

interface FakeWorker extends Hand {
  readonly heard: string[];
  readonly asks: Handlers<Requests>;
  die(death?: Partial<Death>): void;
}

/** A slot over workers that only exist in this test. */
function made() {
  const clock = new FakeClock();
  const log = memoryLog();
  const sockets = new LocalSockets();
  const workers: FakeWorker[] = [];
  /** What the next workers do wrong. */
  const wrong = { spawn: "", begin: "", silent: false };
  const configs = { now: {} as Config };

  const spawn = (index: number, asks: Handlers<Requests>): Hand => {
    if (wrong.spawn) throw new Error(wrong.spawn);
    const { promise, resolve, reject } = Promise.withResolvers<Death>();
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    promise.catch(reject);
    const born = clock.now();
    const heard: string[] = [];
    const answer = async (kind: string): Promise<unknown> => {
      heard.push(kind);
      if (kind === "begin" && wrong.begin) throw new Error(wrong.begin);
      if (kind === "report" && wrong.silent) return gone.promise;
      return kind === "report" || kind === "stop" ? report(heard.length) : null;
    };
    const worker: FakeWorker = {
      pid: 100 + workers.length,
      heard,
      asks,
      died: promise,
      channel: {
        call: <K extends keyof Orders>(kind: K) =>
          Promise.race([answer(kind), gone.promise]) as Promise<Orders[K]["answer"]>,
      },
      give() {},
      kill: () => worker.die({ signal: "SIGKILL" }),
      die: (death = {}) => {
        gone.reject(new Error(`worker ${index} ended`));
        resolve({ code: null, signal: "SIGSEGV", said: "", lived: clock.now() - born, ...death });
      },
    };
    workers.push(worker);
    return worker;
  };
  const slot = new Slot(0, {
    clock,
    log,
    sockets,
    certificates: new CertificateStore(),
    health: noHealth,
    journal: new Journal(1),
    count: 1,
    config: () => configs.now,
    stuck: () => {},
    told: () => {},
    whereClientsAre: () => [],
    spawn,
  });
  const serve = async (): Promise<void> => {
    await slot.launch(configs.now);
    slot.serves(configs.now);
    slot.keep();
  };
  const last = (): FakeWorker => workers.at(-1)!; // there is one: serve was called
  const state = async (): Promise<string> => (await slot.member(0)).state;
  return { slot, clock, log, sockets, workers, wrong, configs, serve, last, state };
}

test("it waits longer after every crash, and forgets them after a calm minute", async () => {
  const it = made();
  await it.serve();
  const waits: unknown[] = [];
  for (const calm of [0, 0, 0, 0, 61_000, 0]) {
    await it.clock.advance(calm);
    it.last().die();
    await it.clock.advance(0);
    waits.push(it.log.fields.at(-1)?.["again"]);
    await it.clock.advance(30_000 - 1);
  }
  expect(waits).toEqual(["in 100ms", "in 200ms", "in 400ms", "in 800ms", "in 100ms", "in 200ms"]);
});

test.each([
  { story: "cannot be started", wrong: { spawn: "EAGAIN" } },
  { story: "cannot begin", wrong: { begin: "bind :80: EACCES" } },
])("a worker that $story again is tried until it can", async ({ wrong }) => {
  const it = made();
  await it.serve();
  Object.assign(it.wrong, wrong);
  it.last().die();
  await it.clock.advance(1000);
  expect(await it.state()).toBe("down");
  expect(it.log.lines.filter((l) => l.includes("could not be started")).length).toBeGreaterThan(1);
  Object.assign(it.wrong, { spawn: "", begin: "" });
  await it.clock.advance(30_000);
  expect(await it.state()).toBe("serving");
});

test("a reload that overtakes a start is followed", async () => {
  const it = made();
  await it.serve();
  it.last().die();
  it.configs.now = { sections: { web: {} } } as unknown as Config;
  await it.clock.advance(200);
  expect(it.last().heard).toEqual(["begin", "prepare", "commit"]);
  expect(await it.state()).toBe("serving");
});

test("a worker that says nothing for half a minute is killed and replaced", async () => {
  const it = made();
  await it.serve();
  it.wrong.silent = true;
  await it.clock.advance(31_000);
  expect(it.workers).toHaveLength(1);
  await it.clock.advance(2000);
  expect(it.log.lines).toContain("error a worker hangs and is killed");
  expect(it.workers.length).toBeGreaterThan(1);
});

test("what it counted until it was last asked is not lost", async () => {
  const it = made();
  await it.serve();
  await it.clock.advance(2100);
  it.last().die();
  await it.clock.advance(0);
  expect(it.slot.past.families[0]?.series[0]?.value).toBeGreaterThan(0);
});

test("its sockets wait for the next one, but not for ever", async () => {
  const it = made();
  await it.serve();
  const ask = {
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    options: DEFAULT_SOCKET,
    owner: "",
  } as const;
  await it.last().asks.listen(ask);
  it.last().die();
  await it.clock.advance(50);
  expect(it.sockets.held).toHaveLength(1); // the backlog waits
  await it.clock.advance(100);
  await Bun.sleep(0);
  expect(it.sockets.held).toEqual([]); // this fake has not asked for it again

  await it.last().asks.listen(ask);
  for (let i = 0; i < 3; i++) {
    it.last().die();
    await it.clock.advance(900);
    await it.last().asks.listen(ask);
  }
  it.last().die(); // the fifth: more than a second
  await it.clock.advance(10);
  await Bun.sleep(0);
  expect(it.sockets.held).toEqual([]); // others get the new connections
});

test("stopping asks for the end, and insists", async () => {
  const it = made();
  await it.serve();
  await it.slot.stop(1000, 500);
  expect(it.last().heard).toContain("stop");
  expect(await it.state()).toBe("stopping");
  await it.clock.advance(60_000);
  expect(it.workers).toHaveLength(1);
});

test("stopping while it waits to start again starts nothing", async () => {
  const it = made();
  await it.serve();
  it.last().die();
  await it.clock.advance(10);
  await it.slot.stop(1000, 500);
  await it.clock.advance(60_000);
  expect(it.workers).toHaveLength(1);
});
