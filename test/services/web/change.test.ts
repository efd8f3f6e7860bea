import { afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FakeClock } from "../../fake/clock.ts";
import { type House, house, SINCE } from "./visit.ts";

const files = { "a.txt": "one", "sub/b.txt": "one", "sub/deep/c.txt": "one", "d/index.htm": "one" };

/** Wait until what is asked for is `text`, but less than the ttl. */
async function becomes(site: House, target: string, text: string | number): Promise<void> {
  const until = performance.now() + 3000;
  for (;;) {
    const got = await site.get(target);
    if ((typeof text === "number" ? got.status : got.text) === text) return;
    if (performance.now() > until)
      expect(typeof text === "number" ? got.status : got.text).toBe(text);
    await Bun.sleep(5);
  }
}

const CHANGES = [
  {
    story: "written in place",
    target: "/a.txt",
    change: (root: string) => writeFileSync(`${root}/a.txt`, "two"),
    now: "two",
  },
  {
    story: "appended to",
    target: "/a.txt",
    change: (root: string) => appendFileSync(`${root}/a.txt`, "two"),
    now: "onetwo",
  },
  { story: "touched, same length", target: "/a.txt", change: rewrite, now: "two" },
  {
    story: "replaced by a rename",
    target: "/sub/b.txt",
    change: (root: string) => {
      writeFileSync(`${root}/sub/new`, "two");
      renameSync(`${root}/sub/new`, `${root}/sub/b.txt`);
    },
    now: "two",
  },
  {
    story: "removed",
    target: "/sub/deep/c.txt",
    change: (root: string) => unlinkSync(`${root}/sub/deep/c.txt`),
    now: 404,
  },
  {
    story: "a directory above renamed away",
    target: "/sub/deep/c.txt",
    change: (root: string) => renameSync(`${root}/sub`, `${root}/gone`),
    now: 404,
  },
  {
    story: "a directory above exchanged",
    target: "/sub/deep/c.txt",
    change: (root: string) => {
      mkdirSync(`${root}/new/deep`, { recursive: true });
      writeFileSync(`${root}/new/deep/c.txt`, "two");
      renameSync(`${root}/sub`, `${root}/gone`);
      renameSync(`${root}/new`, `${root}/sub`);
    },
    now: "two",
  },
  {
    story: "a directory above removed with all in it",
    target: "/sub/deep/c.txt",
    change: (root: string) => rmSync(`${root}/sub`, { recursive: true }),
    now: 404,
  },
  {
    story: "a better index comes",
    target: "/d/",
    change: (root: string) => writeFileSync(`${root}/d/index.html`, "two"),
    now: "two",
  },
];

function rewrite(root: string): void {
  writeFileSync(`${root}/a.txt`, "two");
  utimesSync(`${root}/a.txt`, SINCE / 1000, SINCE / 1000);
}

describe("a change on disk is seen at once", () => {
  test.each(CHANGES)("$story", async ({ change, now, target }) => {
    await using site = await house(files, { cache: { ttl: "1h" } });
    expect((await site.get(target)).text).toBe("one");
    change(site.root);
    await becomes(site, target, now);
    // And the quick path never says otherwise.
    const quick = site.quick(target);
    if (quick) expect(Buffer.from(quick.body).toString()).toBe(String(now));
  });

  test("a compressed file comes beside it", async () => {
    await using site = await house(files, { cache: { ttl: "1h" } });
    const ask = async () =>
      (await site.get("/a.txt", { headers: { "accept-encoding": "br" } })).text;
    expect(await ask()).toBe("one");
    writeFileSync(join(site.root, "a.txt.br"), "brotli!");
    const until = performance.now() + 3000;
    while ((await ask()) !== "brotli!" && performance.now() < until) await Bun.sleep(5);
    expect(await ask()).toBe("brotli!");
  });
});

describe("without inotify it is seen after the ttl", () => {
  // Which file is the index is looked up each time.
  const told = CHANGES.filter(({ target }) => !target.endsWith("/"));
  test.each(told)("$story", async ({ change, now, target }) => {
    const clock = new FakeClock();
    await using site = await house(files, { cache: { ttl: "10s" } }, { clock });
    for (const fd of readdirSync("/proc/self/fd")) site.host.reactor.remove(Number(fd));
    expect((await site.get(target)).text).toBe("one");
    change(site.root);
    await Bun.sleep(20);
    expect((await site.get(target)).text).toBe("one");
    await clock.advance(10_000);
    const got = await site.get(target);
    expect(typeof now === "number" ? got.status : got.text).toBe(now);
  });
});

describe("links", () => {
  const made: string[] = [];
  afterEach(() => {
    for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  test("a root that is a link is followed anew, as deployments turn it", async () => {
    const base = mkdtempSync(join(tmpdir(), "tern-deploy-"));
    made.push(base);
    for (const release of ["1", "2"]) {
      mkdirSync(join(base, release));
      writeFileSync(join(base, release, "a.txt"), `release ${release}`);
    }
    symlinkSync("1", join(base, "current"));
    const clock = new FakeClock();
    await using site = await house(
      {},
      { cache: { ttl: "10s" } },
      { clock, root: join(base, "current") },
    );
    expect((await site.get("/a.txt")).text).toBe("release 1");
    symlinkSync("2", join(base, "next"));
    renameSync(join(base, "next"), join(base, "current"));
    await clock.advance(10_000);
    expect((await site.get("/a.txt")).text).toBe("release 2");
  });

  test("a link that is turned is seen at once, its target after the ttl", async () => {
    const clock = new FakeClock();
    await using site = await house(
      { "v1/a.txt": "one", "v2/a.txt": "two" },
      { cache: { ttl: "10s" } },
      { clock },
    );
    symlinkSync("v1", join(site.root, "now"));
    expect((await site.get("/now/a.txt")).text).toBe("one");
    symlinkSync("v2", join(site.root, "next"));
    renameSync(join(site.root, "next"), join(site.root, "now"));
    await becomes(site, "/now/a.txt", "two");
  });
});

describe("the budgets", () => {
  test("memory", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`${i}.txt`, "x".repeat(1000)]),
    );
    await using site = await house(many, { cache: { memory: "50k" } });
    for (const name of Object.keys(many)) {
      expect((await site.get(`/${name}`)).text.length).toBe(1000);
      expect(stats(site)["bytes"]).toBeLessThanOrEqual(50 * 1024);
    }
    expect(stats(site)["entries"]).toBeGreaterThan(10);
  });

  test("open files, and none stays open that nobody uses", async () => {
    const before = openFiles();
    {
      const many = Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => [`${i}.bin`, "x".repeat(100)]),
      );
      await using site = await house(many, { cache: { small: "0", open_files: 7 } });
      const opened = openFiles();
      for (const name of Object.keys(many)) {
        expect((await site.get(`/${name}`)).text.length).toBe(100);
        expect(openFiles() - opened).toBeLessThanOrEqual(7);
      }
      expect(stats(site)["open_files"]).toBe(7);
    }
    await Bun.sleep(50);
    expect(openFiles()).toBeLessThanOrEqual(before + 2); // the reactor's epoll stays
  });

  test.each([{ memory: "0" }, { ttl: 0 }, { open_files: 0, small: "0" }])(
    "%p: nothing is kept, all is served",
    async (cache) => {
      await using site = await house({ "a.txt": "one" }, { cache });
      for (const text of ["one", "two"]) {
        writeFileSync(join(site.root, "a.txt"), text);
        expect((await site.get("/a.txt")).text).toBe(text);
      }
      expect(stats(site)["entries"]).toBe(0);
    },
  );
});

function stats(site: House): Record<string, number> {
  return site.instance.stats()["site"] as Record<string, number>;
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
