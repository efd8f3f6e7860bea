import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openShared } from "../../src/sys/shared-database.ts";

setDefaultTimeout(60_000);

test("two who are both the first do not hinder each other", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tern-shared-"));
  const [count, every] = [150, 15];
  const others = [0, 1].map(() =>
    Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, "open-shared.ts"),
        directory,
        `${Date.now() + 1000}`,
        `${count}`,
        `${every}`,
      ],
      { stderr: "pipe" },
    ),
  );
  const said = await Promise.all(others.map(({ stderr }) => new Response(stderr).text()));
  expect(said).toEqual(["", ""]);
  expect(await Promise.all(others.map(({ exited }) => exited))).toEqual([0, 0]);
  for (let i = 0; i < count; i++) {
    using db = new Database(join(directory, `${i}`));
    expect(db.query("SELECT count(*) AS rows FROM one").get()).toEqual({ rows: 2 });
  }
  rmSync(directory, { recursive: true });
});

test("a file that another one does not let go of is waited for, and not for ever", () => {
  const directory = mkdtempSync(join(tmpdir(), "tern-shared-"));
  const path = join(directory, "held");
  const holder = new Database(path, { create: true });
  holder.run("BEGIN EXCLUSIVE");
  holder.run("CREATE TABLE one (row)");
  expect(() => openShared(path, () => {})).toThrow("locked"); // with 100 waits of two seconds: after minutes
  holder.run("COMMIT");
  openShared(path, () => {}).close();
  holder.close();
  rmSync(directory, { recursive: true });
});

test("what is no database, and what `prepare` throws, is thrown", () => {
  const directory = mkdtempSync(join(tmpdir(), "tern-shared-"));
  writeFileSync(join(directory, "text"), "no database at all, but long enough ".repeat(10));
  expect(() => openShared(join(directory, "text"), () => {})).toThrow("not a database");
  const newer = () =>
    openShared(join(directory, "new"), () => {
      throw new Error("written by a newer version");
    });
  expect(newer).toThrow("newer version");
  rmSync(directory, { recursive: true });
});
