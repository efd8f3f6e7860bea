import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { asRoot, needs } from "../sys/needs.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, isAlive, siteIn, TERN, until } from "./from-source.ts";
import { H2 } from "./h2-frames.ts";
import { openFiles } from "./process-facts.ts";
import { twoSites } from "./two-sites.ts";
import { dial, responses, type Wire } from "./wire.ts";

setDefaultTimeout(60_000); // whole programs start, break and start again

const MB = 2 ** 20;
const GET = "GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n";

const two = (dir: string, site: object = {}): object =>
  siteIn(dir, { socket: { defer_accept: 0 }, ...site }, { workers: 2 });
const www = (tern: Appliance, name = ""): string => join(tern.dir, "www", name);
const workers = async (tern: Appliance): Promise<number[]> =>
  (await tern.status()).workers.map((worker) => worker.pid ?? 0);

const withWrk = needs(Bun.which("wrk") !== null, "wrk");

describe("a worker is killed", () => {
  withWrk("under load: the other goes on, and it is back within two seconds", async () => {
    const began = performance.now();
    await using tern = await appliance(two);
    // Two seconds; or, where the machine is so busy, what the start of the whole took.
    const soon = Math.max(2000, performance.now() - began);
    const [first, second] = await workers(tern);
    const load = said(["wrk", "-t1", "-c20", "-d3s", `http://127.0.0.1:${tern.port}/hello.txt`]);
    await Bun.sleep(1000);
    process.kill(second!, "SIGKILL");
    const died = performance.now();
    await tern.logged("a worker serves again");
    expect(performance.now() - died).toBeLessThan(soon);
    const { out } = await load;
    const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(out);
    const [connect, read, write, timeout] = (broken?.slice(1) ?? [0, 0, 0, 0]).map(Number);
    expect([connect, timeout]).toEqual([0, 0]);
    expect((read ?? 0) + (write ?? 0)).toBeLessThanOrEqual(20); // each connection of the dead one, once
    expect(out).not.toContain("Non-2xx");
    expect(Number(/(\d+) requests in/.exec(out)?.[1])).toBeGreaterThan(1000);
    const { workers: after } = await tern.status();
    expect(after[0]).toMatchObject({ pid: first, restarts: 0 });
    expect(after[1]).toMatchObject({ state: "serving", restarts: 1 });
  });

  test("whoever waited at its socket is served by the next one", async () => {
    await using tern = await appliance(two);
    const pids = await workers(tern);
    process.kill(pids[0]!, "SIGSTOP"); // it accepts nobody: they wait in the kernel
    const waiting = await Promise.all(Array.from({ length: 60 }, () => dial(tern.port)));
    for (const wire of waiting) wire.say(GET);
    const served = (): number => waiting.filter((wire) => wire.heard.endsWith("hello\n")).length;
    await Bun.sleep(500);
    expect(served()).toBeGreaterThan(5);
    expect(served()).toBeLessThan(55);
    process.kill(pids[0]!, "SIGKILL");
    await until(() => served() === 60);
    for (const wire of waiting) wire[Symbol.dispose]();
  });

  test("both at once: nobody is refused", async () => {
    await using tern = await appliance(two);
    for (const pid of await workers(tern)) process.kill(pid, "SIGKILL");
    const answers = await Promise.all(Array.from({ length: 20 }, () => tern.get("/hello.txt")));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 200));
  });
});

test("the supervisor is killed under load: nobody is left", async () => {
  await using tern = await appliance(two);
  const pids = await workers(tern);
  writeFileSync(www(tern, "big.bin"), "");
  truncateSync(www(tern, "big.bin"), 100 * MB);
  const wires = await Promise.all(
    Array.from({ length: 10 }, () => dial(tern.port, { forget: true })),
  );
  for (const wire of wires) {
    wire.say("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    wire.pause();
  }
  await Bun.sleep(200);
  tern.kill("SIGKILL");
  await until(() => !pids.some(isAlive));
  for (const wire of wires) wire[Symbol.dispose]();
});

describe("PUT", () => {
  asRoot("onto a full disk is 507, and the old file stays", async () => {
    await using tern = await appliance((dir) => two(dir, { webdav: { enabled: true } }));
    const mounted = await said(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", www(tern)]);
    if (mounted.code !== 0) {
      process.stderr.write(`SKIPPED for want of a tmpfs: ${mounted.err}\n`);
      return;
    }
    try {
      const url = `http://127.0.0.1:${tern.port}/file.txt`;
      const put = (body: BodyInit): Promise<Response> => fetch(url, { method: "PUT", body });
      expect((await put("old")).status).toBe(201);
      const length = await put(new Uint8Array(3 * MB));
      expect([length.status, await length.text()]).toEqual([
        507,
        expect.stringContaining("no room"),
      ]);
      const stream = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(MB));
        },
      });
      const endless = await put(stream).then(
        (r) => r.status,
        () => 507,
      );
      expect(endless).toBe(507);
      expect(await (await fetch(url)).text()).toBe("old");
      expect(readdirSync(www(tern))).toEqual(["file.txt"]);
      expect((await put("new")).status).toBe(204);
      expect(await (await fetch(url)).text()).toBe("new");
    } finally {
      await said(["umount", "-l", www(tern)]);
    }
  });

  test("kill -9 in the middle of it, again and again: the old file or the new one", async () => {
    await using tern = await appliance((dir) => two(dir, { webdav: { enabled: true } }));
    const contents = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(2 * MB));
    writeFileSync(www(tern, "file.txt"), contents[0]!);
    for (const [i, next] of contents.slice(1).entries()) {
      using wire = await dial(tern.port);
      wire.say(`PUT /file.txt HTTP/1.1\r\nHost: a\r\nContent-Length: ${next.length}\r\n\r\n`);
      wire.say(next.slice(0, i < 2 ? MB : undefined));
      await Bun.sleep(i * 4);
      for (const pid of await workers(tern)) process.kill(pid, "SIGKILL");
      await wire.closed();
      const whole = readFileSync(www(tern, "file.txt"), "latin1");
      expect([whole.length, new Set(whole).size]).toEqual([2 * MB, 1]);
      await tern.logged("a worker serves again", 2 * (i + 1));
      const answer = await (await tern.get("/file.txt")).text();
      expect(answer === whole).toBe(true);
      expect(readdirSync(www(tern)).filter((name) => !name.startsWith("."))).toEqual([
        "file.txt",
        "hello.txt",
      ]);
    }
  });
});

describe("a file changes while it is sent", () => {
  const SIZE = 40 * MB;
  type Ways = "clear" | "tls" | "h2 clear" | "h2 tls";

  /** Begin to read, stop in the middle, let `happen`, read on to the end. */
  async function download(ways: Ways, happen: (file: string) => void) {
    await using sites = await twoSites(1, {});
    const file = www(sites.tern, "file.bin");
    writeFileSync(file, new Uint8Array(SIZE).fill(111)); // "o" for old
    const kind = ways.endsWith("tls") ? "tls" : "clear";
    if (ways.startsWith("h2")) {
      using h2 = await H2.open(sites.ports[kind], { tls: kind === "tls", window: false });
      h2.ask(1, [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/file.bin"],
        [":authority", "a"],
      ]);
      await h2.until(() => h2.data.has(1));
      happen(file);
      h2.widen(1);
      const end = (): boolean =>
        h2.ends.get(1)?.startsWith("reset") === true || (h2.data.get(1) ?? "").length >= SIZE;
      await h2.until(end, 30_000);
      const data = h2.data.get(1) ?? "";
      return { length: data.length, wrong: /[^o]/.exec(data)?.[0], ended: end() };
    }
    using wire = await dial(sites.ports[kind], { tls: kind === "tls" });
    wire.say("GET /file.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    await wire.until((heard) => heard.length > 1000);
    const head = wire.heard.indexOf("\r\n\r\n") + 4;
    wire.pause();
    await Bun.sleep(100);
    happen(file);
    wire.resume();
    await wire.until(() => wire.bytes >= head + SIZE || wire.state === "closed", 30_000);
    const data = wire.heard.slice(head);
    return {
      length: data.length,
      wrong: /[^o]/.exec(data)?.[0],
      ended: data.length >= SIZE || wire.state === "closed",
    };
  }

  const all: readonly Ways[] = ["clear", "tls", "h2 clear", "h2 tls"];
  test.each(all)("it shrinks (%s): the connection breaks rather than hang or lie", async (ways) => {
    const { ended, length, wrong } = await download(ways, (file) => truncateSync(file, 20 * MB));
    expect([ended, wrong]).toEqual([true, undefined]);
    expect(length).toBeLessThan(SIZE);
  });
  test.each(all)("it grows (%s): as many bytes as promised", async (ways) => {
    const got = await download(ways, (file) => appendFileSync(file, "x".repeat(MB)));
    expect(got).toEqual({ ended: true, length: SIZE, wrong: undefined });
  });
  test.each(all)("it is deleted (%s): the old one, whole", async (ways) => {
    const got = await download(ways, (file) => unlinkSync(file));
    expect(got).toEqual({ ended: true, length: SIZE, wrong: undefined });
  });
  test.each(all)("another takes its place (%s): the old one, whole", async (ways) => {
    const got = await download(ways, (file) => {
      writeFileSync(`${file}.new`, new Uint8Array(SIZE).fill(110));
      renameSync(`${file}.new`, file);
    });
    expect(got).toEqual({ ended: true, length: SIZE, wrong: undefined });
  });
});

describe("directories come and go", () => {
  const text = async (tern: Appliance, path: string): Promise<string> => {
    const answer = await tern.get(path);
    return answer.status === 200 ? answer.text() : `${answer.status}`;
  };
  const soon = (tern: Appliance, path: string, what: string): Promise<void> =>
    until(async () => (await text(tern, path)) === what, 3000);

  test("the root is removed, and made again", async () => {
    await using tern = await appliance((dir) => two(dir, { cache: { ttl: "1s" } }));
    for (let i = 0; i < 4; i++) expect(await text(tern, "/hello.txt")).toBe("hello\n");
    rmSync(www(tern), { recursive: true });
    await soon(tern, "/hello.txt", "404");
    expect(await text(tern, "/nothing")).toBe("404");
    mkdirSync(www(tern));
    writeFileSync(www(tern, "hello.txt"), "again");
    await soon(tern, "/hello.txt", "again");
    writeFileSync(www(tern, "hello.txt"), "and again");
    await soon(tern, "/hello.txt", "and again");
  });

  test("the root is a link that a deployment turns", async () => {
    await using tern = await appliance((dir) => {
      for (const name of ["one", "two"]) {
        mkdirSync(join(dir, name));
        writeFileSync(join(dir, name, "a.txt"), name);
      }
      symlinkSync("one", join(dir, "now"));
      return two(dir, { root: join(dir, "now"), cache: { ttl: "1s" } });
    });
    expect(await text(tern, "/a.txt")).toBe("one");
    symlinkSync("two", join(tern.dir, "next"));
    renameSync(join(tern.dir, "next"), join(tern.dir, "now"));
    await soon(tern, "/a.txt", "two");
    rmSync(join(tern.dir, "one"), { recursive: true });
    expect(await text(tern, "/a.txt")).toBe("two");
  });

  test("the whole state directory is removed while compressed files are kept in it", async () => {
    await using tern = await appliance((dir) => two(dir));
    const page = "<p>hello again</p>\n".repeat(2000);
    const gzipped = async (name: string): Promise<void> => {
      const answer = await fetch(`http://127.0.0.1:${tern.port}/${name}`, {
        headers: { "Accept-Encoding": "gzip" },
      });
      expect([answer.status, answer.headers.get("content-encoding")]).toEqual([200, "gzip"]);
      expect(await answer.text()).toBe(page);
    };
    for (const name of ["a.html", "b.html", "c.html"]) writeFileSync(www(tern, name), page);
    await gzipped("a.html");
    for (const name of readdirSync(join(tern.dir, "var")))
      if (!name.startsWith("tern.")) rmSync(join(tern.dir, "var", name), { recursive: true });
    for (let i = 0; i < 4; i++)
      for (const name of ["a.html", "b.html", "c.html"]) await gzipped(name);
    expect(tern.lines.filter((line) => line["level"] === "error")).toEqual([]);
    expect(tern.lines.length).toBeLessThan(30);
  });
});

describe("out of files", () => {
  const few = (n: number) => ({
    command: ["sh", "-c", `ulimit -n ${n}; exec "$@"`, "sh", ...TERN],
  });

  test("connections wait, those who are there are served, and all recovers", async () => {
    await using tern = await appliance(
      (dir) => siteIn(dir, { socket: { defer_accept: 0 } }),
      few(80),
    );
    const pid = tern.pid;
    expect((await tern.get("/hello.txt")).status).toBe(200);
    const before = openFiles(pid);
    const wires = await Promise.all(Array.from({ length: 120 }, () => dial(tern.port)));
    const served = (): Wire[] => wires.filter((wire) => wire.heard.endsWith("hello\n"));
    for (const wire of wires) wire.say(GET);
    await until(() => served().length > 20);
    await Bun.sleep(500);
    expect(served().length).toBeLessThan(80);
    // Who was served leaves; who waited gets a turn.
    for (let round = 0; round < 10 && served().length < 120; round++) {
      for (const wire of served()) wire[Symbol.dispose]();
      await Bun.sleep(300);
    }
    expect(served().length).toBe(120);
    for (const wire of wires) wire[Symbol.dispose]();
    await until(() => openFiles(pid) <= before + 1);
    expect((await tern.get("/hello.txt")).status).toBe(200);
    const said = tern.lines.filter((line) => line.message.includes("out of files"));
    expect(said).toHaveLength(1);
  });

  test("a file that cannot be opened is 503 for now, and no flood of errors", async () => {
    await using tern = await appliance(
      (dir) => siteIn(dir, { socket: { defer_accept: 0 } }),
      few(80),
    );
    for (let i = 0; i < 50; i++) writeFileSync(www(tern, `${i}.txt`), "content");
    using asker = await dial(tern.port);
    asker.say(GET);
    await asker.until((heard) => heard.endsWith("hello\n"));
    const wires = await Promise.all(Array.from({ length: 120 }, () => dial(tern.port)));
    await Bun.sleep(300);
    for (let i = 0; i < 50; i++) asker.say(`GET /${i}.txt HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await asker.until((heard) => responses(heard).length === 51)).toBe(true);
    const statuses = new Set(
      responses(asker.heard)
        .slice(1)
        .map((r) => r.status),
    );
    expect([...statuses]).toEqual([503]);
    for (const wire of wires) wire[Symbol.dispose]();
    await until(async () => (await tern.get("/0.txt")).status === 200);
    expect(tern.lines.filter((line) => line["level"] === "error")).toEqual([]);
  });
});
