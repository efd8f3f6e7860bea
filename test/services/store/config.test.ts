import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { load } from "../../../src/config/load.ts";
import type { StoreSection } from "../../../src/services/store/config.ts";
import { store } from "../../../src/services/store/store.ts";
import { fakeHost } from "../../fake/host.ts";
import { temporary } from "../../fake/temporary.ts";

function read(yaml: string): StoreSection | string[] {
  const file = "/etc/tern.yaml";
  const loaded = load(yaml, { file, sections: { store: store.schema }, later: [] });
  if (!loaded.ok) return loaded.problems.map(({ path, message }) => `${path}: ${message}`);
  return loaded.sections["store"] as StoreSection;
}

function stage(text: string): StoreSection | string[] {
  return read(`store: { files: { stages: { 0: ${text} } } }`);
}

test.each([
  {
    story: "a range of servers",
    text: '{ members: ["10.0.0.1-2:80", "10.0.1.1:8080"] }',
    ids: ["10.0.0.1:80", "10.0.0.2:80", "10.0.1.1:8080"],
  },
  {
    story: "with ids of their own",
    text: '{ members: [{ id: a, webdav: "http://h:1" }, { id: b, dir: ./d }] }',
    ids: ["a", "b"],
  },
])("members: $story", ({ text, ids }) => {
  const section = stage(text);
  if (Array.isArray(section)) throw new Error(section.join());
  const { members } = section["files"]?.stages["0"] ?? { members: [] };
  expect(members.map(({ id }) => id)).toEqual([...ids]);
});

test.each([
  { text: "{ members: [] }", problem: "a member at least" },
  { text: '{ redundancy: 3, members: ["h:1", "i:1"] }', problem: "2 members for 3 copies" },
  {
    text: '{ placement: md5-paper, region: 16, members: ["10.0.0.1-17:80"] }',
    problem: "17 members share a region of 16",
  },
  { text: '{ placement: md5-paper, region: 100, members: ["h:1"] }', problem: "power of 16" },
  {
    text: '{ placement: md5-paper, region: 4096, redundancy: 11, members: ["h:1"] }',
    problem: "digits for 10 copies",
  },
  { text: '{ members: ["h:1", "h:1"] }', problem: "two members" },
  { text: '{ members: [{ id: a }, "h:1"] }', problem: "either webdav, dir or s3" },
  { text: '{ write_quorum: 3, members: ["h:1", "i:1"] }', problem: "there are 2 copies" },
])("refused: $problem", ({ text, problem }) => {
  const problems = stage(text);
  expect(JSON.stringify(problems)).toContain(problem);
});

test("an object store is a stage of one copy", () => {
  const section = stage('{ s3: "http://h:9000/bucket", access_key: K, secret_key: S }');
  if (Array.isArray(section)) throw new Error(section.join());
  expect(section["files"]?.stages["0"]).toMatchObject({
    placement: "hrw-1",
    redundancy: 1,
    members: [{ id: "s3", where: { kind: "s3", url: "http://h:9000/bucket", accessKey: "K" } }],
  });
});

test.each([
  {
    story: "copies are its own affair",
    text: '{ s3: "http://h/b", access_key: K, secret_key: S, redundancy: 2 }',
    problem: "unknown key",
  },
  {
    story: "a bucket is wanted",
    text: '{ s3: "http://h/", access_key: K, secret_key: S }',
    problem: "a URL with a bucket",
  },
  { story: "and its keys", text: '{ s3: "http://h/b", secret_key: S }', problem: "access_key" },
  {
    story: "of a stage of members nothing of that is said",
    text: '{ redundancy: x, members: ["h:1"] }',
    problem: "redundancy: expected a number",
  },
])("an object store as a stage: $story", ({ text, problem }) => {
  const problems = stage(text);
  expect(problems).toHaveLength(1);
  expect(JSON.stringify(problems)).toContain(problem);
});

test("the stage for new files is one of the stages", () => {
  const problems = read(
    'store: { files: { stage: 2, stages: { 0: { members: ["h:1", "i:1"] } } } }',
  );
  expect(JSON.stringify(problems)).toContain("there is no stage 2");
});

function section(change: object = {}): StoreSection {
  const one = {
    listen: "127.0.0.1:0",
    stages: {
      0: {
        placement: "md5-paper",
        redundancy: 2,
        members: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"],
        ...change,
      },
    },
  };
  const given = read(JSON.stringify({ store: { files: one } }));
  if (Array.isArray(given)) throw new Error(given.join());
  return given;
}

const FOUR = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];
const MOVED = [
  "10.0.0.1:80",
  "10.0.0.2:80",
  { id: "10.0.0.3:80", webdav: "http://192.0.2.1:8080" },
];

test.each([
  { story: "nothing", change: {}, refused: undefined },
  { story: "an address", change: { members: MOVED }, refused: undefined },
  { story: "the number of copies", change: { redundancy: 3 }, refused: undefined },
  { story: "one more member", change: { members: FOUR }, refused: /4 .*% of its copies would be/ },
  { story: "the arithmetic", change: { placement: "hrw-1" }, refused: /hrw-1 over .*none would/ },
  { story: "the region", change: { region: 4096 }, refused: /of its files none would be found/ },
])("a stage once stored in may change: $story", async ({ change, refused }) => {
  await using dir = await temporary();
  const first = fakeHost({ state: dir.path });
  const instance = await store.prepare(section(), first);
  expect(existsSync(join(dir.path, "store/files/stages.json"))).toBe(false);
  instance.start();
  await instance.stop(AbortSignal.timeout(1000));
  while (!existsSync(join(dir.path, "store/files/stages.json"))) await Bun.sleep(5);

  const next = store.prepare(section(change), fakeHost({ state: dir.path }));
  if (refused === undefined) await (await next).stop(AbortSignal.timeout(1000));
  else expect(next).rejects.toThrow(/store\.files: stage 0 has changed/);
});

test("a stage that is gone is refused, with what would be lost", async () => {
  await using dir = await temporary();
  const instance = await store.prepare(section(), fakeHost({ state: dir.path }));
  instance.start();
  while (!existsSync(join(dir.path, "store/files/stages.json"))) await Bun.sleep(5);
  await instance.stop(AbortSignal.timeout(1000));
  const given = section();
  const files = given["files"];
  if (files === undefined) throw new Error("files");
  const { "0": old } = files.stages;
  const without = { files: { ...files, stage: 1, stages: { "1": old } } } as StoreSection;
  expect(store.prepare(without, fakeHost({ state: dir.path }))).rejects.toThrow(
    /stage 0 is gone.*10\.0\.0\.1:80/,
  );
});
