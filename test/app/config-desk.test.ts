import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import * as v from "valibot";

import { makeChange, showInput } from "../../src/app/changes.ts";
import { Desk } from "../../src/app/config-desk.ts";
import { type ConfigPlace, readConfig, readConfigText } from "../../src/app/config-text.ts";
import type { Crew } from "../../src/app/crew.ts";
import { Supervisor } from "../../src/app/supervisor.ts";
import { CertificateStore } from "../../src/net/tls/store.ts";
import { silent } from "../../src/observe/log.ts";
import { Registry } from "../../src/observe/registry.ts";
import { memoryLog } from "../fake/log.ts";
import { temporary } from "../fake/temporary.ts";

const HASH = await Bun.password.hash("x", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
const TEXT = `# ours
workers: 1
admin:
  listen: []
  users: [{ name: ann, password: "${HASH}" }]
log: { level: info }   # quiet
`;

const crew: Crew = {
  size: 1,
  serving: 1,
  actions: {},
  prepare: async () => ({ changed: [], commit: async () => {}, abandon: async () => {} }),
  members: async () => [],
  metrics: async () => [],
  act: async () => ({ kind: "done", value: null }),
  certificates: async () => {},
  reopen() {},
  stop: async () => {},
};

/** A supervisor over a config, without anybody who serves. */
async function supervised(place: ConfigPlace): Promise<Supervisor> {
  const read = readConfig(place);
  if (!read.ok) throw new Error(read.problems[0]?.message);
  const first = await Supervisor.prepare(
    {
      logs: { log: { ...silent, setLevel() {} }, change() {} },
      registry: new Registry(),
      certificates: { store: new CertificateStore(), prepare: async () => undefined, close() {} },
      cluster: { change() {} },
      read: () => readConfig(place),
      readText: (text, { source }) => readConfigText(place, text, source.files),
      makeCrew: async () => crew,
      crewSize: () => 1,
    },
    read.config,
  );
  await first.commit();
  return first.supervisor;
}

async function made(text = TEXT) {
  const dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  await Bun.write(path, text);
  const place = { kind: "file", path } as const;
  const supervisor = await supervised(place);
  const log = memoryLog();
  const desk = new Desk(supervisor, place, log);
  return {
    desk,
    supervisor,
    path,
    log,
    file: () => Bun.file(path).text(),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

const louder = (desk: Desk) =>
  desk.edit("louder", "ann", () => [{ kind: "set", path: ["log", "level"], value: "debug" }]);
const NOW = { force: false, render: false };

describe("a whole text", () => {
  test("that was shown masked is put in force with its secrets", async () => {
    await using it = await made();
    const { desk, supervisor } = it;
    const shown = desk.masked();
    expect(shown).not.toContain(HASH);
    const put = await desk.put(shown.replace("info", "warn"), "ann", { base: 1 });
    expect(put).toEqual({ kind: "done", changed: ["log"], notes: [], generation: 2, unsaved: 1 });
    expect(supervisor.running.text).toBe(TEXT.replace("info", "warn"));
    expect(supervisor.running.unsaved[0]).toMatchObject({
      who: "ann",
      what: "config edited in log.level",
    });
  });

  test("is refused when somebody was quicker", async () => {
    await using it = await made();
    await louder(it.desk);
    expect(await it.desk.put(TEXT, "ann", { base: 1 })).toEqual({ kind: "stale", generation: 2 });
  });

  test.each([
    { story: "without users", text: "admin: { listen: [] }\n" },
    {
      story: "with one who only looks",
      text: `admin: { listen: [], users: [{ name: ann, access: readonly, password: "***" }] }\n`,
    },
  ])("$story does not take the last full user away, unless by force", async ({ text }) => {
    await using it = await made();
    const { desk, supervisor } = it;
    expect(await desk.put(text, "ann")).toMatchObject({ kind: "last user" });
    expect([supervisor.running.text, supervisor.generation]).toEqual([TEXT, 1]);
    expect(await desk.put(text, "ann", { force: true })).toMatchObject({ kind: "done" });
    expect(await desk.put(`${text}workers: 1\n`, "ann")).toMatchObject({ kind: "done" }); // nobody loses anything
  });

  test("two who take each other's rights away: one is left", async () => {
    await using it = await made(TEXT.replace("}]", `}, { name: bob, password: "${HASH}" }]`));
    const remove = (name: string, index: number) =>
      it.desk.edit(`user ${name} removed`, "x", (config) => {
        const users = config.at(["admin", "users"]) as readonly { name: string }[];
        const at = users.findIndex((user) => user.name === name);
        return [{ kind: "remove", path: ["admin", "users", at < 0 ? index : at] }];
      });
    const both = await Promise.all([remove("ann", 0), remove("bob", 0)]);
    expect(both.map(({ kind }) => kind)).toEqual(["done", "last user"]);
    expect(it.supervisor.config.root.admin.users.map(({ name }) => name)).toEqual(["bob"]);
  });

  test.each([
    { story: "a wrong word", text: "log: { level: loud }\n", line: 1, column: 15 },
    { story: "a mask for nothing", text: 'a: "***"\n', line: 1, column: 4 },
    {
      story: "another user with the mask of the first",
      text: 'admin: { listen: [], users: [{ name: eve, password: "***" }] }\n',
      line: 1,
      column: 53,
    },
  ])("with $story is told where it is wrong: $line:$column", async ({ text, line, column }) => {
    await using it = await made();
    const { problems } = it.desk.check(text);
    expect(problems[0]).toMatchObject({ line, column });
    const put = await it.desk.put(text, "ann");
    expect(put).toMatchObject({ kind: "bad config", problems: [{ line, column }] });
    expect(it.supervisor.generation).toBe(1);
  });

  test("a good one has no problems, and is not put in force by a check", async () => {
    await using it = await made();
    expect(it.desk.check(it.desk.masked())).toEqual({ problems: [], warnings: [] });
    expect(it.supervisor.generation).toBe(1);
  });
});

describe("saving", () => {
  test("writes what runs, and says who did what", async () => {
    await using it = await made();
    await louder(it.desk);
    expect(it.desk.diff()).toMatchObject({
      file: it.path,
      changed: ["log.level"],
      changedOnDisk: false,
      unsaved: [{ who: "ann", what: "louder" }],
    });
    expect(await it.desk.save("ann", NOW)).toEqual({ kind: "saved", file: it.path, notes: [] });
    expect(await it.file()).toBe(TEXT.replace("info", "debug"));
    expect(it.log.fields.at(-1)).toEqual({ who: "ann", file: it.path, changes: ["louder (ann)"] });
    expect(it.desk.diff()).toMatchObject({ diff: "", changed: [], unsaved: [] });
    expect(await it.desk.save("ann", NOW)).toMatchObject({ kind: "same" });
  });

  test("can be done by somebody else, who may", async () => {
    await using it = await made();
    await louder(it.desk);
    const rendered = await it.desk.save("ann", { ...NOW, render: true });
    expect(rendered).toMatchObject({ kind: "rendered", text: TEXT.replace("info", "debug") });
    expect(await it.file()).toBe(TEXT);
    expect(it.supervisor.running.unsaved).toHaveLength(1);
    await Bun.write(it.path, rendered.kind === "rendered" ? rendered.text : "");
    expect(await it.desk.save("ann", NOW)).toMatchObject({ kind: "same" });
    expect(it.supervisor.running.unsaved).toEqual([]);
  });

  test("a file that somebody else has broken is not overwritten", async () => {
    await using it = await made();
    await louder(it.desk);
    await Bun.write(it.path, TEXT.replace("workers: 1", "workers: many"));
    expect(await it.desk.save("ann", NOW)).toMatchObject({
      kind: "refused",
      error: "changed_on_disk",
    });
    expect(it.desk.diff().changedOnDisk).toBe(true);
    expect(await it.desk.save("ann", { ...NOW, force: true })).toMatchObject({ kind: "saved" });
  });

  test("without a file there is nothing to save to", async () => {
    const place = { kind: "text", name: "tern web", text: TEXT, base: "/" } as const;
    const desk = new Desk(await supervised(place), place, silent);
    expect(await desk.save("ann", NOW)).toMatchObject({ kind: "refused", error: "no_file" });
    expect(desk.diff()).toMatchObject({ file: "", changedOnDisk: false, diff: "" });
  });
});

describe("a change that a service offers", () => {
  const services = [
    {
      name: "log",
      changes: {
        level: {
          about: "How much.",
          input: v.strictObject({ to: v.picklist(["info", "debug", "loud"]) }),
          edits: ({ to }: { to: string }) => {
            if (to === "loud") throw new Error("not so loud");
            return [{ kind: "set" as const, path: ["log", "level"], value: to }];
          },
        },
      },
    },
  ];
  test.each([
    { story: "is made", input: { to: "debug" }, came: { kind: "done", generation: 2, unsaved: 1 } },
    {
      story: "may change nothing",
      input: { to: "info" },
      came: { kind: "done", generation: 1, unsaved: 0 },
    },
    {
      story: "may make no sense",
      input: { to: "loud" },
      came: { kind: "cannot", why: "not so loud" },
    },
    { story: "wants its own input", input: { to: 5 }, came: { kind: "refused" } },
  ])("$story", async ({ input, came }) => {
    await using it = await made();
    const asked = { service: "log", change: "level", input };
    expect(await makeChange(services, it.supervisor, asked, "ann")).toMatchObject(came);
  });

  test("and no other", async () => {
    await using it = await made();
    const asked = { service: "log", change: "toString", input: {} };
    expect(makeChange(services, it.supervisor, asked, "ann")).rejects.toThrow("no change");
  });
});

test.each([
  { input: { pool: "app", weight: 3, backup: true }, says: "pool=app weight=3 backup=true" },
  { input: { name: "ann", password: "hunter2" }, says: "name=ann password=***" },
  { input: { hosts: ["a", "b"] }, says: 'hosts=["a","b"]' },
  { input: {}, says: "" },
  { input: { text: "x".repeat(500) }, says: `text=${"x".repeat(194)}…` },
])("an input in the history of changes: $says", ({ input, says }) => {
  expect(showInput(input)).toBe(says);
});
