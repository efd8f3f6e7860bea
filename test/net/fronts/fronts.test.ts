import { afterAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";

import { DEFAULT_SOCKET } from "../../../src/core/socket-options.ts";
import { DEFAULT_LIMITS } from "../../../src/net/http-fronts.ts";
import { placeholder } from "../../../src/net/tls/self-signed.ts";
import { bindDatagram } from "../../../src/sys/datagram-socket.ts";
import { close } from "../../../src/sys/socket.ts";
import { type HttpHandler, respond } from "../../../src/wire/http/message.ts";
import { realFronts, serving } from "../../fake/fronts.ts";
import { freePort } from "../../fake/ports.ts";

const certificate = await placeholder("localhost", Date.now());
/** A UDP socket that shares its port with nobody. */
const OWN = { reusePort: false, buffer: 65_536 };
const open: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(open.map((s) => s.close()));
});

const who: HttpHandler = (r) =>
  respond(
    200,
    [],
    `${r.protocol} ${r.secure ? "tls" : "clear"} ${r.client.address} ${r.host} ${r.path}`,
  );

async function start(site: Parameters<typeof serving>[1], withTls = false) {
  const serve = await serving(realFronts(certificate), { ...site, tls: withTls });
  open.push(serve);
  return serve.port;
}

/** Say `text`, answer all that comes back until the peer closes or `ms` pass in silence. */
function talk(port: number, text: string | Uint8Array, ms = 500): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    let heard = "";
    socket.setTimeout(ms, () => socket.destroy());
    socket.on("data", (d) => (heard += d.toString("latin1")));
    socket.on("error", () => {}); // a reset is an end, too
    socket.on("close", () => resolve(heard));
  });
}

async function curl(...args: string[]): Promise<string> {
  const child = Bun.spawn(["curl", "-sk", "--max-time", "5", ...args], { stdout: "pipe" });
  return new Response(child.stdout).text();
}

const GET = "GET /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

describe("protocols", () => {
  test.each([
    { args: ["--http1.1"], tls: false, says: "HTTP/1.1 clear 127.0.0.1" },
    { args: ["--http2-prior-knowledge"], tls: false, says: "HTTP/2 clear 127.0.0.1" },
    { args: ["--http1.1"], tls: true, says: "HTTP/1.1 tls 127.0.0.1" },
    { args: ["--http2"], tls: true, says: "HTTP/2 tls 127.0.0.1" },
  ])("curl $args, tls $tls", async ({ args, tls, says }) => {
    const port = await start({ handler: who }, tls);
    const text = await curl(...args, `${tls ? "https" : "http"}://127.0.0.1:${port}/a%20b?q`);
    expect(text).toBe(`${says} 127.0.0.1 /a b`);
  });

  test.each([false, true])("a big body up and down, over h1 and h2, tls %p", async (tls) => {
    const handler: HttpHandler = async (r) => {
      const bytes = await new Response(r.body ?? null).bytes();
      return { status: 200, headers: [], body: { kind: "pieces", pieces: [bytes] } };
    };
    const port = await start({ handler }, tls);
    const sent = Buffer.alloc(9_000_000, "0123456789abcdef");
    const versions = tls ? ["--http1.1", "--http2"] : ["--http1.1", "--http2-prior-knowledge"];
    for (const version of versions) {
      const url = `${tls ? "https" : "http"}://127.0.0.1:${port}/`;
      const child = Bun.spawn(["curl", "-sk", version, "-T", "-", url], {
        stdin: sent,
        stdout: "pipe",
      });
      const back = await new Response(child.stdout).bytes();
      expect(Bun.hash(back)).toBe(Bun.hash(sent));
    }
  });
});

describe("virtual hosts", () => {
  test.each([
    { host: "a.example", says: "exact" },
    { host: "A.EXAMPLE:80", says: "exact" },
    { host: "x.b.example", says: "wild" },
    { host: "b.example", says: "any" },
    { host: "deep.x.b.example", says: "wild" },
    { host: "other", says: "any" },
  ])("$host is $says", async ({ host, says }) => {
    const fronts = realFronts();
    const listen = [{ kind: "tcp", host: "127.0.0.1", port: 0 } as const];
    const named = (name: string, hosts: string[]) =>
      serving(fronts, { handler: () => respond(200, [], name), hosts, listen });
    const first = await named("any", ["*"]);
    open.push(first, await named("exact", ["a.example"]), await named("wild", ["*.b.example"]));
    const heard = await talk(
      first.port,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(heard).toEndWith(says);
  });

  test("no site for the host is 421", async () => {
    const port = await start({ handler: who, hosts: ["only.example"] });
    expect(await talk(port, GET)).toStartWith("HTTP/1.1 421 ");
  });
});

describe("PROXY protocol", () => {
  const trusting = { ...DEFAULT_SOCKET, proxyProtocol: "any" as const, trusted: ["127.0.0.0/8"] };
  const v2 = Uint8Array.fromHex(
    "0d0a0d0a000d0a515549540a2111000cc0000207c6336401123400500d0a".slice(0, 56),
  );
  test.each([
    { story: "v1", say: "PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\r\n", says: "192.0.2.7" },
    { story: "v2", say: v2, says: "192.0.2.7" },
    { story: "v1 unknown", say: "PROXY UNKNOWN\r\n", says: "127.0.0.1" },
    { story: "none from a trusted peer is closed", say: "", says: undefined },
    { story: "half a line is closed in the end", say: "PROXY TCP4 192.0.2.7\r\n", says: undefined },
  ])("$story", async ({ say, says }) => {
    const port = await start({ handler: who, socket: trusting });
    const heard = await talk(port, Buffer.concat([Buffer.from(say), Buffer.from(GET)]), 300);
    if (says === undefined) expect(heard).toBe("");
    else expect(heard).toEndWith(`${says} h /p`);
  });

  test("a stranger's header is no header", async () => {
    const port = await start({ handler: who, socket: { ...trusting, trusted: ["10.0.0.0/8"] } });
    expect(await talk(port, `PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\r\n${GET}`)).toStartWith(
      "HTTP/1.1 400 ",
    );
  });

  test("in front of TLS", async () => {
    const port = await start({ handler: who, socket: trusting }, true);
    expect(await curl("--haproxy-protocol", "--http1.1", `https://127.0.0.1:${port}/x`)).toContain(
      "tls 127.0.0.1",
    );
  });
});

describe("limits", () => {
  test("connections beyond max_connections wait their turn", async () => {
    const port = await start({
      handler: who,
      socket: { ...DEFAULT_SOCKET, maxConnections: 2, deferAccept: 0 },
    });
    const held = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Bun.sleep(100);
    const waiting = talk(port, GET, 3000);
    const early = await Promise.race([waiting, Bun.sleep(300).then(() => "waits")]);
    expect(early).toBe("waits");
    held[0]?.destroy();
    expect(await waiting).toContain("200 OK");
    held[1]?.destroy();
  });

  test("a head that drips in is cut off with 408", async () => {
    const limits = { ...DEFAULT_LIMITS, headTimeout: 300 };
    const port = await start({ handler: who, limits });
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    socket.on("data", (d) => (heard += d.toString()));
    const drip = setInterval(() => socket.write("x"), 50);
    socket.write("GET / HTTP/1.1\r\nHost: h\r\nX: ");
    await new Promise((resolve) => socket.on("close", resolve));
    clearInterval(drip);
    expect(heard).toStartWith("HTTP/1.1 408 ");
  });

  test("a client that does not finish the TLS handshake is dropped", async () => {
    const limits = { ...DEFAULT_LIMITS, headTimeout: 300 };
    const port = await start({ handler: who, limits }, true);
    const began = performance.now();
    await talk(port, Uint8Array.of(22, 3, 1, 0, 200, 1), 5000);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});

describe("leaving", () => {
  test("a request in hand is answered, a new one is not accepted", async () => {
    const gate = Promise.withResolvers<void>();
    const fronts = realFronts();
    const { port } = await serving(fronts, {
      handler: async () => {
        await gate.promise;
        return respond(200, [], "late but whole");
      },
    });
    const asked = talk(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 5000);
    await Bun.sleep(100);
    const drained = fronts.drain(AbortSignal.timeout(4000));
    await Bun.sleep(50);
    gate.resolve();
    const heard = await asked;
    await drained;
    expect(heard).toContain("Connection: close");
    expect(heard).toEndWith("late but whole");
  });

  test("whoever asks twice waits no longer than the less patient", async () => {
    const fronts = realFronts();
    const { port } = await serving(fronts, { handler: () => new Promise(() => {}) });
    const asked = talk(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 5000);
    await Bun.sleep(100);
    const began = performance.now();
    await Promise.all([
      fronts.drain(AbortSignal.timeout(4000)),
      fronts.drain(AbortSignal.timeout(200)),
    ]);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(await asked).toBe("");
  });

  test("the last site with HTTP/3 takes its port along, whoever else is on the listener", async () => {
    const fronts = realFronts(certificate);
    const port = await freePort();
    const listen = [{ kind: "tcp", host: "127.0.0.1", port } as const];
    const site = { handler: who, tls: true, listen };
    const old = await serving(fronts, { ...site, http3: true, hosts: ["old"] });
    const next = await serving(fronts, { ...site, http3: true, hosts: ["next"] });
    open.push(await serving(fronts, { ...site, hosts: ["other"] }));
    await old.close();
    expect(() => bindDatagram(listen[0]!, OWN)).toThrow("EADDRINUSE");
    await next.close();
    close(bindDatagram(listen[0]!, OWN).fd);
    // And is had again by the next that wants it.
    open.push(await serving(fronts, { ...site, http3: true, hosts: ["again"] }));
    expect(() => bindDatagram(listen[0]!, OWN)).toThrow("EADDRINUSE");
  });

  test("a site replaced under a listener keeps its connections", async () => {
    const fronts = realFronts();
    const listen = [{ kind: "tcp", host: "127.0.0.1", port: 0 } as const];
    const old = await serving(fronts, { handler: () => respond(200, [], "old"), listen });
    const socket = connect(old.port, "127.0.0.1");
    let heard = "";
    socket.on("data", (d) => (heard += d.toString()));
    socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await Bun.sleep(100);
    open.push(await serving(fronts, { handler: () => respond(200, [], "new"), listen }));
    await old.close();
    socket.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
    expect(heard.match(/old|new/g)).toEqual(["old", "new"]);
  });
});
