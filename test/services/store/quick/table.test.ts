import { expect, test } from "bun:test";
import { join } from "node:path";

import type { Prepared } from "../../../../src/net/quick.ts";
import { Changes } from "../../../../src/services/store/changes.ts";
import { PathLocks } from "../../../../src/services/store/path-locks.ts";
import { QuickTable } from "../../../../src/services/store/quick/table.ts";
import type { HttpRequest, HttpResponse } from "../../../../src/wire/http/message.ts";
import { Head, parseHead } from "../../../../src/wire/http1/head.ts";
import { temporary } from "../../../fake/temporary.ts";

const LIMIT = 16 * 1024;

interface Lab extends AsyncDisposable {
  readonly table: QuickTable;
  readonly changes: Changes;
  time: number;
  learn(target: string, body: Uint8Array, over?: Partial<HttpRequest>, status?: number): void;
  find(target: string, fields?: string, method?: string): Prepared | undefined;
}

async function lab(): Promise<Lab> {
  const dir = await temporary();
  const changes = new Changes(join(dir.path, "changes"));
  const table = new QuickTable(changes, () => made.time);
  const made: Lab = {
    table,
    changes,
    time: 0,
    learn(target, body, over = {}, status = 200) {
      const response: HttpResponse = {
        status,
        headers: [["ETag", '"one"']],
        body: { kind: "pieces", pieces: [body] },
      };
      // Only these two are asked for.
      const request = { method: "GET", target, ...over } as HttpRequest;
      table.learn(request, response, table.moment(target));
    },
    find(target, fields = "", method = "GET") {
      const head = new Head();
      const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      parseHead(bytes, 0, bytes.length, head, LIMIT);
      return table.find(head, made.time);
    },
    [Symbol.asyncDispose]: async () => dir[Symbol.asyncDispose](),
  };
  return made;
}

const textOf = (prepared: Prepared | undefined): string | undefined =>
  prepared && Buffer.from(prepared.packet ?? prepared.body).toString("latin1");

test("what was sent is sent again, for a second", async () => {
  await using made = await lab();
  expect(made.find("/a")).toBeUndefined();
  made.learn("/a", Buffer.from("hello"));
  const found = made.find("/a");
  const text = textOf(found);
  expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(text).toContain('\r\nETag: "one"\r\nContent-Length: 5\r\n\r\nhello');
  expect(Buffer.from(found?.closing ?? []).toString()).toContain("\r\nConnection: close\r\n\r\n");
  found?.refresh({ second: 7, bytes: Buffer.from("x".repeat(29)) });
  expect(found?.stamp).toBe(7);
  for (const bytes of [found?.packet, found?.head, found?.closing])
    expect(Buffer.from(bytes ?? []).toString()).toContain(`\r\nDate: ${"x".repeat(29)}\r\n`);
  made.time = 999;
  expect(made.find("/a")).toBe(found);
  made.time = 1000;
  expect(made.find("/a")).toBeUndefined();
});

test("a longer body is kept apart from its head", async () => {
  await using made = await lab();
  const body = new Uint8Array(20_000).fill(65);
  made.learn("/a", body);
  const found = made.find("/a");
  expect(found?.packet).toBeUndefined();
  expect(found?.body).toEqual(body);
  expect(Buffer.from(found?.head ?? []).toString()).toEndWith("Content-Length: 20000\r\n\r\n");
});

test.each([
  { story: "another name", target: "/b" },
  { story: "another query", target: "/a?b" },
  { story: "a range", fields: "Range: bytes=0-0\r\n" },
  { story: "credentials", fields: "Authorization: Basic x\r\n" },
  { story: "its tag", fields: 'If-None-Match: "one"\r\n' },
  { story: "a date", fields: "If-Modified-Since: x\r\n" },
  { story: "If-Match", fields: "If-Match: *\r\n" },
  { story: "Expect", fields: "Expect: 100-continue\r\n" },
  { story: "another method", method: "DELETE" },
])("goes the full path: $story", async ({ target = "/a", fields, method }) => {
  await using made = await lab();
  made.learn("/a", Buffer.from("hello"));
  expect(made.find("/a")).toBeDefined();
  expect(made.find("/a", "", "HEAD")).toBeDefined();
  expect(made.find(target, fields, method)).toBeUndefined();
});

test.each([
  { story: "no file", status: 404 },
  { story: "a part", status: 206 },
  { story: "HEAD", over: { method: "HEAD" } },
  { story: "a target with a host", over: { target: "http://a/a" } },
  { story: "a long one", over: { target: `/${"a".repeat(600)}` } },
  { story: "a large body", size: 65_537 },
])("is not learnt: $story", async ({ status, over, size = 5 }) => {
  await using made = await lab();
  made.learn("/a", new Uint8Array(size), over, status);
  expect(made.find(over && "target" in over ? over.target : "/a")).toBeUndefined();
});

test("names are forgotten when they are changed, and what was found while they were", async () => {
  await using made = await lab();
  made.learn("/a", Buffer.from("old"));
  const moment = made.table.moment("/a");
  made.changes.count(made.changes.placeOf("/a"));
  expect(made.find("/a")).toBeUndefined();
  const body = { kind: "pieces", pieces: [Buffer.from("old")] } as const;
  const request = { method: "GET", target: "/a" } as HttpRequest; // all that is asked for
  made.table.learn(request, { status: 200, headers: [], body }, moment);
  expect(made.find("/a")).toBeUndefined();
  made.learn("/a", Buffer.from("new"));
  expect(textOf(made.find("/a"))).toEndWith("new");
});

test("all that is remembered has an end", async () => {
  await using made = await lab();
  for (let i = 0; i < 1000; i++) made.learn(`/${i}`, new Uint8Array(60_000));
  let found = 0;
  for (let i = 0; i < 1000; i++) if (made.find(`/${i}`)) found++;
  expect(found).toBeGreaterThan(0);
  expect(found * 60_000).toBeLessThanOrEqual(16 * 2 ** 20);
  expect(made.find("/999")).toBeDefined();
});

test("counts are those of all processes; whoever holds a name counts before and after", async () => {
  await using dir = await temporary();
  const locks = new PathLocks(join(dir.path, "locks"));
  const path = join(dir.path, "locks", "changes");
  const place = locks.changes.placeOf("/a");
  const other = new Changes(path);
  const before = other.at(place);
  await locks.hold("/a", async () => expect(other.at(place)).toBe(before + 1));
  expect(other.at(place)).toBe(before + 2);
  await expect(locks.hold("/a", async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(other.at(place)).toBe(before + 4);
  const code = `
    const { Changes } = await import("${import.meta.dir}/../../../../src/services/store/changes.ts");
    const changes = new Changes(${JSON.stringify(path)});
    changes.count(${place});
    console.log(changes.at(${place}));`;
  const child = Bun.spawnSync([process.execPath, "-e", code]);
  expect(child.stdout.toString()).toBe(`${before + 5}\n`);
  expect(other.at(place)).toBe(before + 5);
  locks.close();
});
