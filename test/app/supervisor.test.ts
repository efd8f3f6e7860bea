import { expect, test } from "bun:test";

import type { Config, Read } from "../../src/app/config-text.ts";
import type { Crew } from "../../src/app/crew.ts";
import type { Reloaded } from "../../src/app/outcome.ts";
import { byEdits, type Carried } from "../../src/app/running-text.ts";
import { Supervisor, type SupervisorParts } from "../../src/app/supervisor.ts";
import { load } from "../../src/config/load.ts";
import { CertificateStore } from "../../src/net/tls/store.ts";
import { Registry } from "../../src/observe/registry.ts";
import { memoryLog } from "../fake/log.ts";

/** A config of root keys only; what sections come to is the roster's matter. */
function config(text: string): Config {
  const loaded = load(text, { file: "tern.yaml", sections: {}, later: [] });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const source = { file: "tern.yaml", base: undefined, text, value: loaded.value, files: {} };
  return { source, root: loaded.root, sections: {}, warnings: [] };
}

/** A crew that writes down what it is told. */
function crew(name: string, size: number, diary: string[], fails: () => string | undefined): Crew {
  return {
    size,
    serving: size,
    actions: {},
    prepare: async () => {
      const why = fails();
      if (why) throw new Error(why);
      diary.push(`${name} prepares`);
      return {
        changed: ["web"],
        commit: async () => void diary.push(`${name} commits`),
        abandon: async () => void diary.push(`${name} abandons`),
      };
    },
    members: async () => [],
    metrics: async () => {
      const registry = new Registry();
      registry.counter("tern_things_total", "Things.").add(size);
      return [registry.snapshot()];
    },
    act: async () => ({ kind: "done", value: name }),
    certificates: async () => void diary.push(`${name} gets certificates`),
    reopen() {},
    stop: async (within) => void diary.push(`${name} stops within ${within}`),
  };
}

async function made(first: string, before?: Carried) {
  const diary: string[] = [];
  const log = memoryLog();
  const now = { text: first, problem: "", fails: "", admin: "" };
  let crews = 0;
  const parts: SupervisorParts = {
    logs: { log: { ...log, setLevel() {} }, change: () => void diary.push("logs change") },
    registry: new Registry(),
    certificates: {
      store: new CertificateStore(),
      prepare: async (tls) =>
        tls.minVersion === "1.3"
          ? { fill: () => void diary.push("store filled"), run: () => void diary.push("renewing") }
          : undefined,
      close: () => void diary.push("certificates close"),
    },
    cluster: { change: (cluster) => void (cluster && diary.push(`node ${cluster.node}`)) },
    read: (): Read => {
      if (now.problem === "gone") throw new Error("tern.yaml: no such file");
      if (now.problem === "") return { ok: true, config: config(now.text) };
      const place = { file: "tern.yaml", line: 3, column: 7, path: "workers", excerpt: "" };
      return { ok: false, problems: [{ ...place, message: now.problem }] };
    },
    readText: (text): Read => {
      if (now.problem === "") return { ok: true, config: config(text) };
      const place = { file: "tern.yaml", line: 3, column: 7, path: "workers", excerpt: "" };
      return { ok: false, problems: [{ ...place, message: now.problem }] };
    },
    makeCrew: async ({ root }) =>
      crew(`crew${++crews}`, Number(root.workers), diary, () => now.fails || undefined),
    crewSize: ({ root }) => Number(root.workers),
  };
  const { supervisor, commit } = await Supervisor.prepare(parts, config(first), before);
  supervisor.administer({
    renew() {},
    prepare: async () => {
      if (now.admin) throw new Error(now.admin);
      diary.push("admin prepares");
      return {
        commit: async () => void diary.push("admin commits"),
        abandon: () => void diary.push("admin abandons"),
      };
    },
  });
  await commit();
  return { supervisor, diary, now, log };
}

test("prepare everything, then start, then stop the old", async () => {
  const { supervisor, diary, now } = await made("workers: 1");
  diary.length = 0;
  now.text = '{ workers: 2, tls: { min_version: "1.3" } }';
  const result = await supervisor.reload();
  expect(result).toMatchObject({ ok: true, changed: ["web", "workers", "tls"] });
  expect(diary).toEqual([
    "admin prepares",
    "crew2 prepares",
    "logs change",
    "store filled",
    "crew2 gets certificates",
    "crew2 commits",
    "admin commits",
    "renewing",
    "crew1 stops within 30000",
  ]);
  expect([supervisor.generation, supervisor.crew.size]).toEqual([2, 2]);
});

test("the same number of workers stays the same crew", async () => {
  const { supervisor, diary, now } = await made("workers: 2");
  diary.length = 0;
  now.text = "{ workers: 2, log: { level: debug } }";
  await supervisor.reload();
  expect(diary).toEqual([
    "admin prepares",
    "crew1 prepares",
    "logs change",
    "crew1 commits",
    "admin commits",
  ]);
});

test.each([
  {
    story: "a wrong config",
    set: { problem: 'expected "auto"' },
    said: 'tern.yaml:3:7: workers: expected "auto"',
    diary: [],
  },
  {
    story: "a config that is gone",
    set: { problem: "gone" },
    said: "tern.yaml:1:1: tern.yaml: no such file",
    diary: [],
  },
  {
    story: "an admin port that is taken",
    set: { admin: "admin: cannot listen" },
    said: "tern.yaml:1:1: admin: cannot listen",
    diary: [],
  },
  {
    story: "a worker that cannot prepare, or dies of it",
    set: { fails: "worker 1 ended: signal SIGKILL" },
    said: "tern.yaml:1:1: worker 1 ended: signal SIGKILL",
    diary: ["admin prepares", "admin abandons"],
  },
  {
    story: "a new crew that cannot prepare is sent away",
    set: { fails: "bind 127.0.0.1:80: EACCES", text: "workers: 3" },
    said: "tern.yaml:1:1: bind 127.0.0.1:80: EACCES: not allowed",
    diary: ["admin prepares", "admin abandons", "crew2 stops within 0"],
  },
])("$story changes nothing and says why", async ({ set, said, diary }) => {
  const it = await made("workers: 2");
  it.diary.length = 0;
  Object.assign(it.now, set);
  const before = it.supervisor.config;
  expect((await it.supervisor.reload()).ok).toBe(false);
  expect(it.diary).toEqual([...diary]);
  expect(it.supervisor.config).toBe(before);
  expect([it.supervisor.generation, it.supervisor.state]).toEqual([1, "serving"]);
  expect(it.supervisor.lastReload?.problems[0]).toStartWith(said);
  expect(it.log.lines.at(-1)).toBe("error reload refused: the config before stays in force");
  // And the next one is as good as any.
  Object.assign(it.now, { problem: "", admin: "", fails: "", text: "workers: 2" });
  expect((await it.supervisor.reload()).ok).toBe(true);
});

test("reloads come one after the other", async () => {
  const { supervisor } = await made("workers: 2");
  const both = [supervisor.reload(), supervisor.reload()];
  await Bun.sleep(0);
  await Promise.all(both);
  expect(supervisor.generation).toBe(3);
});

test("what a crew has counted stays in the sums when it is replaced", async () => {
  const { supervisor, now } = await made("workers: 2");
  now.text = "workers: 5";
  await supervisor.reload();
  await Bun.sleep(1);
  const { families } = await supervisor.metrics();
  expect(families.find((f) => f.name === "tern_things_total")?.series[0]?.value).toBe(7);
});

test("a first config that cannot be prepared leaves nothing running", async () => {
  const diary: string[] = [];
  const parts = {
    logs: { log: { ...memoryLog(), setLevel() {} }, change() {} },
    registry: new Registry(),
    certificates: { store: new CertificateStore(), prepare: async () => undefined, close() {} },
    cluster: { change() {} },
    read: () => ({ ok: true as const, config: config("") }),
    readText: () => ({ ok: true as const, config: config("") }),
    makeCrew: async () => crew("crew", 1, diary, () => "bind :80: EACCES"),
    crewSize: () => 1,
  };
  expect(Supervisor.prepare(parts, config(""))).rejects.toThrow("EACCES");
  await Bun.sleep(0);
  expect(diary).toEqual(["crew stops within 0"]);
});

const level = (to: string, who = "ann") =>
  byEdits(who, `log ${to}`, () => [{ kind: "set", path: ["log", "level"], value: to }]);

test("a change of the running text is put in force as a reload is, and the file is left alone", async () => {
  const { supervisor, diary } = await made("workers: 2 # two\nlog: { level: info }\n");
  diary.length = 0;
  expect(await supervisor.amend(level("debug"))).toEqual({
    ok: true,
    kind: "done",
    changed: ["web", "log"],
    notes: [],
  });
  expect(diary).toEqual([
    "admin prepares",
    "crew1 prepares",
    "logs change",
    "crew1 commits",
    "admin commits",
  ]);
  const { running, generation, config: now } = supervisor;
  expect(generation).toBe(2);
  expect(now.root.log.level).toBe("debug");
  expect(running.text).toBe("workers: 2 # two\nlog: { level: debug }\n");
  expect(running.file).toBe("workers: 2 # two\nlog: { level: info }\n");
  expect(running.unsaved).toMatchObject([
    {
      who: "ann",
      what: "log debug",
      edits: [{ kind: "set", path: ["log", "level"], value: "debug" }],
    },
  ]);
});

test("a change that is taken back leaves nothing to save", async () => {
  const { supervisor } = await made("workers: 2\nlog: { level: info }\n");
  await supervisor.amend(level("debug"));
  await supervisor.amend(level("info"));
  expect(supervisor.running.unsaved).toEqual([]);
  expect(supervisor.generation).toBe(3);
  // And one that changes nothing is no generation of its own.
  expect(await supervisor.amend(level("info"))).toMatchObject({ ok: true, changed: [] });
  expect(supervisor.generation).toBe(3);
});

test.each([
  {
    story: "a wrong result",
    set: { problem: "no such pool" },
    came: { kind: "bad config", problems: [{ line: 3, column: 7, message: "no such pool" }] },
  },
  {
    story: "a worker that cannot prepare",
    set: { fails: "bind :80: EACCES" },
    came: { kind: "bad config" },
  },
])("$story changes nothing", async ({ set, came }) => {
  const it = await made("workers: 2");
  Object.assign(it.now, set);
  expect(await it.supervisor.amend(level("debug"))).toMatchObject({ ok: false, ...came });
  expect([it.supervisor.generation, it.supervisor.running.text]).toEqual([1, "workers: 2"]);
  expect(it.supervisor.running.unsaved).toEqual([]);
  expect(it.log.lines.at(-1)).toBe("warn a change was refused");
  expect(it.supervisor.lastReload).toBeUndefined();
});

test("a change that makes no sense says why; one for another generation is refused", async () => {
  const { supervisor } = await made("workers: 2");
  const nonsense = byEdits("ann", "x", () => {
    throw new Error("the pool has no host two");
  });
  expect(await supervisor.amend(nonsense)).toEqual({
    ok: false,
    kind: "cannot",
    why: "the pool has no host two",
  });
  await supervisor.amend(level("debug"));
  expect(await supervisor.amend(level("info"), { base: 1 })).toEqual({ ok: false, kind: "stale" });
  expect(await supervisor.amend(level("info"), { base: 2 })).toMatchObject({ ok: true });
});

test("a reload says which changes it drops", async () => {
  const { supervisor } = await made("workers: 2");
  await supervisor.amend(level("debug"));
  const { dropped, notes } = (await supervisor.reload()) as Reloaded & { ok: true };
  expect(dropped).toMatchObject([{ who: "ann", what: "log debug" }]);
  expect(notes).toEqual(["dropped what was not saved: log debug (ann)"]);
  expect(supervisor.running.unsaved).toEqual([]);
  expect(supervisor.config.root.log.level).toBe("info");
});

test("a reload of a file that has them all drops nothing", async () => {
  const { supervisor, now } = await made("workers: 2");
  await supervisor.amend(level("debug"));
  now.text = supervisor.running.text;
  expect(await supervisor.reload()).toMatchObject({ dropped: [] });
});

test("the process that replaces this one goes on from here", async () => {
  const { supervisor } = await made("workers: 2");
  await supervisor.amend(level("debug"));
  const carried = JSON.parse(JSON.stringify(supervisor.carried)) as Carried;
  const next = await made(carried.text, carried);
  expect(next.supervisor.generation).toBe(3);
  expect(next.supervisor.running.unsaved).toEqual(supervisor.running.unsaved);
  expect(next.supervisor.running.file).toBe("workers: 2");
});
