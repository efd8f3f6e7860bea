/** What `balance` and a pool's hosts may have holds for all workers together, whatever becomes of them. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect, createServer, type Server, type Socket } from "node:net";

import { freePort } from "../fake/ports.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(120_000); // several programs, on a machine that may be busy

const WORKERS = 3;

/** A server that greets, so that a client knows that it got through, and counts who is there. */
class Greeter implements AsyncDisposable {
  readonly #server: Server;
  readonly here = new Set<Socket>();
  /** Most that were there at once. */
  peak = 0;
  /** That ever came. */
  total = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.here.add(socket);
      this.total++;
      this.peak = Math.max(this.peak, this.here.size);
      socket.on("close", () => this.here.delete(socket)).on("error", () => {});
      socket.resume().write("hello\n");
    });
  }

  static async begin(): Promise<Greeter> {
    const made = new Greeter();
    await new Promise<void>((resolve) => made.#server.listen(0, "127.0.0.1", resolve));
    return made;
  }

  get address(): string {
    const at = this.#server.address();
    return `127.0.0.1:${typeof at === "object" ? at?.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.here) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Clients who wait to be greeted, and then stay. */
class Crowd implements Disposable {
  readonly #port: number;
  readonly #all = new Set<Socket>();
  readonly #greeted = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  come(n: number): void {
    for (let i = 0; i < n; i++) {
      const socket = connect(this.#port, "127.0.0.1");
      this.#all.add(socket);
      socket.on("data", () => this.#greeted.add(socket)).on("error", () => {});
      socket.on("close", () => {
        this.#all.delete(socket);
        this.#greeted.delete(socket);
      });
    }
  }

  /** One of those who have got through goes. */
  leave(): void {
    for (const socket of this.#greeted) {
      this.#greeted.delete(socket);
      this.#all.delete(socket);
      socket.destroy();
      return;
    }
  }

  /** Who has got through and is still there. */
  get in(): number {
    return this.#greeted.size;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#all) socket.destroy();
  }
}

interface Scene extends AsyncDisposable {
  readonly tern: Appliance;
  readonly backend: Greeter;
  readonly crowd: Crowd;
  /** Another config, by a reload. */
  change(service: object, host?: object, workers?: number): Promise<void>;
}

async function scene(service: object, host: object = {}, workers = WORKERS): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const backend = stack.use(await Greeter.begin());
  const port = await freePort();
  const configOf =
    (service: object, host: object, workers: number) =>
    (dir: string): object =>
      siteIn(
        dir,
        {},
        {
          workers,
          web: undefined,
          pools: {
            app: {
              hosts: [{ name: "one", address: backend.address, ...host }],
              queue: { size: 1000, timeout: "60s" },
            },
          },
          balance: {
            b: { listen: `127.0.0.1:${port}`, groups: { main: { pool: "app" } }, ...service },
          },
        },
      );
  const tern = stack.use(await appliance(configOf(service, host, workers)));
  const crowd = stack.use(new Crowd(port));
  return {
    tern,
    backend,
    crowd,
    change: async (service, host = {}, next = workers) => {
      await tern.rewrite(configOf(service, host, next)(tern.dir));
      const { code, err } = await tern.verb("reload");
      expect([code, err]).toEqual([0, ""]);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Time for one too many to come through, if there were a way. */
const aWhile = (): Promise<void> => Bun.sleep(300);

test("max_connections: no more at once than that, and every place that is free is taken", async () => {
  await using it = await scene({ max_connections: 5 });
  it.crowd.come(40);
  for (let left = 0; left < 40; left++) {
    await until(() => it.crowd.in === Math.min(5, 40 - left));
    it.crowd.leave();
  }
  expect([it.backend.total, it.backend.peak]).toEqual([40, 5]);
});

test("max_connections below the number of workers", async () => {
  await using it = await scene({ max_connections: 1 });
  it.crowd.come(12);
  for (let left = 0; left < 12; left++) {
    await until(() => it.crowd.in === 1);
    it.crowd.leave();
  }
  expect([it.backend.total, it.backend.peak]).toEqual([12, 1]);
});

test("a worker that is killed leaves its places to others", async () => {
  await using it = await scene({ max_connections: 6 });
  it.crowd.come(60);
  await until(() => it.crowd.in === 6);
  for (const i of [0, 1, 2]) {
    const { workers } = await it.tern.status();
    process.kill(workers[i]?.pid ?? 0, "SIGKILL");
    await it.tern.logged("a worker serves again", i + 1);
    await until(() => it.crowd.in === 6);
  }
  await aWhile();
  expect(it.crowd.in).toBe(6);
});

test("a limit that is changed while it runs counts who is there", async () => {
  await using it = await scene({ max_connections: 3 });
  it.crowd.come(30);
  await until(() => it.crowd.in === 3);
  await it.change({ max_connections: 7 });
  await until(() => it.crowd.in === 7);
  await it.change({ max_connections: 2 });
  for (let i = 0; i < 5; i++) it.crowd.leave();
  await aWhile();
  expect([it.crowd.in, it.backend.total]).toEqual([2, 7]);
  it.crowd.leave();
  await until(() => it.backend.total === 8 && it.crowd.in === 2);
  expect(it.backend.peak).toBe(7);
});

test("an upgrade: who is still with the old process counts with the new one", async () => {
  await using it = await scene({ max_connections: 4 });
  it.crowd.come(20);
  await until(() => it.crowd.in === 4);
  const { code, err } = await it.tern.verb("upgrade");
  expect([code, err]).toEqual([0, ""]);
  await aWhile();
  expect([it.crowd.in, it.backend.total]).toEqual([4, 4]);
  for (let i = 1; i <= 16; i++) {
    it.crowd.leave();
    await until(() => it.backend.total === 4 + i && it.crowd.in === 4);
  }
  expect(it.backend.peak).toBe(4);
  expect(await it.tern.exited).toBe(0); // all of its clients have left
});

test.each([
  { from: 1, to: 2 },
  { from: 3, to: 1 },
])("$from worker(s), then $to: who is still with the old ones counts", async ({ from, to }) => {
  await using it = await scene({ max_connections: 3 }, {}, from);
  it.crowd.come(10);
  await until(() => it.crowd.in === 3);
  await it.change({ max_connections: 3 }, {}, to);
  await aWhile();
  expect([it.crowd.in, it.backend.total]).toEqual([3, 3]);
  for (let i = 1; i <= 7; i++) {
    it.crowd.leave();
    await until(() => it.backend.total === 3 + i && it.crowd.in === 3);
  }
  expect(it.backend.peak).toBe(3);
});

test("accept_rate: no more come in, at whichever worker", async () => {
  await using it = await scene({ accept_rate: "40/s" });
  const began = performance.now();
  it.crowd.come(60);
  while (it.crowd.in < 60) {
    // What has come by now has been let in before now; 100 ms of it may come at once.
    const { total } = it.backend;
    expect(total).toBeLessThanOrEqual(((performance.now() - began + 100) * 40) / 1000 + 1);
    await Bun.sleep(10);
  }
});

test("max_connections of a host: one too many by each other worker at most", async () => {
  await using it = await scene({}, { max_connections: 4 });
  it.crowd.come(40);
  for (let left = 0; left < 40; left++) {
    await until(() => it.crowd.in >= Math.min(4, 40 - left));
    it.crowd.leave();
  }
  expect(it.backend.total).toBe(40);
  expect(it.backend.peak).toBeLessThanOrEqual(4 + WORKERS - 1);
});

test("max_connections of a host: killed workers, a reload, an upgrade", async () => {
  await using it = await scene({}, { max_connections: 2 });
  it.crowd.come(50);
  await until(() => it.crowd.in >= 2);
  const { workers } = await it.tern.status();
  process.kill(workers[1]?.pid ?? 0, "SIGKILL");
  await it.tern.logged("a worker serves again");
  await until(() => it.crowd.in >= 2);
  await it.change({}, { max_connections: 6 });
  await until(() => it.crowd.in >= 6);
  expect((await it.tern.verb("upgrade")).code).toBe(0);
  await aWhile();
  expect(it.backend.here.size).toBeLessThanOrEqual(6 + WORKERS - 1);
  const before = it.backend.total;
  while (it.crowd.in > 0) it.crowd.leave();
  await until(() => it.backend.total >= before + 6); // who has waited, and whoever comes now
  it.crowd.come(20);
  await until(() => it.crowd.in >= 6);
});
