import { describe, expect, test } from "bun:test";

import { Secret } from "../../src/config/secret.ts";
import { type Entry, Journal } from "../../src/observe/journal.ts";
import { makeLog } from "../../src/observe/logger.ts";

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

function journal(capacity = 10) {
  const it = new Journal(capacity);
  const lines: string[] = [];
  const log = makeLog({
    level: "error",
    format: "json",
    write: (line) => lines.push(line),
    clock: { now: () => AT },
    journal: it,
  });
  return { it, log, lines };
}

test("what is logged is remembered, also what the log's level leaves out", () => {
  const { it, log, lines } = journal();
  log.with({ service: "health" }).info("a server is down", { target: "10.0.0.1:80" });
  log.debug("noise");
  expect(it.after(0)).toEqual([
    {
      number: 1,
      time: "2026-01-02T03:04:05.000Z",
      level: "info",
      message: "a server is down",
      service: "health",
      target: "10.0.0.1:80",
    },
  ]);
  expect(lines).toEqual([]);
});

test("the oldest are forgotten; numbers go on", () => {
  const { it, log } = journal(3);
  for (let i = 0; i < 10; i++) log.info(`${i}`);
  expect(it.after(0).map((e) => e.number)).toEqual([8, 9, 10]);
  expect(it.after(9).map((e) => e.message)).toEqual(["9"]);
});

test("a process that replaces another goes on with its journal", () => {
  const { it: old, log } = journal();
  for (const what of ["one", "two"]) log.info(what, { what });
  const { it, log: own } = journal(200);
  it.inherit(JSON.parse(JSON.stringify(old.after(0))) as Entry[]);
  own.info("three");
  log.info("leaving"); // under a number that is nobody's here
  const known = it.after(0);
  expect(known.slice(0, 2)).toEqual(old.after(0).slice(0, 2));
  expect(known.map((e) => `${e.number} ${e.message}`)).toEqual(["1 one", "2 two", "103 three"]);
  expect(it.after(old.after(0).at(-1)?.number ?? 0).map((e) => e.message)).toEqual(["three"]);
});

test("whoever listens hears of it at once, until they do not want to any more", () => {
  const { it, log } = journal();
  const heard: Entry[] = [];
  const stop = it.listen((entry) => heard.push(entry));
  log.warn("one");
  stop();
  log.warn("two");
  expect(heard.map((e) => [e.number, e.message])).toEqual([[1, "one"]]);
});

describe("never a secret, never much", () => {
  test.each([
    { story: "a password", fields: { password: "hunter2" }, not: "hunter2" },
    { story: "inside of something", fields: { user: { token: "hunter2" } }, not: "hunter2" },
    { story: "a secret of the config", fields: { x: new Secret("hunter2") }, not: "hunter2" },
    { story: "a cookie", fields: { headers: { cookie: "hunter2" } }, not: "hunter2" },
    { story: "a stack", fields: { error: new Error("broken") }, not: "journal.test" },
  ])("$story", ({ fields, not }) => {
    const { it, log } = journal();
    log.info("x", fields);
    expect(JSON.stringify(it.after(0))).not.toContain(not);
  });

  test("long texts and long lists are cut", () => {
    const { it, log } = journal();
    log.info("x".repeat(5000), {
      text: "y".repeat(5000),
      list: Array.from({ length: 5000 }, () => "z"),
      ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, i])),
    });
    expect(JSON.stringify(it.after(0)).length).toBeLessThan(2500);
  });

  test("a field cannot pass for what the entry itself says", () => {
    const { it, log } = journal();
    log.info("x", { level: "error", time: "never", number: 99, message: "y" });
    expect(it.after(0)).toMatchObject([{ number: 1, level: "info", message: "x" }]);
  });
});
