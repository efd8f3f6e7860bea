import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Logs } from "../../src/app/logs.ts";
import { Registry } from "../../src/observe/registry.ts";
import { temporary } from "../fake/temporary.ts";

let dir: Awaited<ReturnType<typeof temporary>>;
let terminal: number;
beforeEach(async () => {
  dir = await temporary();
  terminal = openSync(join(dir.path, "terminal"), "a");
});
afterEach(async () => {
  closeSync(terminal);
  await dir[Symbol.asyncDispose]();
});

const said = (): string => readFileSync(join(dir.path, "terminal"), "utf8");
const config = (file: string, access?: string) => ({
  log: { level: "info", format: "json", file } as const,
  accessLog: access === undefined ? undefined : accessLog(access),
});
const accessLog = (file: string) => ({ file, format: "combined", rotate: 0, keep: 1 }) as const;
const dropped = (registry: Registry): unknown =>
  Object.fromEntries(
    registry
      .snapshot()
      .families.find(({ name }) => name === "tern_log_lines_dropped_total")
      ?.series.map(({ labels, value }) => [labels["log"], value]) ?? [],
  );

test("what the log file does not take is counted, and said where the program was started", () => {
  const registry = new Registry();
  const taken = join(dir.path, "a directory");
  mkdirSync(taken);
  const logs = new Logs(config(taken), registry, terminal);
  logs.log.warn("careful");
  expect(said()).toMatch(/the log file cannot be written.*EISDIR.*\n.*careful/);
  expect(dropped(registry)).toEqual({ program: 2, access: 0 });

  logs.change(config(join(dir.path, "log")));
  logs.log.warn("better");
  logs.close();
  expect(readFileSync(join(dir.path, "log"), "utf8")).toContain("better");
  expect(said()).not.toContain("better");
});

test("what the access log does not take is counted, and logged", () => {
  const registry = new Registry();
  const taken = join(dir.path, "a directory");
  mkdirSync(taken);
  const logs = new Logs(config("-", taken), registry, terminal);
  expect(said()).toContain("the access log cannot be written");
  logs.accessLog?.write({
    service: "web.site",
    client: "192.0.2.1",
    user: undefined,
    method: "GET",
    target: "/",
    protocol: "HTTP/1.1",
    host: "localhost",
    status: 200,
    bytes: 1,
    ms: 1,
    referer: null,
    agent: null,
  });
  logs.accessLog?.flush();
  expect(said()).toContain("access log lines lost");
  expect(dropped(registry)).toEqual({ program: 0, access: 1 });
  logs.close();
});
