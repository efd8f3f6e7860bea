import { describe, expect, test } from "bun:test";

import { alike } from "../../../src/admin/console/page/parts/alike.ts";
import { condition } from "../../../src/admin/console/page/parts/condition.ts";
import type { Figures } from "../../../src/admin/console/page/state/answers.ts";
import {
  ago,
  amount,
  human,
  isTime,
  milliseconds,
  span,
  title,
  unbroken,
} from "../../../src/admin/console/page/state/format.ts";
import { totals, troubles } from "../../../src/admin/console/page/state/health.ts";
import { href, parseRoute } from "../../../src/admin/console/page/state/route.ts";
import { groupsOf } from "../../../src/admin/console/page/views/uses.ts";
import { model } from "../../fake/console-model.ts";

describe("figures for people", () => {
  test.each([
    [human("rss_bytes", 3 * 1024 ** 2), "3 MiB"],
    [human("uptimeMs", 90_000), "1 min 30 s"],
    [human("answers_in_ms", 4.2), "4 ms"],
    [
      [isTime("began_at"), isTime("handshakeAt"), isTime("flat"), isTime("began")].join(),
      "true,true,false,false",
    ],
    [human("port", 8080), "8080"],
    [human("queries", 12_345), "12,345"],
    [human("load", 0.123), "0.1"],
    [amount(9.96), "10"],
    [amount(1234.5), "1,235"],
    [amount(Number.NaN), "–"],
    [milliseconds(0.123), "0.12 ms"],
    [milliseconds(1500), "1.5 s"],
    [span(86_400_000 * 12.5), "12 d"],
    [span(3_600_000 * 3.5), "3 h 30 min"],
    [ago(1000, 61_000), "1 min ago"],
    [title("up_bytes"), "up"],
    [title("bytes"), "bytes"],
    [title("maxConnections"), "max connections"],
    [title("rejected_by_access"), "rejected by access"],
    [title("failed_tls"), "failed TLS"],
    [title("url"), "URL"],
    [title("idle"), "idle"],
    [unbroken("↑ 5 MiB"), "↑\u00a05\u00a0MiB"],
  ])("%p", (shown, expected) => expect(shown).toBe(expected));
});

describe("addresses within the console", () => {
  test.each([
    { hash: "", route: { page: "overview" } },
    { hash: "#/pool/app", route: { page: "pool", name: "app" } },
    { hash: "#/pool", route: { page: "lost" } },
    { hash: "#/balance", route: { page: "balance" } },
    { hash: "#/balance/shop", route: { page: "balance-service", name: "shop" } },
    { hash: "#/config/edit", route: { page: "config", tab: "edit" } },
    { hash: "#/config/else", route: { page: "lost" } },
    { hash: "#/pool/%zz", route: { page: "pool", name: "%zz" } },
    { hash: "#/nowhere", route: { page: "lost" } },
  ])("$hash", ({ hash, route }) => expect(parseRoute(hash)).toEqual(route as never));

  test("any name goes there and back", () => {
    for (const name of ["a/b", "10.0.0.1:80", "<b>", "ü %", "#"])
      expect(parseRoute(href("pool", name))).toEqual({ page: "pool", name });
  });
});

test.each([
  { state: "up", set: "ready", word: "Up" },
  { state: "up", set: "drain", word: "Draining" },
  { state: "down", set: "down", word: "Taken down" },
  { state: "down", set: "ready", word: "Down" },
  { state: "ejected", set: "ready", word: "Ejected" },
  { state: "unknown", set: "ready", word: "Unknown" },
])("a host that is $state and set to $set is shown as $word", ({ word, ...host }) => {
  expect(condition(host).word).toBe(word);
});

test("groups, their pools, and which is enabled", () => {
  const [shop] = Object.values(model().balance);
  if (!shop) throw new Error("the model has a service");
  expect(groupsOf(shop)).toEqual([
    { name: "main", pool: "app", enabled: true },
    { name: "upgrade", pool: "app-next", enabled: false },
  ]);
});

describe("what somebody should look at", () => {
  const figures = model().figures() as unknown as Figures; // as the API sends it
  // oxlint-disable-next-line typescript/no-explicit-any -- changed here and there as no type allows
  const said = (change: (copy: any) => void): string[] => {
    const copy: unknown = structuredClone(figures);
    change(copy);
    return troubles(copy as Figures, Date.now()).map(({ tone, text }) => `${tone}: ${text}`);
  };

  test.each([
    {
      story: "a host that is down, and a certificate that is old",
      change: () => {},
      found: [
        "bad: Pool app: 1 of 4 hosts is down.",
        "warn: The certificate of old.example.net expires soon.",
      ],
    },
    {
      story: "nobody is left",
      change: (copy: any) => {
        for (const host of Object.values<any>(copy.services.pools.app.hosts)) host.state = "down";
        copy.status.certificates = [];
      },
      found: ["bad: Pool app: no host is up."],
    },
    {
      story: "a worker is not there, a reload was refused",
      change: (copy: any) => {
        copy.services = {};
        copy.status.certificates = [];
        copy.status.workers[0].state = "starting";
        copy.status.lastReload.ok = false;
      },
      found: [
        "bad: Worker 0 is starting.",
        "warn: The last reload was refused; the config before it runs on.",
      ],
    },
  ])("$story", ({ change, found }) => expect(said(change)).toEqual([...found]));

  test("totals count every connection once", () => {
    const { connections } = totals(figures);
    expect(connections).toBe(61 + (model().balance["shop"]?.open ?? 0));
  });
});

test("things that are alike are a table", () => {
  expect(alike({ a: { x: 1 }, b: { x: 2, y: 3 } })).toHaveLength(2);
  expect(alike({ a: { x: 1 }, b: { y: 2 } })).toBeUndefined();
  expect(alike({ a: { x: { y: 1 } } })).toBeUndefined();
  expect(alike({ a: 1 })).toBeUndefined();
});
