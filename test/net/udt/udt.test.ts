import { afterEach, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";

import { reactor } from "../../../src/net/reactor-loop.ts";
import { UdtEndpoint } from "../../../src/net/udt/endpoint.ts";
import { UdtLost, UdtStream } from "../../../src/net/udt/stream.ts";
import {
  connectUdt,
  rendezvousUdt,
  UdtListener,
  type UdtWishes,
} from "../../../src/net/udt/udt.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { freePort } from "../../fake/ports.ts";
import { udpRelay } from "../../fake/udp-relay.ts";
import { needs } from "../../sys/needs.ts";
import { receivePattern, sendPattern } from "./moving.ts";

const MB = 1_000_000;
const hasIp6 = await Bun.file("/proc/net/if_inet6").exists();
const listeners: UdtListener[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});

/** A listener that hands out what it accepts. */
function listening(
  address = "127.0.0.1:0",
  wishes: UdtWishes = {},
): { to: string; port: number; next: () => Promise<UdtStream>; listener: UdtListener } {
  const came: UdtStream[] = [];
  const wanted: ((stream: UdtStream) => void)[] = [];
  const listener = new UdtListener(
    address,
    (stream) => {
      const first = wanted.shift();
      if (first === undefined) came.push(stream);
      else first(stream);
    },
    wishes,
  );
  listeners.push(listener);
  const { port } = listener.address;
  const to = address.includes("::1") ? `[::1]:${port}` : `127.0.0.1:${port}`;
  return {
    to,
    port,
    listener,
    next: () => {
      const first = came.shift();
      return first === undefined
        ? new Promise((resolve) => wanted.push(resolve))
        : Promise.resolve(first);
    },
  };
}

/** On loopback; nobody is listening to it yet. */
function quietEndpoint(): UdtEndpoint {
  return new UdtEndpoint({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    kind: "stream",
    reactor: reactor(),
    congestion: () => new Bbr(),
  });
}

async function pair(
  wishes: UdtWishes = {},
): Promise<{ a: UdtStream; b: UdtStream; listener: UdtListener }> {
  const { to, next, listener } = listening("127.0.0.1:0", wishes);
  const [a, b] = await Promise.all([connectUdt(to, wishes), next()]);
  return { a, b, listener };
}

describe("a stream", () => {
  test.each([
    { story: "IPv4", listen: "127.0.0.1:0", to: "127.0.0.1" },
    { story: "IPv6", listen: "[::1]:0", to: "[::1]" },
    { story: "IPv4 to a listener for both", listen: ":0", to: "127.0.0.1" },
    { story: "IPv6 to a listener for both", listen: ":0", to: "[::1]" },
  ])("$story: both ways at once", async ({ listen, to }) => {
    if (!hasIp6) return;
    const { next, port } = listening(listen);
    const [a, b] = await Promise.all([connectUdt(`${to}:${port}`), next()]);
    const moved = await Promise.all([
      sendPattern(a, 3 * MB),
      sendPattern(b, 2 * MB),
      receivePattern(a, 2 * MB),
      receivePattern(b, 3 * MB),
    ]);
    expect(moved.slice(2)).toEqual([2 * MB, 3 * MB]);
    expect(a.stats.retransmitted).toBeLessThan(100);
    await a.end();
    expect(await b.read(new Uint8Array(1))).toBe(0);
    expect([a.state, b.state]).toEqual(["closed", "closed"]);
  });

  test("what was written is delivered before the end", async () => {
    const { a, b } = await pair();
    const [got] = await Promise.all([
      receivePattern(b),
      sendPattern(a, 5 * MB + 1).then(() => a.end()),
    ]);
    expect(got).toBe(5 * MB + 1);
    expect(a.unacknowledged).toBe(0);
  });

  test("a reader that does not read holds the writer back, and loses nothing", async () => {
    const { a, b } = await pair({ receivePackets: 256, sendPackets: 256 });
    let written = 0;
    const writing = (async () => {
      for (; written < 20; written++) await sendPattern(a, 65_536);
      await a.end();
    })();
    await Bun.sleep(300);
    expect(written).toBeLessThan(16); // 2 × 256 packets are 12 × 64 KB
    let got = 0;
    for await (const bytes of b) got += bytes.length;
    await writing;
    expect(got).toBe(20 * 65_536);
  });

  test("bytes as they come, in pieces of one's own", async () => {
    const { a, b } = await pair();
    const text = new TextEncoder();
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const bytes of b) pieces.push(new TextDecoder().decode(bytes));
    })();
    for (const word of ["one", "two", "three"]) {
      await a.write(text.encode(word));
      await a.delivered();
    }
    await a.end();
    await reading;
    expect(pieces.join("")).toBe("onetwothree");
  });

  test("one socket carries many connections", async () => {
    const { to, next, listener } = listening();
    const both = async (i: number): Promise<number> => {
      const bytes = 20_000 + i * 1000;
      const [a, b] = [await connectUdt(to), await next()];
      const [, got] = await Promise.all([
        sendPattern(a, bytes).then(() => a.end()),
        receivePattern(b),
      ]);
      return got - bytes;
    };
    const wrong = await Promise.all(Array.from({ length: 40 }, (_, i) => both(i)));
    // Who got which stream of the listener is chance: together they are what was sent.
    expect(wrong.reduce((sum, n) => sum + n, 0)).toBe(0);
    await Bun.sleep(50);
    expect(listener.size).toBe(0);
  });

  test("a peer that says something and is gone at once was there, and is read to its end", async () => {
    const { next, port } = listening();
    const endpoint = quietEndpoint();
    const stream = new UdtStream(endpoint.dial("client", "127.0.0.1", port, () => {})!); // an address
    const peer = await next();
    await peer.write(new TextEncoder().encode("hello"));
    await peer.end();
    while (stream.state !== "closed") await Bun.sleep(1);
    await stream.opened();
    let heard = "";
    for await (const piece of stream) heard += new TextDecoder().decode(piece);
    expect(heard).toBe("hello");
    expect(() => stream.write(new Uint8Array(1))).toThrow(UdtLost);
    endpoint.close();
  });

  test("several from one socket to one socket", async () => {
    const { next, port } = listening();
    const endpoint = quietEndpoint();
    const lines = Array.from({ length: 5 }, () =>
      endpoint.dial("client", "127.0.0.1", port, () => {}),
    );
    const streams = lines.map((line) => new UdtStream(line!)); // 127.0.0.1 is an address
    const accepted = await Promise.all(streams.map(async (s) => (await s.opened(), next())));
    expect(endpoint.size).toBe(5);
    const got = await Promise.all([
      ...accepted.map((stream) => receivePattern(stream)),
      ...streams.map(async (stream) => {
        await sendPattern(stream, MB);
        await stream.end();
      }),
    ]);
    expect(got.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => MB));
    endpoint.close();
  });
});

describe("messages", () => {
  test("come whole", async () => {
    const { a, b } = await pair({ kind: "message" });
    const sizes = [1, 100, 1456, 1457, 10_000, 200_000];
    for (const [i, size] of sizes.entries())
      await a.sendMessage(new Uint8Array(size).fill(i + 1), { inOrder: true });
    const into = new Uint8Array(MB);
    const heard: [number, number][] = [];
    for (let i = 0; i < sizes.length; i++) {
      const n = await b.readMessage(into);
      expect(into.subarray(0, n).every((byte) => byte === into[0])).toBe(true);
      heard.push([n, into[0] ?? 0]);
    }
    expect(heard).toEqual(sizes.map((size, i) => [size, i + 1]));
    await a.end();
    expect(await b.readMessage(into)).toBe(-1);
  });

  test("more than the buffers hold wait their turn", async () => {
    const { a, b } = await pair({ kind: "message", sendPackets: 64, receivePackets: 64 });
    const into = new Uint8Array(10_000);
    const saying = (async () => {
      for (let i = 0; i < 100; i++)
        await a.sendMessage(new Uint8Array(5000).fill(i), { inOrder: true });
      await a.end();
    })();
    const heard: number[] = [];
    for (let n = await b.readMessage(into); n >= 0; n = await b.readMessage(into))
      heard.push(into[0] ?? -1);
    await saying;
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

test("rendezvous: nobody listens", async () => {
  const [one, two] = [await freePort(), await freePort()];
  const [a, b] = await Promise.all([
    rendezvousUdt(`127.0.0.1:${two}`, { from: `127.0.0.1:${one}` }),
    rendezvousUdt(`127.0.0.1:${one}`, { from: `127.0.0.1:${two}` }),
  ]);
  const [, got] = await Promise.all([sendPattern(a, MB).then(() => a.end()), receivePattern(b)]);
  expect(got).toBe(MB);
});

describe("a bad link", () => {
  test.each([
    { story: "lossy", loss: 0.05, duplicate: 0, reorder: 0 },
    { story: "all of it", loss: 0.05, duplicate: 0.02, reorder: 0.05 },
  ])(
    "$story",
    async ({ loss, duplicate, reorder }) => {
      const { port, next } = listening();
      using relay = await udpRelay(port, { loss, duplicate, reorder, seed: 7 });
      const [a, b] = await Promise.all([connectUdt(`127.0.0.1:${relay.port}`), next()]);
      const [, got] = await Promise.all([
        sendPattern(a, 10 * MB).then(() => a.end()),
        receivePattern(b),
      ]);
      expect(got).toBe(10 * MB);
      expect(relay.lost).toBeGreaterThan(100);
      expect(a.stats.retransmitted).toBeGreaterThan(50);
    },
    30_000,
  );
});

describe("when it ends otherwise", () => {
  test("nobody is there", async () => {
    const nobody = await freePort();
    const failed = connectUdt(`127.0.0.1:${nobody}`);
    expect(await failed.catch((error: unknown) => error)).toBeInstanceOf(UdtLost);
  }, 10_000);

  test("the other breaks off: what came is read, then it is the end", async () => {
    const { a, b } = await pair();
    await a.write(new Uint8Array(1000));
    await a.delivered();
    a.abort();
    const into = new Uint8Array(2000);
    expect(await b.read(into)).toBe(1000);
    expect(await b.read(into)).toBe(0);
    expect(() => b.write(into)).toThrow(UdtLost);
  });

  test("a listener that closes breaks off what it has", async () => {
    const { a, listener } = await pair();
    const reading = a.read(new Uint8Array(1));
    listener.close();
    expect(await reading).toBe(0);
  });

  test("who has missed every farewell is told when he speaks", async () => {
    const { port, next } = listening();
    const weather = { loss: 0, duplicate: 0, reorder: 0, seed: 1 };
    using relay = await udpRelay(port, weather);
    const a = await connectUdt(`127.0.0.1:${relay.port}`);
    const b = await next();
    await a.write(new Uint8Array(1));
    weather.loss = 1;
    b.abort();
    await b.end();
    expect(a.state).toBe("open");
    weather.loss = 0;
    expect(await a.read(new Uint8Array(1))).toBe(0);
    expect(a.state).toBe("closed");
  });

  needs(hasIp6, "IPv6")("packets over IPv6 have room for its longer header", async () => {
    const { listener, next } = listening(`:${await freePort()}`);
    const sizes: number[] = [];
    for (const host of ["127.0.0.1", "[::1]"]) {
      const a = await connectUdt(`${host}:${listener.address.port}`, { mss: 1500 });
      const b = await next();
      await sendPattern(a, 20 * 1456);
      await a.end();
      expect(await receivePattern(b)).toBe(20 * 1456);
      sizes.push(b.stats.packetsReceived);
    }
    expect(sizes).toEqual([20, 21]);
  });

  needs(hasIp6, "IPv6")("an address that is taken", () => {
    const { port } = listening();
    expect(() => new UdtListener(`127.0.0.1:${port}`, () => {})).toThrow("EADDRINUSE");
    expect(() => new UdtListener("localhost:1", () => {})).toThrow("no IP address");
  });

  test("strangers' datagrams make nothing, get no answer and are counted", async () => {
    const endpoint = quietEndpoint();
    const { promise, resolve } = Promise.withResolvers<UdtStream>();
    endpoint.listen((line) => resolve(new UdtStream(line)));
    const { port } = endpoint.address;
    const [a, b] = await Promise.all([connectUdt(`127.0.0.1:${port}`), promise]);
    const { size } = endpoint;
    const socket = createSocket("udp4");
    let heard = 0;
    socket.on("message", () => heard++);
    await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
    for (const length of [3, 15, 16, 17, 64, 1472])
      for (const fill of [0, 1, 0x7f, 0x80, 0xff])
        socket.send(new Uint8Array(length).fill(fill), port, "127.0.0.1");
    while (endpoint.strangers.unknown < 30) await Bun.sleep(1);
    const [, got] = await Promise.all([sendPattern(a, 100_000), receivePattern(b, 100_000)]);
    expect([got, endpoint.size, heard]).toEqual([100_000, size, 0]);
    expect(endpoint.strangers).toEqual({ unknown: 30, cookies: 1, refused: 0 });
    socket.close();
    endpoint.close();
  });

  test("those who are refused are counted", async () => {
    const endpoint = quietEndpoint();
    endpoint.listen(() => {});
    const to = `127.0.0.1:${endpoint.address.port}`;
    expect(connectUdt(to, { kind: "message" })).rejects.toThrow("refused");
    while (endpoint.strangers.refused === 0) await Bun.sleep(1);
    expect(endpoint.strangers).toEqual({ unknown: 0, cookies: 1, refused: 1 });
    endpoint.close();
  });
});

test("the README's example says hello", async () => {
  const child = Bun.spawn([process.execPath, new URL("echo.ts", import.meta.url).pathname], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(await new Response(child.stdout).text()).toBe("hello");
  expect(await child.exited).toBe(0);
});
