import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { needs } from "../sys/needs.ts";
import { said } from "./binary.ts";
import { until } from "./from-source.ts";
import { frame, H2, uint32 } from "./h2-frames.ts";
import { openFiles, residentBytes } from "./process-facts.ts";
import { type TwoSites, twoSites } from "./two-sites.ts";
import { type Dial, dial, type Wire } from "./wire.ts";

setDefaultTimeout(60_000);

const KB = 1024;
const MB = 2 ** 20;
const GB = 2 ** 30;
const GET = "GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_BIG = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
const kinds = ["clear", "tls"] as const;
type Kind = (typeof kinds)[number];

let sites: TwoSites;
beforeAll(async () => {
  sites = await twoSites(10 * GB, {});
});
afterAll(() => sites[Symbol.asyncDispose]());

/** So many connections, a hundred at a time. */
async function many(count: number, kind: Kind, how: Dial = {}): Promise<Wire[]> {
  const all: Wire[] = [];
  while (all.length < count) {
    const next = Array.from({ length: Math.min(100, count - all.length) }, () =>
      dial(sites.ports[kind], { tls: kind === "tls", ...how }),
    );
    all.push(...(await Promise.all(next)));
  }
  return all;
}

const leave = (wires: readonly Disposable[]): void => {
  for (const wire of wires) wire[Symbol.dispose]();
};

async function asked(wires: readonly Wire[]): Promise<void> {
  for (const wire of wires) wire.say(GET);
  const answered = wires.map((wire) => wire.until((heard) => heard.endsWith("hello\n")));
  expect((await Promise.all(answered)).every(Boolean)).toBe(true);
}

const resident = (): number => residentBytes(sites.tern.pid);
const files = (): number => openFiles(sites.tern.pid);

const head = (path: string) =>
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "a"],
  ] as const;

describe.each(kinds)("over %s", (kind) => {
  const open = (): Promise<H2> => H2.open(sites.ports[kind], { tls: kind === "tls" });

  test("idle connections cost little, and nothing once they are gone", async () => {
    const [count, most] = kind === "clear" ? [2000, 10 * KB] : [500, 40 * KB];
    const warm = await many(200, kind);
    await asked(warm);
    leave(warm);
    await until(() => files() < 200);
    const before = { files: files(), resident: resident() };
    const wires = await many(count, kind);
    await asked(wires);
    await Bun.sleep(300);
    expect((resident() - before.resident) / count).toBeLessThan(most);
    leave(wires);
    await until(() => files() <= before.files);
  });

  test("300 readers of 10 GB, each a few MB, then none: memory does not follow", async () => {
    const before = { files: files(), resident: resident() };
    const wires = await many(300, kind, { forget: true });
    for (const wire of wires) wire.say(GET_BIG);
    await Promise.all(
      wires.map(async (wire) => {
        await wire.until(() => wire.bytes > 3 * MB, 12_000);
        wire.pause();
      }),
    );
    expect(wires.filter((wire) => wire.bytes < 3 * MB)).toEqual([]);
    await Bun.sleep(500);
    expect(resident() - before.resident).toBeLessThan(kind === "clear" ? 20 * MB : 60 * MB);
    leave(wires);
    await until(() => files() <= before.files + 1); // big.bin stays open
  });

  test("500 downloads that are broken off give everything back", async () => {
    const before = files();
    for (let round = 0; round < 5; round++) {
      const wires = await many(100, kind, { forget: true });
      for (const wire of wires) wire.say(GET_BIG);
      await Bun.sleep(100);
      leave(wires);
    }
    await until(() => files() <= before + 1);
  });

  test("HTTP/2 connections and streams that are broken off give everything back", async () => {
    const warm = await open();
    warm.ask(1, head("/big.bin"));
    expect(await warm.end(1)).toBe("200");
    warm[Symbol.dispose]();
    await Bun.sleep(300);
    const before = { files: files(), resident: resident() };
    for (let round = 0; round < 4; round++) {
      const all = await Promise.all(Array.from({ length: 50 }, open));
      for (const h2 of all) {
        for (let stream = 1; stream < 8; stream += 2) h2.ask(stream, head("/big.bin"));
        h2.say(frame("RST_STREAM", 0, 3, uint32(8)));
      }
      if (round % 2 === 0) await Bun.sleep(100);
      leave(all);
    }
    await until(() => files() <= before.files + 1);
    // A quarter of a megabyte was read for each stream: garbage, until it is collected.
    await until(() => resident() - before.resident < 60 * MB, 12_000);
  });

  test("50 HTTP/2 readers who promise to take everything and then take nothing", async () => {
    const before = { files: files(), resident: resident() };
    const all = await Promise.all(Array.from({ length: 50 }, open));
    for (const h2 of all) {
      h2.ask(1, head("/big.bin"));
      h2.pause();
    }
    await Bun.sleep(1500);
    expect(resident() - before.resident).toBeLessThan(50 * 5 * MB); // the runtime's buffers, and ours
    leave(all);
    await until(() => files() <= before.files + 1);
    await until(() => resident() - before.resident < 60 * MB, 12_000);
  });
});

const load = needs(Bun.which("ab") !== null, "ab");
load(
  "20 000 connections later it is no larger",
  async () => {
    const round = async (): Promise<number> => {
      const { code, err } = await said([
        "ab",
        "-q",
        "-n",
        "5000",
        "-c",
        "50",
        `http://127.0.0.1:${sites.ports.clear}/hello.txt`,
      ]);
      expect([code, err]).toEqual([0, ""]);
      return resident();
    };
    const rounds = async (count: number): Promise<number[]> => {
      const after: number[] = [];
      while (after.length < count) after.push(await round());
      return after;
    };
    const before = files();
    await rounds(20);
    // What is garbage goes, all at once, each 50 000 to 90 000 connections; what is kept by mistake does not.
    const was = Math.min(...(await rounds(20)));
    await rounds(4);
    let is = await round();
    for (let more = 0; more < 60 && is - was >= 10 * MB; more++) is = await round();
    expect(is - was).toBeLessThan(10 * MB);
    await until(() => files() <= before);
  },
  300_000,
);
