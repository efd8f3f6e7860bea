import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { withoutDaemons } from "../../build/no-daemons.ts";
import { temporary } from "../fake/temporary.ts";

const FORBIDDEN = 101;

test("while packages are installed the policy forbids daemons, and then it is gone", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "policy-rc.d");
  const said = await withoutDaemons(
    async () => Bun.spawnSync([path, "nginx", "start"]).exitCode,
    path,
  );
  expect([said, existsSync(path)]).toEqual([FORBIDDEN, false]);
  await expect(withoutDaemons(() => Promise.reject(new Error("no apt")), path)).rejects.toThrow();
  expect(existsSync(path)).toBe(false);
});

test("a machine's own policy stays as it is", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "policy-rc.d");
  writeFileSync(path, "theirs", { mode: 0o640 });
  await withoutDaemons(async () => {}, path);
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["theirs", 0o640]);
});

test("it is gone after SIGTERM, too, which still ends the program", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "policy-rc.d");
  const code = `
    import { withoutDaemons } from ${JSON.stringify(import.meta.resolve("../../build/no-daemons.ts"))};
    await withoutDaemons(async () => { console.log("there"); await Bun.sleep(30_000); }, ${JSON.stringify(path)});`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe" });
  await child.stdout.getReader().read();
  expect(existsSync(path)).toBe(true);
  child.kill("SIGTERM");
  await child.exited;
  expect([child.signalCode, existsSync(path)]).toEqual(["SIGTERM", false]);
});
