import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { until } from "./from-source.ts";
import { END_STREAM, frame, H2, uint32 } from "./h2-frames.ts";
import { openFiles, residentBytes } from "./process-facts.ts";
import { type TwoSites, twoSites } from "./two-sites.ts";
import { type Dial, dial, latin1, responses, type Wire } from "./wire.ts";

setDefaultTimeout(60_000); // patience itself is tested

const MB = 2 ** 20;
const BIG = 200 * MB;
const HEAD = "GET /hello.txt HTTP/1.1\r\nHost: a\r\n";
const GET = `${HEAD}\r\n`;
const ASKS_BIG = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/big.bin"],
  [":authority", "a"],
] as const;
/** Two hundred TLS handshakes at once have to fit into the first of them, on a machine that is busy. */
const LIMITS = { head_timeout: "2500ms", body_timeout: "2s", keep_alive: "2s" };
/** The longest of them, the sweep that finds who is late, and a busy machine. */
const ALL_OVER_MS = 5000;
/** So long a machine that is busy may take for anything. */
const BUSY_MS = 20_000;
const kinds = ["clear", "tls"] as const;

/** How much longer a server that slow clients hold on to may take for a stranger than one that nobody does. */
const NO_LATER_MS = 1500;

let sites: TwoSites;
/** The same, with nobody else there. */
let idle: TwoSites;
beforeAll(async () => {
  sites = await twoSites(BIG, { limits: LIMITS, webdav: { enabled: true } });
  idle = await twoSites(1, { limits: LIMITS });
});
afterAll(() => Promise.all([sites[Symbol.asyncDispose](), idle[Symbol.asyncDispose]()]));

function many(count: number, kind: "clear" | "tls", how: Dial = {}): Promise<Wire[]> {
  const one = (): Promise<Wire> => dial(sites.ports[kind], { tls: kind === "tls", ...how });
  return Promise.all(Array.from({ length: count }, one));
}

/** A stranger in no hurry, meanwhile, is answered at once: as soon as by a server that has nobody else. */
async function othersAreServed(kind: "clear" | "tls"): Promise<void> {
  const [here, there] = await Promise.all([sites, idle].map((two) => served(two, kind)));
  expect(here! - there!).toBeLessThan(NO_LATER_MS);
}

/** How long a stranger takes to get a small file. Milliseconds. */
async function served({ ports }: TwoSites, kind: "clear" | "tls"): Promise<number> {
  const began = performance.now();
  using wire = await dial(ports[kind], { tls: kind === "tls" });
  wire.say(GET);
  expect(await wire.until((heard) => heard.endsWith("hello\n"), BUSY_MS)).toBe(true);
  return performance.now() - began;
}

describe.each(kinds)("over %s", (kind) => {
  const open = (window = true): Promise<H2> =>
    H2.open(sites.ports[kind], { tls: kind === "tls", window });

  // Waiting is most of what follows: all wait at once, 200 clients in five ways.
  test.concurrent.each([
    { story: "silence", first: "", drip: "" },
    { story: "half a request line", first: "GET /hel", drip: "" },
    { story: "a head that drips in", first: HEAD, drip: "X" },
    { story: "fields that drip in", first: HEAD, drip: "X: y\r\n" },
    { story: "a second head that drips in", first: GET + HEAD, drip: "X" },
  ])("40 clients with $story are gone in time", async ({ first, drip }) => {
    const wires = await many(40, kind);
    for (const wire of wires) if (first) wire.say(first);
    const dripping = setInterval(() => {
      for (const wire of wires) if (drip && wire.state === "open") wire.say(drip);
    }, 200);
    await othersAreServed(kind);
    const gone = await Promise.all(wires.map((wire) => wire.closed(ALL_OVER_MS)));
    clearInterval(dripping);
    expect(gone.filter((one) => !one)).toEqual([]);
    const statuses = new Set(wires.flatMap((wire) => responses(wire.heard).map((r) => r.status)));
    const expected = first === "" ? [] : first.startsWith(GET) ? [200, 408] : [408];
    expect([...statuses].toSorted((a, b) => a - b)).toEqual(expected);
    for (const wire of wires) wire[Symbol.dispose]();
  });

  test.concurrent(
    "100 uploads that stop in the middle are gone in time, and leave nothing",
    async () => {
      const wires = await many(100, kind);
      for (const [i, wire] of wires.entries())
        wire.say(`PUT /up-${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf`);
      await othersAreServed(kind);
      const gone = await Promise.all(wires.map((wire) => wire.closed(ALL_OVER_MS)));
      expect(gone.filter((one) => !one)).toEqual([]);
      const left = (): string[] =>
        readdirSync(join(sites.tern.dir, "www")).filter((name) => /^up-|^\.tern/.test(name));
      await until(() => left().length === 0);
    },
  );

  test.concurrent("an upload that is slow but goes on is taken", async () => {
    const [wire] = await many(1, kind);
    wire!.say(`PUT /slow-${kind}.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 12; i++) {
      await Bun.sleep(250); // three seconds in all: longer than the limit
      wire!.say("3\r\nabc\r\n");
    }
    wire!.say("0\r\n\r\n");
    expect(await wire!.until((heard) => heard.includes("\r\n\r\n"))).toBe(true);
    expect(wire!.heard).toStartWith("HTTP/1.1 201 ");
    expect(await Bun.file(join(sites.tern.dir, "www", `slow-${kind}.txt`)).text()).toBe(
      "abc".repeat(12),
    );
    wire![Symbol.dispose]();
  });

  test.concurrent("a reader who is slow but goes on is not cut off", async () => {
    const [wire] = await many(1, kind, { forget: true });
    wire!.say("GET /big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-59999999\r\n\r\n");
    for (let i = 0; i < 6; i++) {
      wire!.pause();
      await Bun.sleep(600); // longer than the limit in all
      wire!.resume();
      await Bun.sleep(20);
    }
    expect(await wire!.until(() => wire!.bytes > 60_000_000)).toBe(true);
    wire![Symbol.dispose]();
  });

  test.concurrent(
    "a request in hand keeps an HTTP/2 connection that is otherwise silent",
    async () => {
      using h2 = await open();
      h2.ask(
        1,
        [
          [":method", "PUT"],
          [":scheme", "http"],
          [":path", `/h2-${kind}.txt`],
          [":authority", "a"],
        ],
        false,
      );
      await Bun.sleep(3500);
      h2.say(frame("DATA", END_STREAM, 1, latin1("late")));
      expect(await h2.end(1)).toBe("201");
    },
  );

  test("50 readers who stop in the middle of 200 MB cost next to nothing, and are gone in time", async () => {
    const { pid } = sites.tern;
    await othersAreServed(kind);
    const files = openFiles(pid);
    const before = residentBytes(pid);
    const wires = await many(50, kind, { forget: true });
    for (const wire of wires) {
      wire.say("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
      wire.pause();
    }
    await Bun.sleep(1000);
    expect(residentBytes(pid) - before).toBeLessThan(20 * MB);
    await othersAreServed(kind);
    await until(() => openFiles(pid) <= files + 1, ALL_OVER_MS); // big.bin itself stays open
    for (const wire of wires) wire[Symbol.dispose]();
  });

  test.each([
    { story: "a target", say: `GET /${"a".repeat(200_000)} HTTP/1.1\r\n\r\n`, status: 414 },
    { story: "a field", say: `${HEAD}X: ${"a".repeat(200_000)}\r\n\r\n`, status: 431 },
    { story: "a thousand fields", say: `${HEAD}${"X: y\r\n".repeat(1000)}\r\n`, status: 431 },
    {
      story: "10 MB of fields",
      say: `${HEAD}${`X: ${"y".repeat(1000)}\r\n`.repeat(10_000)}`,
      status: 431,
    },
  ])("$story too long is $status, whatever follows", async ({ say, status }) => {
    const [wire] = await many(1, kind);
    wire!.say(say);
    expect(await wire!.closed()).toBe(true);
    // A reset may overtake the answer when more was sent than anybody would read.
    const heard = responses(wire!.heard).map((r) => r.status);
    if (say.length < 250_000 || heard.length > 0) expect(heard).toEqual([status]);
    await othersAreServed(kind);
  });

  describe("by HTTP/2", () => {
    test("100 clients who ask nothing are gone in time", async () => {
      const all = await Promise.all(Array.from({ length: 100 }, () => open()));
      await othersAreServed(kind);
      await Promise.all(all.map((h2) => h2.until(() => h2.state === "closed", ALL_OVER_MS)));
      expect(all.filter((h2) => h2.state === "open")).toEqual([]);
    });

    test("50 readers with no window cost next to nothing", async () => {
      const { pid } = sites.tern;
      const warm = await open();
      warm.ask(1, [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/hello.txt"],
        [":authority", "a"],
      ]);
      expect(await warm.end(1)).toBe("200");
      warm[Symbol.dispose]();
      const before = residentBytes(pid);
      const all = await Promise.all(Array.from({ length: 50 }, () => open(false)));
      for (const h2 of all) h2.ask(1, ASKS_BIG);
      await Bun.sleep(1000);
      expect(residentBytes(pid) - before).toBeLessThan(50 * MB); // 64 KiB each in the window, and streams
      await othersAreServed(kind);
      for (const h2 of all) h2[Symbol.dispose]();
    });
  });
});

describe("as many connections as max_connections", () => {
  test.each(kinds)("the others wait their turn (%s)", async (kind) => {
    const socket = { defer_accept: 0, max_connections: 20 };
    await using small = await twoSites(1, { socket, http2: false });
    const one = (): Promise<Wire> => dial(small.ports[kind], kind === "tls" ? {} : {});
    const first = await Promise.all(Array.from({ length: 20 }, one));
    await Bun.sleep(200);
    const late = dial(small.ports[kind], { tls: kind === "tls" }).then(async (wire) => {
      wire.say(GET);
      return { wire, served: await wire.until((heard) => heard.endsWith("hello\n"), 8000) };
    });
    expect(
      await Promise.race([late.then(() => "served"), Bun.sleep(300).then(() => "waits")]),
    ).toBe("waits");
    first[7]![Symbol.dispose]();
    const { served, wire } = await late;
    expect(served).toBe(true);
    for (const each of [...first, wire]) each[Symbol.dispose]();
  });

  test("a handshake that is refused makes room again", async () => {
    await using small = await twoSites(1, { socket: { defer_accept: 0, max_connections: 1 } });
    using refused = await dial(small.ports.tls);
    refused.say(helloFor("acme-tls/1"));
    expect(await refused.closed()).toBe(true);
    using next = await dial(small.ports.tls, { tls: true });
    next.say(GET);
    expect(await next.until((heard) => heard.endsWith("hello\n"))).toBe(true);
  });
});

describe("while it is told to end", () => {
  test.concurrent.each([
    { story: "an idle connection", kind: "clear", h2: false },
    { story: "an idle TLS connection", kind: "tls", h2: false },
    { story: "an idle HTTP/2 connection", kind: "clear", h2: true },
    { story: "an idle HTTP/2 connection over TLS", kind: "tls", h2: true },
  ] as const)("$story does not hold it up", async ({ kind, h2 }) => {
    await using two = await twoSites(1, {});
    const tls = kind === "tls";
    using peer = h2
      ? await H2.open(two.ports[kind], { tls })
      : await dial(two.ports[kind], { tls });
    if (peer instanceof H2) {
      peer.ask(1, ASKS_BIG);
      expect(await peer.end(1)).toBe("200");
    } else {
      peer.say(GET);
      expect(await peer.until((heard) => heard.endsWith("hello\n"))).toBe(true);
    }
    const began = performance.now();
    two.tern.kill("SIGTERM");
    expect(await two.tern.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(4000);
  });

  test.concurrent.each(kinds)(
    "a download by HTTP/2 (%s) that the client takes its time for is whole",
    async (kind) => {
      await using two = await twoSites(3 * MB, {});
      using h2 = await H2.open(two.ports[kind], { tls: kind === "tls", window: false });
      h2.ask(1, ASKS_BIG);
      expect(await h2.end(1)).toBe("200");
      two.tern.kill("SIGTERM");
      await Bun.sleep(2500); // the window is full, and not a byte goes either way
      h2.say(
        frame("WINDOW_UPDATE", 0, 0, uint32(8 * MB)),
        frame("WINDOW_UPDATE", 0, 1, uint32(8 * MB)),
      );
      expect(await h2.until(() => (h2.data.get(1) ?? "").length === 3 * MB)).toBe(true);
      expect(await two.tern.exited).toBe(0);
    },
  );
});

/** A TLS 1.2 ClientHello that names a server and one protocol (RFC 8446, 4.1.2; RFC 7301, 3.1). */
function helloFor(protocol: string): Uint8Array {
  const u16 = (n: number): number[] => [n >> 8, n & 255];
  const sized = (bytes: readonly number[]): number[] => [...u16(bytes.length), ...bytes];
  const text = (said: string): number[] => [...latin1(said)];
  const alpn = [...u16(16), ...sized(sized([protocol.length, ...text(protocol)]))];
  const name = [...u16(0), ...sized(sized([0, ...sized(text("nobody.example"))]))];
  const body = [
    3,
    3,
    ...Array.from({ length: 32 }, () => 7),
    0,
    0,
    2,
    0x13,
    1,
    1,
    0,
    ...sized([...name, ...alpn]),
  ];
  return Uint8Array.from([22, 3, 1, ...sized([1, 0, ...sized(body)])]);
}
