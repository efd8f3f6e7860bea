import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import type { Connection } from "../../../src/net/tcp-server/connection.ts";
import { TcpServer, type TcpServerOptions } from "../../../src/net/tcp-server/tcp-server.ts";
import type { ServerTls } from "../../../src/net/tls/server-tls.ts";
import { CertificateStore } from "../../../src/net/tls/store.ts";
import { certificate } from "../../fake/certificate.ts";

const servers: TcpServer<any>[] = []; // whatever context a test gives them
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.halt();
});

function serve(
  handler: (connection: Connection<string>) => void | Promise<void>,
  more: Partial<TcpServerOptions<string>> = {},
): { server: TcpServer<string>; port: number } {
  const { socket, ...rest } = more;
  const server = new TcpServer<string>({
    listen: "127.0.0.1:0",
    context: "ours",
    handler,
    trouble: () => {},
    socket: { deferAccept: 0, ...socket },
    ...rest,
  });
  servers.push(server);
  return { server, port: server.address.kind === "tcp" ? server.address.port : 0 };
}

/** A client: what it was sent, and how that ended. */
class Client {
  received = "";
  ended = false;
  failed: string | undefined;
  /** Both ends are closed. */
  readonly closed: Promise<void>;

  constructor(readonly socket: Socket) {
    sockets.push(socket);
    socket.on("data", (bytes: Buffer) => (this.received += bytes.toString("latin1")));
    socket.on("end", () => (this.ended = true));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.failed = error.code));
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  static async to(port: number): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const client = new Client(socket);
    await new Promise((resolve) => socket.once("connect", resolve));
    return client;
  }

  /** The server has ended it; our end is closed now, too. */
  async over(): Promise<void> {
    await until(() => this.ended || this.failed !== undefined);
    this.socket.end();
  }
  async hears(text: string): Promise<void> {
    await until(() => this.received.includes(text));
  }
}

async function until(what: () => boolean, ms = 5000): Promise<void> {
  for (const end = performance.now() + ms; !what() && performance.now() < end;) await Bun.sleep(1);
  expect(what()).toBe(true);
}

async function echo(connection: Connection<string>): Promise<void> {
  for await (const bytes of connection) await connection.write(bytes);
}

describe("a connection", () => {
  test("is closed when its handler returns, and what was written arrives", async () => {
    const big = new Uint8Array(8_000_000).fill(0x61);
    const { port } = serve((connection) => void connection.write(big));
    const client = await Client.to(port);
    await client.over();
    expect([client.received.length, client.ended, client.failed]).toEqual([
      big.length,
      true,
      undefined,
    ]);
  });

  test("is reset when its handler throws; the others and the server go on", async () => {
    const reported: unknown[] = [];
    const { port, server } = serve(
      async (connection) => {
        const some = await connection.readSome();
        if (some?.[0] === 0x78) throw new Error("x");
        if (some) await connection.write(some);
      },
      { trouble: (error) => void reported.push(error) },
    );
    const bad = await Client.to(port);
    const good = await Client.to(port);
    bad.socket.write("x");
    await bad.closed;
    expect(bad.failed).toBe("ECONNRESET");
    good.socket.write("y");
    await good.hears("y");
    await until(() => server.active === 0);
    expect(reported).toEqual([new Error("x")]);
  });

  test("knows its client, its own address, its start and its context", async () => {
    const seen: unknown[] = [];
    const before = Date.now();
    const { port } = serve((connection) => {
      seen.push(connection.client.address, connection.local.port, connection.context);
      seen.push(connection.startedAt >= before && connection.startedAt <= Date.now());
      seen.push(connection.client.port, connection.secured);
      connection.context = "its own";
    });
    const client = await Client.to(port);
    const { localPort } = client.socket;
    await client.over();
    expect(seen).toEqual(["127.0.0.1", port, "ours", true, localPort, undefined]);
  });

  test("is read into memory of the handler's, without a promise when bytes are there", async () => {
    const counts: (number | string)[] = [];
    const { port } = serve(async (connection) => {
      const into = new Uint8Array(4);
      const first = connection.read(into);
      counts.push(typeof first, await first); // nothing yet
      await Bun.sleep(50);
      const second = connection.read(into);
      counts.push(typeof second, await second, String.fromCharCode(...into));
      counts.push(await connection.read(into), await connection.read(into));
    });
    const client = await Client.to(port);
    await Bun.sleep(20);
    client.socket.end("abcdefghij");
    await client.closed;
    expect(counts).toEqual(["object", 4, "number", 4, "efgh", 2, 0]);
  });

  test("half-closed by its client goes on to be written to", async () => {
    const { port } = serve(async (connection) => {
      let bytes = 0;
      for await (const some of connection) bytes += some.length;
      await connection.write(new TextEncoder().encode(`${bytes} bytes`));
    });
    const client = await Client.to(port);
    client.socket.end("x".repeat(100_000));
    await client.closed;
    expect(client.received).toBe("100000 bytes");
  });

  test("finished by the handler goes on to be read", async () => {
    let read = "";
    const { port } = serve(async (connection) => {
      await connection.finish();
      for await (const some of connection) read += new TextDecoder().decode(some);
    });
    const client = await Client.to(port);
    await until(() => client.ended);
    client.socket.end("late");
    await client.closed;
    expect(read).toBe("late");
  });

  test("is a pair of streams", async () => {
    const { port } = serve((connection) => connection.readable.pipeTo(connection.writable));
    const client = await Client.to(port);
    const text = "round and round ".repeat(50_000);
    client.socket.end(text);
    await client.closed;
    expect(client.received).toBe(text);
  });

  test("closed with bytes unread does not lose what was said", async () => {
    const answer = "413 too much\n".repeat(1000);
    const { port } = serve(async (connection) => {
      await connection.readSome();
      await connection.write(new TextEncoder().encode(answer));
    });
    const client = await Client.to(port);
    for (let i = 0; i < 20; i++) client.socket.write("y".repeat(60_000));
    await until(() => client.ended);
    client.socket.end();
    expect([client.received.length, client.failed]).toEqual([answer.length, undefined]);
  });

  test("lends its descriptor to who moves bytes without us", async () => {
    const { port, server } = serve(async (connection) => {
      const fd = await connection.lend();
      await Bun.write(Bun.file(fd), "straight to the socket");
    });
    const client = await Client.to(port);
    await client.over();
    expect(client.received).toBe("straight to the socket");
    await until(() => server.active === 0);
  });

  test("that breaks tells its reader, and nobody else", async () => {
    const reported: unknown[] = [];
    let caught: unknown;
    const { port, server } = serve(
      async (connection) => {
        await connection.readSome();
        await connection.readSome().catch((error) => {
          caught = error;
          throw error;
        });
      },
      { trouble: (error) => void reported.push(error) },
    );
    const client = await Client.to(port);
    client.socket.write("a");
    await Bun.sleep(20);
    client.socket.resetAndDestroy();
    await until(() => server.active === 0 && caught !== undefined);
    expect([(caught as Error).name, reported]).toEqual(["ConnectionLost", []]);
  });

  test("waits for a slow client instead of filling memory", async () => {
    let waited = 0;
    const chunk = new Uint8Array(1 << 20);
    const { port } = serve(async (connection) => {
      for (let i = 0; i < 64; i++) {
        const wait = connection.write(chunk);
        if (wait === undefined) continue;
        waited++;
        await wait;
      }
    });
    const client = await Client.to(port);
    client.socket.pause();
    await Bun.sleep(100);
    expect(waited).toBe(1);
    client.socket.resume();
    await client.over();
    expect(client.received.length).toBe(64 << 20);
  });

  test("silent for too long is reset; one whose handler is at work is not", async () => {
    const { port, server } = serve(
      async (connection) => {
        const some = await connection.readSome();
        if (some === undefined) return;
        await Bun.sleep(1600);
        await connection.write(some);
      },
      { idleTimeout: 500 },
    );
    const silent = await Client.to(port);
    const patient = await Client.to(port);
    patient.socket.write("slow");
    await silent.closed;
    expect(silent.failed).toBe("ECONNRESET");
    await patient.hears("slow");
    await until(() => server.active === 0);
  });
});

describe("shutting down", () => {
  // Each row is a bug of tcpserver's, or what it does right.
  test("without a deadline waits for the handlers (tcpserver returned at once)", async () => {
    const { port, server } = serve(async (connection) => {
      await Bun.sleep(300);
      await connection.write(new TextEncoder().encode("done"));
    });
    const client = await Client.to(port);
    await until(() => server.active === 1);
    const began = performance.now();
    expect(await server.shutdown(0)).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(200);
    await client.hears("done");
  });

  test("with a deadline is over as soon as all are gone (tcpserver always slept through)", async () => {
    const { port, server } = serve(() => Bun.sleep(100));
    await Client.to(port);
    await until(() => server.active === 1);
    const began = performance.now();
    expect(await server.shutdown(5000)).toBe(true);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test("at its deadline resets who is left", async () => {
    const { port, server } = serve(echo);
    const client = await Client.to(port);
    await until(() => server.active === 1);
    const began = performance.now();
    expect(await server.shutdown(150)).toBe(false);
    expect(performance.now() - began).toBeWithin(100, 1000);
    await client.closed;
    expect(client.failed).toBe("ECONNRESET");
  });

  test("halt resets everybody now, even while a shutdown waits for ever", async () => {
    const { port, server } = serve(echo);
    const client = await Client.to(port);
    await until(() => server.active === 1);
    const patient = server.shutdown();
    await server.halt();
    expect(await patient).toBe(false);
    await client.closed;
    expect(client.failed).toBe("ECONNRESET");
  });

  test("handlers hear of it and may end at a good moment", async () => {
    const { port, server } = serve(async (connection) => {
      while (!server.stopping.aborted) {
        const some = await connection.readSome();
        if (some === undefined) return;
        await connection.write(some);
      }
    });
    const client = await Client.to(port);
    await until(() => server.active === 1);
    const end = server.shutdown();
    client.socket.write("last");
    await client.over();
    expect([await end, client.received]).toEqual([true, "last"]);
  });

  test("closes the port at once", async () => {
    const { port, server } = serve(echo);
    await Client.to(port);
    await until(() => server.active === 1);
    void server.shutdown();
    const late = new Client(connect(port, "127.0.0.1"));
    await late.closed;
    expect(late.failed).toBe("ECONNREFUSED");
  });

  test("comes by itself after maxAccepted connections", async () => {
    const { port, server } = serve((connection) => connection.write(new Uint8Array(1)), {
      maxAccepted: 3,
    });
    for (let i = 0; i < 3; i++) await (await Client.to(port)).over();
    expect([await server.shutdown(), server.accepted]).toEqual([true, 3]);
    const late = new Client(connect(port, "127.0.0.1"));
    await late.closed;
    expect(late.failed).toBe("ECONNREFUSED");
  });
});

test("above maxConnections clients wait in the backlog", async () => {
  const { port, server } = serve(echo, { socket: { maxConnections: 2 } });
  const clients = await Promise.all([1, 2, 3].map(() => Client.to(port)));
  for (const { socket } of clients) socket.write("hello");
  await until(() => clients.filter((c) => c.received !== "").length === 2);
  expect(server.active).toBe(2);
  clients.find((c) => c.received !== "")?.socket.end();
  await until(() => clients.every((c) => c.received === "hello"));
});

test("a trusted PROXY header says who the client is", async () => {
  const seen: string[] = [];
  const { port } = serve((c) => void seen.push(`${c.client.address} ${c.client.port}`), {
    socket: { proxyProtocol: "any", trusted: ["127.0.0.0/8"] },
  });
  const client = await Client.to(port);
  client.socket.end("PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n");
  await client.closed;
  expect(seen).toEqual(["192.0.2.7 4711"]);
});

const ca = await certificate({ common: "our CA", authority: true });
const ours = await certificate({ names: ["a.example"], issuer: ca });
const client = await certificate({ common: "kim", issuer: ca });
const stranger = await certificate({ common: "eve" });

describe("TLS", () => {
  const certificates = new CertificateStore();
  certificates.change({ certificates: [{ ...ours, names: ["a.example"] }] });
  const tls: ServerTls = { certificates, alpn: ["echo/1"] };

  function over(socket: Socket): Client {
    return new Client(socket);
  }
  const options = { servername: "a.example", ca: ca.cert, host: "127.0.0.1" };

  test("from the first byte: name, ALPN and version are known", async () => {
    const seen: unknown[] = [];
    const { port } = serve(
      (connection) => {
        seen.push(connection.secured);
        return echo(connection);
      },
      { tls },
    );
    const peer = over(connectTls({ ...options, port, ALPNProtocols: ["other", "echo/1"] }));
    const text = "secret ".repeat(100_000);
    peer.socket.write(text);
    await until(() => peer.received.length === text.length);
    expect(peer.received).toBe(text);
    expect(seen).toEqual([
      { serverName: "a.example", alpn: "echo/1", version: "TLSv1.3", clientName: undefined },
    ]);
    peer.socket.end();
    await peer.closed;
    expect(peer.failed).toBe(undefined);
  });

  test("later, when the protocol asks for it", async () => {
    const { port } = serve(
      async (connection) => {
        await connection.readSome();
        await connection.write(new TextEncoder().encode("go ahead"));
        const secured = await connection.startTls();
        await connection.write(new TextEncoder().encode(`now ${secured?.version}`));
        await echo(connection);
      },
      { tls, startTls: true },
    );
    const clear = await Client.to(port);
    clear.socket.write("STARTTLS\r\n");
    await clear.hears("go ahead");
    clear.socket.removeAllListeners("data");
    const peer = over(connectTls({ ...options, socket: clear.socket }));
    peer.socket.write(" hello");
    await peer.hears("now TLSv1.3 hello");
    peer.socket.end();
  });

  test.each([
    { story: "a good one", verify: "require", shown: client, seen: "kim" },
    { story: "none", verify: "require", shown: undefined, seen: undefined },
    { story: "a stranger's", verify: "require", shown: stranger, seen: undefined },
    { story: "a good one", verify: "optional", shown: client, seen: "kim" },
    { story: "none", verify: "optional", shown: undefined, seen: "nobody" },
    { story: "a stranger's", verify: "optional", shown: stranger, seen: undefined },
  ] as const)("a client certificate, $verify: $story", async ({ verify, shown, seen }) => {
    const names: (string | undefined)[] = [];
    const { port, server } = serve(
      (connection) => {
        names.push(connection.secured?.clientName ?? "nobody");
        return echo(connection);
      },
      { tls: { ...tls, clients: { ca: ca.cert, verify } } },
    );
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const peer = over(
        connectTls({ ...options, ...shown, port, minVersion: version, maxVersion: version }),
      );
      peer.socket.write("hello");
      if (seen === undefined) await peer.closed;
      else await peer.hears("hello");
      peer.socket.end();
      await until(() => server.active === 0);
    }
    expect(names).toEqual(seen === undefined ? [] : [seen, seen]);
  });

  test("whoever does not shake hands in time is put out", async () => {
    const { port, server } = serve(echo, { tls, handshakeTimeout: 200 });
    const mute = await Client.to(port);
    await mute.over();
    await until(() => server.active === 0, 2000);
  });

  test("whoever speaks something else is put out", async () => {
    const { port, server } = serve(echo, { tls });
    const http = await Client.to(port);
    http.socket.write("GET / HTTP/1.1\r\n\r\n");
    await until(() => http.ended || http.failed !== undefined);
    await until(() => server.active === 0);
  });
});
