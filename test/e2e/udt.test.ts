/** Our UDT with libudt's programs, and `tern udt` with itself and with them. */
import { afterEach, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { UdtStream } from "../../src/net/udt/stream.ts";
import { connectUdt, rendezvousUdt, UdtListener, type UdtWishes } from "../../src/net/udt/udt.ts";
import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { udpRelay } from "../fake/udp-relay.ts";
import { receivePattern, sendPattern } from "../net/udt/moving.ts";
import { isPattern, pattern } from "../net/udt/pattern.ts";
import { buildPeers, HAS_LIBUDT, type Peers } from "../net/udt/peers/build.ts";
import { TERN } from "./from-source.ts";

const MB = 1_000_000;
/** What the long rows move; the benchmark moves more. */
const BULK = Number(process.env["TERN_UDT_MB"] ?? 64) * MB;
/**
 * libudt says once that it is gone, and nobody acknowledges that: one bad link in twenty loses it, and then nobody can
 * tell this from silence for 46 s. How that ends is test/wire/udt's; here it is not lost.
 */
const isFarewell = (bytes: Uint8Array): boolean => bytes[0] === 0x80 && bytes[1] === 5;
const WEATHER = { loss: 0.05, duplicate: 0.02, reorder: 0.05, seed: 11, spares: isFarewell };
const PATIENCE = 60_000;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

interface Running {
  /** Of its standard output, once it has ended. */
  readonly said: Promise<string>;
  readonly exited: Promise<number>;
  /** Standard output so far. */
  readonly text: () => string;
  kill(): void;
}

/** A program; it is ended with the test. `ready`: wait until it has said so. */
async function run(command: readonly string[], ready?: string, stdin?: Blob): Promise<Running> {
  const child = Bun.spawn([...command], { stdio: [stdin ?? "ignore", "pipe", "pipe"] });
  ends.push(() => child.kill("SIGKILL"));
  let text = "";
  let problems = "";
  const follow = async (
    from: ReadableStream<Uint8Array>,
    take: (piece: string) => void,
  ): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const piece of from) take(decoder.decode(piece, { stream: true }));
  };
  const said = Promise.all([
    follow(child.stdout, (piece) => (text += piece)),
    follow(child.stderr, (piece) => (problems += piece)),
  ]).then(() => text);
  if (ready !== undefined)
    for (let i = 0; !text.includes(ready) && !problems.includes(ready); i++) {
      if (i > 1000 || child.exitCode !== null)
        throw new Error(`${command.join(" ")}: ${text}${problems}`);
      await Bun.sleep(10);
    }
  return {
    said,
    exited: child.exited.then((code) => {
      if (code !== 0) process.stderr.write(problems);
      return code;
    }),
    text: () => text,
    kill: () => child.kill("SIGKILL"),
  };
}

/** Our listener's first stream. */
function listening(wishes: UdtWishes = {}): { port: number; stream: Promise<UdtStream> } {
  const { promise, resolve } = Promise.withResolvers<UdtStream>();
  const listener = new UdtListener("127.0.0.1:0", resolve, wishes);
  ends.push(() => listener.close());
  return { port: listener.address.port, stream: promise };
}

describe.skipIf(!HAS_LIBUDT)("libudt", () => {
  let peers: Peers | undefined;
  const program = async (name: keyof Peers): Promise<string> =>
    (peers ??= await buildPeers())[name];
  const peer = async (...words: (string | number)[]): Promise<string[]> => [
    await program("peer"),
    ...words.map(String),
  ];

  describe("streams", () => {
    test(
      "it sends, we receive",
      async () => {
        const { port, stream } = listening();
        const child = await run(await peer("send", "127.0.0.1", port, BULK));
        expect(await receivePattern(await stream)).toBe(BULK);
        expect(await child.exited).toBe(0);
      },
      PATIENCE,
    );

    test(
      "we send, it receives",
      async () => {
        const port = await freePort();
        const child = await run(await peer("receive", port), "ready");
        const stream = await connectUdt(`127.0.0.1:${port}`);
        await sendPattern(stream, BULK);
        await stream.end();
        expect(await child.said).toBe(`ready\n${BULK}\n`);
      },
      PATIENCE,
    );

    test(
      "both ways at once, through its echo",
      async () => {
        const port = await freePort();
        await run(await peer("echo", port), "ready");
        const stream = await connectUdt(`127.0.0.1:${port}`);
        const [, got] = await Promise.all([
          sendPattern(stream, 5 * MB),
          receivePattern(stream, 5 * MB),
        ]);
        expect(got).toBe(5 * MB);
        await stream.end();
      },
      PATIENCE,
    );

    test(
      "appclient sends without end, and we have enough of it",
      async () => {
        const { port, stream } = listening();
        const child = await run([await program("appclient"), "127.0.0.1", String(port)]);
        const from = await stream;
        const into = new Uint8Array(1 << 20);
        for (let got = 0; got < BULK;) got += await from.read(into);
        from.abort();
        expect(await child.exited).toBe(0); // it is told, and ends
      },
      PATIENCE,
    );

    test(
      "appserver takes what we send",
      async () => {
        const port = await freePort();
        const child = await run([await program("appserver"), String(port)], "ready");
        const stream = await connectUdt(`127.0.0.1:${port}`);
        await sendPattern(stream, BULK);
        await stream.end();
        expect(stream.unacknowledged).toBe(0);
        child.kill();
      },
      PATIENCE,
    );

    test(
      "a bad link: it sends, we receive",
      async () => {
        const { port, stream } = listening();
        using relay = await udpRelay(port, WEATHER);
        const child = await run(await peer("send", "127.0.0.1", relay.port, 4 * MB, 50));
        expect(await receivePattern(await stream)).toBe(4 * MB);
        expect(await child.exited).toBe(0);
      },
      PATIENCE,
    );

    test(
      "a bad link: we send, it receives",
      async () => {
        const port = await freePort();
        const child = await run(await peer("receive", port), "ready");
        using relay = await udpRelay(port, WEATHER);
        const stream = await connectUdt(`127.0.0.1:${relay.port}`);
        await sendPattern(stream, 4 * MB);
        await stream.end();
        expect(await child.said).toBe(`ready\n${4 * MB}\n`);
      },
      PATIENCE,
    );
  });

  describe("messages", () => {
    test.each([
      { story: "short, in order", size: 100, count: 200, ordered: true },
      { story: "of many packets, in order", size: 20_000, count: 50, ordered: true },
      { story: "in any order", size: 3000, count: 50, ordered: false },
    ])(
      "it says, we hear: $story",
      async ({ size, count, ordered }) => {
        const { port, stream } = listening({ kind: "message" });
        await run(await peer("say", "127.0.0.1", port, count, size, Number(ordered), 0));
        const from = await stream;
        const into = new Uint8Array(1 << 20);
        const heard: number[] = [];
        for (let n = await from.readMessage(into); n >= 0; n = await from.readMessage(into)) {
          expect(n).toBe(size);
          expect(isPattern(into.subarray(4, n), 4)).toBe(true);
          heard.push(new DataView(into.buffer).getUint32(0));
        }
        if (!ordered) heard.sort((a, b) => a - b);
        expect(heard).toEqual(Array.from({ length: count }, (_, i) => i));
      },
      PATIENCE,
    );

    test.each([
      { story: "in order", size: 10_000, inOrder: true },
      { story: "in any order", size: 1400, inOrder: false },
    ])(
      "we say, it hears: $story",
      async ({ size, inOrder }) => {
        const port = await freePort();
        const child = await run(await peer("hear", port), "ready");
        const stream = await connectUdt(`127.0.0.1:${port}`, { kind: "message" });
        const message = Uint8Array.from(pattern(0, size));
        for (let i = 0; i < 50; i++) {
          new DataView(message.buffer).setUint32(0, i);
          await stream.sendMessage(message, { inOrder });
        }
        await stream.end();
        const lines = (await child.said).trim().split("\n").slice(1);
        const heard = lines.map((line) => line.split(" ").map(Number));
        if (!inOrder) heard.sort(([a = 0], [b = 0]) => a - b);
        expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => [i, size]));
      },
      PATIENCE,
    );
  });

  // What is too old may be missing, but nothing is torn, twice or out of turn.
  describe("messages that are not worth waiting for, over a bad link", () => {
    const [size, ttlMs] = [3000, 5];
    const sane = (heard: readonly (readonly number[])[], count: number): void => {
      const numbers = heard.map(([number = -1]) => number);
      expect(heard.every(([, length]) => length === size)).toBe(true);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers.at(-1)).toBeLessThan(count);
    };

    // Once it has dropped a message of three packets it sends one packet a turn, each with a gap before it, and each
    // that is lost costs it two of its timeouts, 0.6 s: four hundred messages may take it a minute.
    test(
      "it says, we hear",
      async () => {
        const count = 100;
        const { port, stream } = listening({ kind: "message" });
        using relay = await udpRelay(port, WEATHER);
        const said = await run(await peer("say", "127.0.0.1", relay.port, count, size, 1, ttlMs));
        const from = await stream;
        const into = new Uint8Array(1 << 20);
        const heard: number[][] = [];
        for (let n = await from.readMessage(into); n >= 0; n = await from.readMessage(into)) {
          expect(isPattern(into.subarray(4, n), 4)).toBe(true);
          heard.push([new DataView(into.buffer).getUint32(0), n]);
        }
        expect(await said.exited).toBe(0);
        sane(heard, count);
      },
      PATIENCE,
    );

    test(
      "we say, it hears",
      async () => {
        const count = 400;
        const port = await freePort();
        const child = await run(await peer("hear", port), "ready");
        using relay = await udpRelay(port, WEATHER);
        const stream = await connectUdt(`127.0.0.1:${relay.port}`, { kind: "message" });
        const message = Uint8Array.from(pattern(0, size));
        for (let i = 0; i < count; i++) {
          new DataView(message.buffer).setUint32(0, i);
          await stream.sendMessage(message, { inOrder: true, ttlMs: ttlMs * 20 });
        }
        await stream.end();
        const lines = (await child.said).trim().split("\n").slice(1);
        sane(
          lines.map((line) => line.split(" ").map(Number)),
          count,
        );
      },
      PATIENCE,
    );
  });

  test(
    "rendezvous, both ways at once",
    async () => {
      const [theirs, ours] = [await freePort(), await freePort()];
      const child = await run(await peer("meet", theirs, "127.0.0.1", ours, 2 * MB));
      const stream = await rendezvousUdt(`127.0.0.1:${theirs}`, { from: `127.0.0.1:${ours}` });
      const [, got] = await Promise.all([
        sendPattern(stream, 2 * MB),
        receivePattern(stream, 2 * MB),
      ]);
      expect(got).toBe(2 * MB);
      await stream.end();
      expect(await child.said).toBe(`${2 * MB}\n`);
    },
    PATIENCE,
  );

  describe("files", () => {
    test.each([
      { story: "a clean link", size: BULK, weather: undefined },
      { story: "a bad link", size: 4 * MB, weather: WEATHER },
    ])(
      "recvfile gets one from tern udt send: $story",
      async ({ size, weather }) => {
        await using dir = await temporary();
        const file = await makeFile(dir.path, "given.bin", size);
        const port = await freePort();
        const tern = await run(
          [...TERN, "udt", "send", file, "--listen", `127.0.0.1:${port}`, "--json"],
          "to be had",
        );
        using relay = weather && (await udpRelay(port, weather));
        const copy = join(dir.path, "copy.bin");
        const through = String(relay?.port ?? port);
        const child = await run([
          await program("recvfile"),
          "127.0.0.1",
          through,
          "given.bin",
          copy,
        ]);
        expect(await child.exited).toBe(0);
        expect(await tern.exited).toBe(0);
        expect(await hashOf(copy)).toBe(await hashOf(file));
        expect(JSON.parse(await tern.said)).toMatchObject({
          sent: "given.bin",
          bytes: size,
          sha256: null,
        });
      },
      PATIENCE,
    );

    test.each([
      { story: "a clean link", size: BULK, weather: undefined },
      { story: "a bad link", size: 2 * MB, weather: WEATHER },
    ])(
      "tern udt recv gets one from sendfile: $story",
      async ({ size, weather }) => {
        await using dir = await temporary();
        const file = await makeFile(dir.path, "given.bin", size);
        const port = await freePort();
        await run([await program("sendfile"), String(port)], "ready");
        using relay = weather && (await udpRelay(port, weather));
        const copy = join(dir.path, "copy.bin");
        const to = `127.0.0.1:${relay?.port ?? port}`;
        const tern = await run([
          ...TERN,
          "udt",
          "recv",
          to,
          "--libudt",
          "--name",
          file,
          "-o",
          copy,
        ]);
        expect(await tern.exited).toBe(0);
        expect(await hashOf(copy)).toBe(await hashOf(file));
      },
      PATIENCE,
    );
  });
});

describe("tern udt", () => {
  test.each([
    { story: "the receiver listens", receiverListens: true, more: [] },
    { story: "the sender listens", receiverListens: false, more: [] },
    { story: "libudt's congestion control", receiverListens: true, more: ["--congestion", "udt"] },
    {
      story: "a fixed rate",
      receiverListens: true,
      more: ["--congestion", "fixed", "--rate", "400Mbit"],
    },
  ])(
    "a file: $story",
    async ({ receiverListens, more }) => {
      await using dir = await temporary();
      const file = await makeFile(dir.path, "disk.img", 20 * MB);
      const out = join(dir.path, "out");
      mkdirSync(out);
      const at = `127.0.0.1:${await freePort()}`;
      const send = ["udt", "send", file, "--json", ...more];
      const recv = ["udt", "recv", "-o", out, "--json"];
      const first = receiverListens ? recv : send;
      const second = receiverListens ? send : recv;
      const a = await run([...TERN, ...first, "--listen", at], at);
      const b = await run([...TERN, ...second, at]);
      expect([await a.exited, await b.exited]).toEqual([0, 0]);
      const sha256 = await hashOf(file);
      expect(await hashOf(join(out, "disk.img"))).toBe(sha256);
      for (const one of [a, b])
        expect(JSON.parse(await one.said)).toMatchObject({ bytes: 20 * MB, resumed: 0, sha256 });
    },
    PATIENCE,
  );

  test(
    "what was broken off goes on where it was",
    async () => {
      await using dir = await temporary();
      const file = await makeFile(dir.path, "disk.img", 20 * MB);
      const copy = join(dir.path, "copy.img");
      const bytes = await Bun.file(file).bytes();
      await Bun.write(`${copy}.part`, bytes.subarray(0, 12 * MB + 17));
      const at = `127.0.0.1:${await freePort()}`;
      const recv = await run([...TERN, "udt", "recv", "--listen", at, "-o", copy, "--json"], at);
      const send = await run([...TERN, "udt", "send", file, at]);
      expect([await send.exited, await recv.exited]).toEqual([0, 0]);
      expect(JSON.parse(await recv.said)).toMatchObject({ bytes: 20 * MB, resumed: 12 * MB + 17 });
      expect(await hashOf(copy)).toBe(await hashOf(file));
      expect(await Bun.file(`${copy}.part`).exists()).toBe(false);
    },
    PATIENCE,
  );

  test(
    "a part of another file is not gone on with",
    async () => {
      await using dir = await temporary();
      const file = await makeFile(dir.path, "disk.img", 3 * MB);
      const copy = join(dir.path, "copy.img");
      await Bun.write(`${copy}.part`, new Uint8Array(2 * MB));
      const at = `127.0.0.1:${await freePort()}`;
      const recv = await run([...TERN, "udt", "recv", "--listen", at, "-o", copy, "--json"], at);
      await run([...TERN, "udt", "send", file, at]);
      expect(await recv.exited).toBe(0);
      expect(JSON.parse(await recv.said)).toMatchObject({ bytes: 3 * MB, resumed: 0 });
      expect(await hashOf(copy)).toBe(await hashOf(file));
    },
    PATIENCE,
  );

  test(
    "a receiver killed in the middle goes on where it was, while strangers talk to its port",
    async () => {
      await using dir = await temporary();
      const file = await makeFile(dir.path, "disk.img", 8 * MB);
      const copy = join(dir.path, "copy.img");
      const at = `127.0.0.1:${await freePort()}`;
      const recv = ["udt", "recv", "--listen", at, "-o", copy, "--json"];
      const slowly = ["--congestion", "fixed", "--rate", "30Mbit"];
      const killed = await run([...TERN, ...recv], at);
      await run([...TERN, "udt", "send", file, at, ...slowly]);
      for (let i = 0; Bun.file(`${copy}.part`).size < MB && i < 2000; i++) await Bun.sleep(5);
      killed.kill();
      await killed.said;
      const had = Bun.file(`${copy}.part`).size;
      expect(had).toBeGreaterThanOrEqual(MB);
      expect(had).toBeLessThan(8 * MB);

      const again = await run([...TERN, ...recv], at);
      const port = Number(at.split(":")[1]);
      const stranger = createSocket("udp4");
      let heard = 0;
      stranger.on("message", () => heard++);
      // Once the receiver has ended its port is nobody's, and says so.
      stranger.on("error", () => {});
      ends.push(() => stranger.close());
      const noise = setInterval(() => {
        for (const fill of [0, 1, 0x7f, 0x80, 0xff])
          stranger.send(new Uint8Array(64).fill(fill), port, "127.0.0.1");
      }, 5);
      ends.push(() => clearInterval(noise));
      const send = await run([...TERN, "udt", "send", file, at, ...slowly]);
      expect([await send.exited, await again.exited, heard]).toEqual([0, 0, 0]);
      expect(JSON.parse(await again.said)).toMatchObject({ bytes: 8 * MB, resumed: had });
      expect(await hashOf(copy)).toBe(await hashOf(file));
    },
    PATIENCE,
  );

  test(
    "pipes: a file of unknown length, and cat both ways",
    async () => {
      await using dir = await temporary();
      const text = `${"what nobody knows the length of\n".repeat(50_000)}`;
      const at = `127.0.0.1:${await freePort()}`;
      const recv = await run([...TERN, "udt", "recv", "--listen", at, "-o", "-"], at);
      await run([...TERN, "udt", "send", "-", at], undefined, new Blob([text]));
      expect((await recv.said) === text).toBe(true);

      const other = `127.0.0.1:${await freePort()}`;
      const copy = join(dir.path, "copy");
      const one = await run([...TERN, "udt", "cat", "--listen", other], other, new Blob(["back"]));
      const two = await run([...TERN, "udt", "cat", other, "--wait"], undefined, new Blob([text]));
      expect(await two.exited).toBe(0);
      expect(await two.said).toBe("back");
      expect(text.startsWith(await one.said)).toBe(true);
      expect(await Bun.file(copy).exists()).toBe(false);
    },
    PATIENCE,
  );

  test.each([
    { words: ["send", "/nonexistent", "127.0.0.1:1"], code: 1, says: "ENOENT" },
    { words: ["send", "/etc/hostname"], code: 2, says: "HOST:PORT" },
    { words: ["recv", "here"], code: 2, says: "expected HOST:PORT" },
    { words: ["recv", "127.0.0.1:9", "--libudt"], code: 2, says: "--name" },
    { words: ["recv", "--listen", "9000"], code: 2, says: "--listen: expected an address" },
    {
      words: ["cat", "127.0.0.1:9", "--congestion", "x"],
      code: 2,
      says: "expected bbr, udt or fixed",
    },
    { words: ["cat", "127.0.0.1:9", "--rate", "1Mbit"], code: 2, says: "--rate goes with" },
    {
      words: ["cat", "127.0.0.1:9", "--congestion", "fixed", "--rate", "fast"],
      code: 2,
      says: "--rate: expected",
    },
    { words: ["cat", "127.0.0.1:9", "--rendezvous"], code: 2, says: "--from" },
    { words: ["cat", "127.0.0.1:9", "--mss", "20"], code: 2, says: "--mss: expected" },
    { words: ["recv", "no.such.name.invalid:9"], code: 1, says: "no such host" },
  ])("$words.0 $words.1: exit code $code", async ({ words, code, says }) => {
    const child = Bun.spawn([...TERN, "udt", ...words], { stdio: ["ignore", "ignore", "pipe"] });
    const text = await new Response(child.stderr).text();
    expect([await child.exited, text]).toEqual([code, expect.stringContaining(says)]);
  });
});

async function makeFile(dir: string, name: string, bytes: number): Promise<string> {
  const path = join(dir, name);
  const writer = Bun.file(path).writer();
  for (let at = 0; at < bytes;) {
    const piece = pattern(at, Math.min(65_536, bytes - at));
    await writer.write(piece.slice());
    at += piece.length;
  }
  await writer.end();
  return path;
}

async function hashOf(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of Bun.file(path).stream()) hash.update(piece);
  return hash.digest("hex");
}
