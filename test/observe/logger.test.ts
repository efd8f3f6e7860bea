import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { type Level, LEVELS, type LogFields } from "../../src/observe/log.ts";
import { type LogOptions, makeLog } from "../../src/observe/logger.ts";

const clock = { now: () => Date.UTC(2026, 10, 22, 10, 58) };

function logged(options: Partial<LogOptions>, message: string, fields?: LogFields): string {
  let out = "";
  const write = (line: string) => void (out += line);
  makeLog({ level: "debug", format: "json", write, clock, ...options }).info(message, fields);
  return out;
}

describe("format", () => {
  test.each([
    { format: "auto", tty: false, starts: '{"time":"2026-11-22T10:58:00.000Z","level":"info",' },
    { format: "auto", tty: true, starts: "\x1b[2m2026-11-22T10:58:00.000Z\x1b[0m \x1b[32minfo " },
    { format: "json", tty: true, starts: "{" },
    { format: "text", tty: false, starts: "2026-11-22T10:58:00.000Z info  up port=80\n" },
  ] as const)("$format, terminal: $tty", ({ format, tty, starts }) => {
    expect(logged({ format, tty }, "up", { port: 80 })).toStartWith(starts);
  });

  test("no colour on a terminal when the operator wants none", () => {
    expect(logged({ format: "auto", tty: true, color: false }, "up")).not.toContain("\x1b");
  });
});

describe("levels", () => {
  test.each([...LEVELS])("at %s the lower ones are silent", (level) => {
    const seen: Level[] = [];
    const log = makeLog({ level, format: "json", write: (_, at) => seen.push(at), clock });
    for (const l of LEVELS) log[l]("x");
    expect(seen).toEqual(LEVELS.slice(LEVELS.indexOf(level)));
  });

  test("a changed level reaches the logs that services already hold", () => {
    const seen: string[] = [];
    const log = makeLog({ level: "info", format: "json", write: (l) => seen.push(l), clock });
    const web = log.with({ service: "web" });
    web.debug("before");
    log.setLevel("debug");
    web.debug("after");
    expect(seen.map((l) => JSON.parse(l).message)).toEqual(["after"]);
  });
});

test("with adds its fields to every line, and the line's own win", () => {
  let out = "";
  const log = makeLog({ level: "info", format: "json", write: (l) => void (out = l), clock });
  log.with({ service: "web", site: "a" }).with({ worker: 1 }).warn("m", { site: "b" });
  expect(JSON.parse(out)).toMatchObject({ level: "warn", service: "web", site: "b", worker: 1 });
});

test("no field can stand in for time, level or message", () => {
  const line = logged({}, "real", { message: "forged", level: "debug", time: "never" });
  expect(JSON.parse(line)).toEqual({
    time: "2026-11-22T10:58:00.000Z",
    level: "info",
    message: "real",
  });
});

describe("errors", () => {
  const root = Object.assign(new Error("no space"), { code: "ENOSPC" });
  const failed = new Error("upload failed", { cause: root });

  test("as JSON: stack, code and every cause", () => {
    const { error } = JSON.parse(logged({}, "oops", { error: failed }));
    expect(error).toMatchObject({ message: "upload failed", cause: { code: "ENOSPC" } });
    expect(error.stack).toContain("logger.test.ts");
    expect(error.cause.stack).toContain("logger.test.ts");
  });

  test("as text: one line, then stacks indented below", () => {
    const lines = logged({ format: "text" }, "oops", { error: failed }).trimEnd().split("\n");
    expect(lines[0]).toBe('2026-11-22T10:58:00.000Z info  oops error="upload failed"');
    expect(lines.slice(1).every((l) => l.startsWith("    "))).toBe(true);
    expect(lines).toContain("    because");
    expect(lines.join()).toContain("no space");
  });

  test("an error that causes itself ends", () => {
    const loop = new Error("loop");
    loop.cause = loop;
    expect(logged({}, "x", { loop })).toContain("…");
    expect(logged({ format: "text" }, "x", { loop })).toContain("…");
  });
});

describe("secrets", () => {
  class Secret {
    toJSON = () => "***";
    reveal = () => "hunter2";
  }
  test.each([
    { story: "one that masks itself", fields: { key: new Secret() } },
    { story: "by its name", fields: { password: "hunter2" } },
    { story: "deep inside", fields: { user: [{ name: "a", adminPassword: "hunter2" }] } },
    { story: "a header", fields: { headers: { Authorization: "hunter2", cookie: "hunter2" } } },
    { story: "a list of them", fields: { tokens: ["hunter2"] } },
    { story: "in a Map", fields: { m: new Map([["csrf_token", "hunter2"]]) } },
    { story: "bytes", fields: { key: new TextEncoder().encode("hunter2") } },
  ])("$story", ({ fields }) => {
    for (const format of ["json", "text"] as const) {
      expect(logged({ format }, "x", fields)).not.toContain("hunter2");
    }
  });

  test("a count of them is not one", () => {
    expect(logged({ format: "text" }, "x", { tokens: 5 })).toContain("tokens=5");
  });
});

describe("whatever the fields hold", () => {
  const anything = fc.dictionary(
    fc.string({ unit: "binary" }),
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    }),
  );
  test("JSON is one line that parses", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), anything, (message, fields) => {
        const line = logged({}, message, fields);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(line).message).toBe(message.toWellFormed());
      }),
    );
  });
  test("text is one line without control characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), anything, (message, fields) => {
        const line = logged({ format: "text" }, message, fields);
        // oxlint-disable-next-line no-control-regex -- that there are none is the point
        expect(line.slice(0, -1)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/);
      }),
    );
  });
  test("what throws when read costs its value, not the line", () => {
    const trap = {
      get value(): never {
        throw new Error("no");
      },
    };
    expect(JSON.parse(logged({}, "x", { trap }))).toMatchObject({ trap: "(unreadable)" });
  });
});
