import { expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";

import { type Said, said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";
import { temporary } from "../fake/temporary.ts";

setDefaultTimeout(60_000); // the program itself, many times

const tern = (...args: string[]): Promise<Said> => said([...TERN, ...args]);
const SAMPLE = new URL("../config/import/pydir/files/sample.xml", import.meta.url).pathname;
const RUNNING = new URL("../config/import/pydir/files/running.xml", import.meta.url).pathname;

test("import, check, export: what came in goes out", async () => {
  await using dir = await temporary();
  const yaml = join(dir.path, "tern.yaml");
  const imported = await tern("import", SAMPLE, "-o", yaml);
  expect([imported.code, imported.err]).toEqual([
    0,
    `${SAMPLE}:22:20: localhost is 127.0.0.1 here\n`,
  ]);
  const checked = await tern("check", "-c", yaml);
  expect(checked.out).toBe(`${yaml}: good; pools, balance\n`);
  expect(checked.err).toContain("a DES hash sees 8 characters of a password");
  expect(checked.err).toContain("an MD5 hash ($1$) is guessed quickly");

  const xml = join(dir.path, "running.xml");
  const exported = await tern("export", "--pydir", "-c", yaml, "-o", xml);
  expect([exported.code, exported.err]).toEqual([0, ""]);
  expect(await Bun.file(xml).text()).toBe(await Bun.file(RUNNING).text());
  expect(statSync(xml).mode & 0o777).toBe(0o600); // there are hashes in it
  expect((await tern("import", "--compare", SAMPLE, xml)).out).toBe("");
});

test("XML is known by its name or by how it begins", async () => {
  await using dir = await temporary();
  const named = join(dir.path, "old.XML");
  const begins = join(dir.path, "pydir.conf");
  await Bun.write(named, "[3wsd]\n");
  await Bun.write(begins, " \n<pdconfig>\n <servce/>\n</pdconfig>");
  expect(await tern("import", named)).toMatchObject({ code: 1, out: "" });
  const wrong = await tern("import", begins);
  expect([wrong.code, wrong.out]).toEqual([1, ""]);
  expect(wrong.err).toBe(
    `${begins}:3:2: expected <service>, <admin>, <logging> or <checktime>, got <servce>\n   <servce/>\n   ^\n`,
  );
});

test("export says what it needs", async () => {
  await using dir = await temporary();
  const yaml = join(dir.path, "tern.yaml");
  await Bun.write(yaml, "pools: { a: { hosst: [] } }\nstate: ./var\n");
  expect(await tern("export", "-c", yaml)).toMatchObject({ code: 2, out: "" });
  const wrong = await tern("export", "--pydir", "-c", yaml);
  expect([wrong.code, wrong.out]).toEqual([1, ""]);
  expect(wrong.err).toContain('did you mean "hosts"?');
  const absent = await tern("export", "--pydir", "--running", "-c", yaml);
  expect([absent.code, absent.out]).toEqual([3, ""]);
});

test("compare: one call in a line, what no call does on standard error", async () => {
  await using dir = await temporary();
  const next = join(dir.path, "next.xml");
  const text = await Bun.file(RUNNING).text();
  await Bun.write(
    next,
    text.replace('time="60"', 'time="90"').replace("10.0.0.5:8005", "10.0.0.6:1"),
  );
  expect(await tern("import", "--compare", RUNNING, next)).toEqual({
    code: 0,
    out: `["delHost",{"group":"upgrade","ip":"10.0.0.5:8005","service":"prod-http"}]
["addHost",{"group":"upgrade","ip":"10.0.0.6:1","name":"five","service":"prod-http"}]
`,
    err: "checktime changes from 60 to 90: no call does that\n",
  });
});
