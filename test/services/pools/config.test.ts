import { describe, expect, test } from "bun:test";

import { load } from "../../../src/config/load.ts";
import { type PoolsConfig, poolsSchema } from "../../../src/services/pools/config.ts";

/** What `pools: { app: … }` reads as, or what is wrong with it. */
function read(app: object): PoolsConfig[string] | string[] {
  const text = JSON.stringify({ pools: { app } }, null, 1);
  const loaded = load(text, { file: "t.yaml", sections: { pools: poolsSchema }, later: [] });
  if (!loaded.ok) return loaded.problems.map(({ path, message }) => `${path}: ${message}`);
  return (loaded.sections["pools"] as PoolsConfig)["app"] ?? [];
}

test("everything has a default", () => {
  expect(read({})).toEqual({
    name: "app",
    scheduler: "roundrobin",
    sticky: "off",
    stickyTable: { size: 100_000, expire: 1_800_000 },
    hosts: [],
    check: null,
    retry: { attempts: "all", on: ["connect", "timeout"] },
    eject: { errors: 1, for: 120_000 },
    queue: { timeout: 5000, size: 1000 },
  });
});

test("the contract's example", () => {
  const pool = read({
    scheduler: "leastconnsrr",
    sticky: "off",
    hosts: [
      "10.0.0.1:8080",
      { name: "two", address: "10.0.0.2:8080", weight: 2, slow_start: "30s", max_connections: 200 },
      { address: "10.0.0.9:8080", backup: true },
    ],
    check: {
      kind: "http",
      path: "/health",
      expect: "200-399",
      interval: "2s",
      timeout: "1s",
      rise: 2,
      fall: 3,
    },
    retry: { attempts: 2, on: ["connect", "timeout", "502", "503"] },
    eject: { errors: 5, for: "10s" },
    checktime: "120s",
  });
  const plain = { weight: 1, backup: false, slowStart: 0, maxConnections: 0, state: "ready" };
  const at = (host: string) => ({ kind: "address", host, port: 8080 });
  expect(pool).toMatchObject({
    scheduler: "leastconnsrr",
    hosts: [
      { ...plain, label: "10.0.0.1:8080", place: at("10.0.0.1") },
      {
        ...plain,
        label: "two",
        place: at("10.0.0.2"),
        weight: 2,
        slowStart: 30_000,
        maxConnections: 200,
      },
      { ...plain, label: "10.0.0.9:8080", place: at("10.0.0.9"), backup: true },
    ],
    check: { kind: "http", path: "/health" },
    retry: { attempts: 2, on: ["connect", "timeout", "502", "503"] },
    eject: { errors: 5, for: 10_000 },
  });
});

test.each([
  { story: "one failure, for checktime", more: {}, eject: { errors: 1, for: 120_000 } },
  { story: "for another checktime", more: { checktime: "15s" }, eject: { errors: 1, for: 15_000 } },
  {
    story: "with a check there is less to fear",
    more: { check: { kind: "tcp" } },
    eject: { errors: 5, for: 10_000 },
  },
  { story: "as it is written", more: { eject: { errors: 2 } }, eject: { errors: 2, for: 10_000 } },
])("who is taken out, and for how long: $story", ({ more, eject }) => {
  expect(read(more)).toMatchObject({ eject });
});

describe("hosts", () => {
  test.each([
    {
      host: "10.0.0.1:80",
      labels: ["10.0.0.1:80"],
      place: { kind: "address", host: "10.0.0.1", port: 80 },
    },
    {
      host: "[2001:DB8::1]:80",
      labels: ["[2001:db8::1]:80"],
      place: { kind: "address", port: 80 },
    },
    {
      host: "10.0.0.9-11:80",
      labels: ["10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80"],
      place: { host: "10.0.0.9" },
    },
    {
      host: "App.Example:80",
      labels: ["app.example:80"],
      place: { kind: "name", name: "app.example", port: 80 },
    },
    {
      host: "localhost:80",
      labels: ["localhost:80"],
      place: { kind: "name", name: "localhost", port: 80 },
    },
    {
      host: "srv:_http._tcp.Example.net",
      labels: ["srv:_http._tcp.Example.net"],
      place: { kind: "srv", name: "_http._tcp.example.net" },
    },
  ])("$host", ({ host, labels, place }) => {
    for (const hosts of [[host], [{ address: host }]]) {
      const pool = read({ hosts });
      if (Array.isArray(pool)) throw new Error(pool.join("\n"));
      expect(pool.hosts.map(({ label }) => label)).toEqual([...labels]);
      expect(pool.hosts[0]?.place).toMatchObject(place);
    }
  });

  test.each([
    {
      story: "no port",
      app: { hosts: ["10.0.0.1"] },
      says: 'pools.app.hosts[0]: expected a host with its port, got "10.0.0.1"; did you mean "10.0.0.1:80"?',
    },
    {
      story: "nonsense",
      app: { hosts: ["what?"] },
      says: /^pools.app.hosts\[0\]: expected a host such as "10.0.0.1:80"/,
    },
    {
      story: "a name for many",
      app: { hosts: [{ name: "x", address: "10.0.0.1-3:80" }] },
      says: "pools.app.hosts[0]: a name is for one host, and the range has 3",
    },
    {
      story: "one address twice",
      app: { hosts: ["10.0.0.1-3:80", "10.0.0.2:80"] },
      says: 'pools.app.hosts[1]: "10.0.0.2:80" is there twice',
    },
    {
      story: "one address under two names",
      app: { hosts: [{ name: "x", address: "10.0.0.1:80" }, "10.0.0.1:80"] },
      says: 'pools.app.hosts[1]: "10.0.0.1:80" is there twice',
    },
    {
      story: "a misspelt key",
      app: { hosts: [{ address: "10.0.0.1:80", wieght: 2 }] },
      says: 'pools.app.hosts[0]: unknown key "wieght"; did you mean "weight"?',
    },
    {
      story: "a misspelt scheduler",
      app: { scheduler: "leastcons" },
      says: /did you mean "leastconns"\?$/,
    },
    {
      story: "a state that is none",
      app: { hosts: [{ address: "10.0.0.1:80", state: "up" }] },
      says: /"ready" or "drain" or "down"/,
    },
    {
      story: "a wrong cause",
      app: { retry: { on: ["200"] } },
      says: /expected .*connect, timeout or a status such as "502", got "200"/,
    },
  ])("refused: $story", ({ app, says }) => {
    const problems = read(app);
    if (!Array.isArray(problems)) throw new Error("it was taken");
    if (says instanceof RegExp) expect(problems.join("\n")).toMatch(says);
    else expect(problems).toEqual([says]);
  });
});
