import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { type Event, IN, Inotify, parseEvents } from "../../src/sys/inotify.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-inotify-"));
afterAll(() => rmSync(dir, { recursive: true }));
const ALL = IN.CLOSE_WRITE | IN.MOVED_FROM | IN.MOVED_TO | IN.CREATE | IN.DELETE | IN.DELETE_SELF;

function watching(run: (inotify: Inotify, wd: number) => void, mask: number = ALL): void {
  const inotify = new Inotify();
  try {
    run(inotify, inotify.watch(dir, mask | IN.ONLYDIR));
  } finally {
    inotify.close();
  }
}
const told = (events: Event[]): [number, string][] => events.map((e) => [e.mask, e.name]);

test("a file made, renamed and removed", () => {
  watching((inotify, wd) => {
    expect(inotify.read()).toEqual([]);
    writeFileSync(join(dir, "index.html"), "x");
    renameSync(join(dir, "index.html"), join(dir, "größer.html"));
    rmSync(join(dir, "größer.html"));
    const events = inotify.read();
    expect(told(events)).toEqual([
      [IN.CREATE, "index.html"],
      [IN.CLOSE_WRITE, "index.html"],
      [IN.MOVED_FROM, "index.html"],
      [IN.MOVED_TO, "größer.html"],
      [IN.DELETE, "größer.html"],
    ]);
    expect(events.every((e) => e.wd === wd)).toBe(true);
    expect(events[2]?.cookie).toBe(events[3]?.cookie ?? -1);
  });
});

test("a watched directory that goes away ends its watch", () => {
  const inner = join(dir, "inner");
  mkdirSync(inner);
  const inotify = new Inotify();
  const wd = inotify.watch(inner, ALL);
  rmdirSync(inner);
  expect(told(inotify.read())).toEqual([
    [IN.DELETE_SELF, ""],
    [IN.IGNORED, ""],
  ]);
  inotify.unwatch(wd); // the kernel was first
  inotify.close();
});

test("more events than the queue holds are told as an overflow", async () => {
  const limit = Number(await Bun.file("/proc/sys/fs/inotify/max_queued_events").text());
  watching(
    (inotify) => {
      // Two names in turn, or the kernel would merge equal neighbours.
      for (let i = 0; i <= limit / 4 + 1; i++) {
        writeFileSync(join(dir, "a"), "");
        writeFileSync(join(dir, "b"), "");
      }
      let last: Event | undefined;
      for (let events = inotify.read(); events.length > 0; events = inotify.read())
        last = events.at(-1);
      expect(last).toEqual({ wd: -1, mask: IN.Q_OVERFLOW, cookie: 0, name: "" });
    },
    IN.CREATE | IN.MODIFY | IN.CLOSE_WRITE | 0x20 /* IN_OPEN: more of them per write */,
  );
}, 30_000);

describe("errors", () => {
  test.each([
    {
      story: "nothing there",
      path: "/no/such",
      mask: ALL,
      says: "inotify_add_watch /no/such: ENOENT",
    },
    { story: "no directory", path: "/proc/version", mask: ALL | IN.ONLYDIR, says: ": ENOTDIR" },
    {
      story: "a link",
      path: "/proc/self/exe",
      mask: ALL | IN.DONT_FOLLOW | IN.ONLYDIR,
      says: ": E",
    },
    { story: "no bits", path: "/", mask: 0, says: "inotify_add_watch /: EINVAL" },
  ])("$story", ({ path, mask, says }) => {
    const inotify = new Inotify();
    expect(() => inotify.watch(path, mask)).toThrow(says);
    inotify.close();
  });
});

test("whatever the bytes: it ends, does not throw, and reads nothing past them", () => {
  const word = fc.oneof(fc.constantFrom(0, 16, 0xffff_ffff, 0xffff_fff0), fc.nat(40));
  const wild = fc
    .array(word, { maxLength: 24 })
    .map((words) => new Uint8Array(Uint32Array.from(words).buffer));
  fc.assert(
    fc.property(fc.oneof(wild, fc.uint8Array({ maxLength: 96 })), (bytes) => {
      const room = new Uint8Array(bytes.length + 64).fill(0x41);
      room.set(bytes, 16);
      const events = parseEvents(room.subarray(16, 16 + bytes.length));
      expect(events).toEqual(parseEvents(bytes));
      expect(events.length * 16).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 1000 },
  );
});
