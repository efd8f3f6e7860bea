import { expect, test } from "bun:test";

import { Roster } from "../../src/app/roster.ts";
import { diary } from "../fake/diary-service.ts";
import { fakeHost } from "../fake/host.ts";

function made() {
  const lines: string[] = [];
  const host = fakeHost();
  const roster = new Roster([diary("web", lines), diary("dns", lines)], host);
  return { lines, roster, [Symbol.dispose]: () => host[Symbol.dispose]() };
}

test("the new one starts before the old one stops", async () => {
  using it = made();
  const { lines, roster } = it;
  await (await roster.prepare({ web: { take: 1 } })).commit();
  await (await roster.prepare({ web: { take: 2 } })).commit();
  expect(lines.slice(2)).toEqual(["web2 prepared", "web2 started", "web1 stopped"]);
  expect(roster.stats()).toEqual({ web: { take: 2 } });
});

test("nothing takes traffic before it is committed", async () => {
  using it = made();
  const { lines, roster } = it;
  const change = await roster.prepare({ web: {} });
  expect(lines).toEqual(["web1 prepared"]);
  expect(roster.names).toEqual([]);
  await change.abandon();
  expect(lines).toEqual(["web1 prepared", "web1 stopped now"]);
});

test("if one cannot be prepared, nothing changes", async () => {
  using it = made();
  const { lines, roster } = it;
  await (await roster.prepare({ web: { take: 1 } })).commit();
  lines.length = 0;
  const next = { web: { take: 2 }, dns: { ok: false } };
  expect(roster.prepare(next)).rejects.toThrow("EADDRINUSE");
  await Bun.sleep(0);
  expect(lines).toEqual(["web2 prepared", "web2 stopped now"]);
  expect(roster.stats()).toEqual({ web: { take: 1 } });
});

test("a section that did not change is left alone", async () => {
  using it = made();
  const { lines, roster } = it;
  await (await roster.prepare({ web: { take: 1 }, dns: { take: 1 } })).commit();
  lines.length = 0;
  const change = await roster.prepare({ web: { take: 1 } });
  await change.commit();
  expect(change.steps).toEqual([{ service: "dns", act: "stop" }]);
  expect(lines).toEqual(["dns1 stopped"]);
});

test("stopping waits for all, and leaves nothing", async () => {
  using it = made();
  const { lines, roster } = it;
  await (await roster.prepare({ web: {}, dns: {} })).commit();
  await roster.stop(new AbortController().signal);
  expect(lines.slice(-2)).toEqual(["web1 stopped", "dns1 stopped"]);
  expect(roster.names).toEqual([]);
});

test("actions are found by name and their input is checked", async () => {
  using it = made();
  const { roster } = it;
  await (await roster.prepare({ web: { take: 3 } })).commit();
  expect(Object.keys(roster.actions()["web"] ?? {})).toEqual(["add"]);
  expect(await roster.act("web", "add", { n: 4 })).toEqual({ kind: "done", value: 7 });
  expect(await roster.act("web", "add", { n: "4" })).toMatchObject({ kind: "refused" });
  expect(roster.act("web", "constructor", {})).rejects.toThrow("no action");
  expect(roster.act("dns", "add", {})).rejects.toThrow("no action");
});
