import { expect, test } from "bun:test";

import { LATER, SECTIONS } from "../../../src/app/services.ts";
import { import3xsd } from "../../../src/config/import/three-xsd.ts";
import { load } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/config/problem.ts";
import type { PoolsConfig } from "../../../src/services/pools/config.ts";
import type { ProxyConfig } from "../../../src/services/proxy/config.ts";

/** What an imported text gives; throws when the loader refuses it. */
function read(yaml: string): { pools: PoolsConfig; proxy: ProxyConfig } {
  const loaded = load(yaml, { file: "/etc/tern/tern.yaml", sections: SECTIONS, later: LATER });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  return loaded.sections as unknown as { pools: PoolsConfig; proxy: ProxyConfig };
}

const zsd = (lines: string) => import3xsd(`[3zsd]\n${lines}`, "3xsd.conf");

test("hosts, ranges, tiers and the default", () => {
  const { yaml, notes } = zsd(
    "example.com = 100,127.0.0.1:80,127.0.0.10-11:8000\n_example.com = 60,10.0.0.1\n* = 100,127.0.0.1:8080\n",
  );
  expect(notes).toEqual([]);
  const { pools, proxy } = read(yaml);
  expect(pools["example.com"]?.hosts.map(({ label, backup }) => [label, backup])).toEqual([
    ["127.0.0.1:80", false],
    ["127.0.0.10:8000", false],
    ["127.0.0.11:8000", false],
    ["10.0.0.1:80", true],
  ]);
  expect(pools["example.com"]?.eject).toEqual({ errors: 1, for: 100_000 });
  expect(proxy["edge"]?.routes.map(({ host, pool }) => [host, pool])).toEqual([
    ["example.com", "example.com"],
    ["*", "default"],
  ]);
  expect(proxy["edge"]?.listen).toEqual([{ kind: "tcp", host: "", port: 8000 }]);
  expect(proxy["edge"]?.cache?.defaults).toEqual({ "200": 5000 });
});

test("transparent", () => {
  const { yaml, notes } = zsd("* = 100,0.0.0.0:0\n");
  expect(notes).toHaveLength(1);
  expect(read(yaml).proxy["edge"]?.routes[0]?.forward?.allow).toEqual(["*"]);
});

test.each([
  ["nothing", "", ["1: [3zsd] has no hosts: there is no proxy"]],
  [
    "no TTL",
    "a = 127.0.0.1:80\n",
    ["2: a has no TTL: left out", "2: [3zsd] has no hosts: there is no proxy"],
  ],
  ["a wrong server", "a = 1,x y,127.0.0.1\n", ['2: "x y" is no server: left out']],
  ["no host", "a/b = 1,127.0.0.1\nb = 1,127.0.0.1\n", ['2: "a/b" is no host: left out']],
])("%s", (_, text, expected) => {
  const { yaml, notes } = zsd(text);
  expect(notes.map(({ line, message }) => `${line}: ${message}`)).toEqual(expected);
  read(yaml);
});
