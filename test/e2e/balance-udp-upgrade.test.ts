/** Clients of a UDP service keep their servers while processes change, and no datagram is lost. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";

import { freePort } from "../fake/ports.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(120_000); // several programs, on a machine that may be busy

const PAUSE_MS = 5;

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1024 * 1024 });
  socket.on("error", () => {}); // ICMP: whoever is answered may have gone
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}

/** Answers each datagram with its name, who it came from, and what it was sent. */
async function backend(name: string): Promise<{ port: number } & Disposable> {
  const socket = await bound();
  socket.on("message", (bytes, from) =>
    socket.send(`${name}:${from.port} ${bytes}`, from.port, from.address),
  );
  const { port } = socket.address();
  return { port, [Symbol.dispose]: () => void socket.close() };
}

/** Says a number after the other, and hears who answered each. */
class Client implements Disposable {
  readonly #socket: Socket;
  readonly #port: number;
  readonly answers: (string | undefined)[] = [];

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on("message", (bytes) => {
      const [session, n] = bytes.toString().split(" ");
      this.answers[Number(n)] = session;
    });
  }

  static async to(port: number): Promise<Client> {
    return new Client(await bound(), port);
  }

  say(): void {
    const n = this.answers.length;
    this.answers.push(undefined);
    this.#socket.send(String(n), this.#port, "127.0.0.1");
  }

  /** All that it has said was answered. */
  get answered(): boolean {
    return !this.answers.includes(undefined);
  }
  /** Who it has heard from, and by which of our sockets. */
  get sessions(): string[] {
    return [...new Set(this.answers.map(String))];
  }
  get server(): string {
    return this.sessions[0]?.split(":")[0] ?? "";
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

interface Scene extends AsyncDisposable {
  readonly tern: Appliance;
  client(): Promise<Client>;
  change(root: object): Promise<void>;
}

async function scene(root: object, idle = "1500ms"): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const [a, b] = [stack.use(await backend("a")), stack.use(await backend("b"))];
  const port = await freePort();
  const configOf = (dir: string, root: object): object =>
    siteIn(
      dir,
      {},
      {
        web: undefined,
        pools: { app: { hosts: [`127.0.0.1:${a.port}`, `127.0.0.1:${b.port}`] } },
        balance: {
          b: {
            protocol: "udp",
            listen: `127.0.0.1:${port}`,
            groups: { main: { pool: "app" } },
            udp: { idle },
          },
        },
        ...root,
      },
    );
  const tern = stack.use(await appliance((dir) => configOf(dir, root)));
  return {
    tern,
    client: async () => stack.use(await Client.to(port)),
    change: async (root) => {
      await tern.rewrite(configOf(tern.dir, root));
      const { code, err } = await tern.verb("reload");
      expect([code, err]).toEqual([0, ""]);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** All of them talk until `over`. */
async function talk(clients: readonly Client[], over: Promise<unknown>): Promise<void> {
  let done = false;
  void over.finally(() => (done = true));
  while (!done) {
    for (const client of clients) client.say();
    await Bun.sleep(PAUSE_MS);
  }
}

async function several(it: Scene, n: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: n }, () => it.client()));
  for (const client of clients) client.say();
  await until(() => clients.every((client) => client.answered));
  return clients;
}

test.each([
  { workers: 1, happens: "an upgrade" },
  { workers: 2, happens: "an upgrade" },
  { workers: 3, happens: "fewer workers" },
])(
  "$happens: clients keep their server, nothing is lost ($workers worker(s))",
  async ({ workers, happens }) => {
    await using it = await scene({ workers });
    const clients = await several(it, 8);
    expect(new Set(clients.map(({ server }) => server))).toEqual(new Set(["a", "b"]));
    const over = (async () => {
      if (happens === "an upgrade")
        expect(await it.tern.verb("upgrade")).toMatchObject({ code: 0 });
      else await it.change({ workers: 2 });
      await Bun.sleep(300);
    })();
    await talk(clients, over);
    const late = await several(it, 8); // they meet the new process
    await talk([...clients, ...late], Bun.sleep(200));
    const all = [...clients, ...late];
    await until(() => all.every((client) => client.answered));
    expect(all.filter(({ sessions }) => sessions.length > 1)).toEqual([]);
    if (happens !== "an upgrade") return;

    // Who is left by its clients goes; who comes back is a new client then, and answered.
    expect(await it.tern.exited).toBe(0);
    for (const client of all) client.say();
    await until(() => all.every((client) => client.answered));
  },
);

test("upgrades one after another: whom a process before the last kept is a new client, and answered", async () => {
  await using it = await scene({ workers: 2 });
  const clients = await several(it, 4);
  const over = (async () => {
    for (let i = 0; i < 3; i++) expect(await it.tern.verb("upgrade")).toMatchObject({ code: 0 });
  })();
  await talk(clients, over);
  for (const client of [...clients, ...(await several(it, 4))])
    await until(() => {
      client.say();
      return client.answers.at(-2) !== undefined;
    });
});
