import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  fsyncDirectory,
  openDurable,
  openNamed,
  replaceFile,
  TEMPORARY_PREFIX,
} from "../../src/sys/durable.ts";
import { needs } from "./needs.ts";

const base = mkdtempSync(join(tmpdir(), "tern-durable-"));
afterAll(() => rmSync(base, { recursive: true }));
let next = 0;
function fresh(): string {
  const dir = join(base, String(next++));
  mkdirSync(dir);
  return dir;
}
const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
const text = (path: string): string => readFileSync(path, "utf8");

describe.each([
  { way: "without a name until it is whole", begin: openDurable },
  { way: "under a temporary name", begin: openNamed },
])("$way", ({ begin }) => {
  test("a new file appears whole, alone, with its mode", async () => {
    const dir = fresh();
    const path = join(dir, "a");
    await using file = await begin(path, 0o640);
    await file.write(bytes("hel"));
    await file.write(bytes("lo"));
    expect(readdirSync(dir)).not.toContain("a");
    expect(await file.commit("new")).toBe("done");
    expect([readdirSync(dir), text(path), statSync(path).mode & 0o777]).toEqual([
      ["a"],
      "hello",
      0o640 & ~process.umask(),
    ]);
  });

  test("an old one is replaced, or kept when it must be new", async () => {
    const dir = fresh();
    const path = join(dir, "a");
    writeFileSync(path, "old");
    await using file = await begin(path);
    await file.write(bytes("new"));
    expect([await file.commit("new"), text(path)]).toEqual(["exists", "old"]);
    expect([await file.commit("replace"), text(path)]).toEqual(["done", "new"]);
    expect(readdirSync(dir)).toEqual(["a"]);
  });

  test("a link at the path is replaced itself, not what it points to", async () => {
    const dir = fresh();
    writeFileSync(join(dir, "precious"), "keep");
    symlinkSync("precious", join(dir, "a"));
    await using file = await begin(join(dir, "a"));
    await file.write(bytes("new"));
    await file.commit("replace");
    expect([text(join(dir, "precious")), text(join(dir, "a"))]).toEqual(["keep", "new"]);
  });

  test("given up, it leaves nothing", async () => {
    const dir = fresh();
    {
      await using file = await begin(join(dir, "a"));
      await file.write(bytes("half"));
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  test("a directory in its place: the error is told and nothing is left", async () => {
    const dir = fresh();
    mkdirSync(join(dir, "a"));
    {
      await using file = await begin(join(dir, "a"));
      expect(file.commit("replace")).rejects.toThrow("EISDIR");
      await Bun.sleep(50);
    }
    expect(readdirSync(dir)).toEqual(["a"]);
  });

  test("no such directory", () => {
    expect(begin("/no/such/file")).rejects.toThrow("ENOENT");
  });

  test("killed while writing: the old file, and no half of the new", async () => {
    const dir = fresh();
    const path = join(dir, "a");
    writeFileSync(path, "old");
    const code = `
      const { ${begin.name} } = await import("${import.meta.dir}/../../src/sys/durable.ts");
      const file = await ${begin.name}(${JSON.stringify(path)});
      await file.write(new Uint8Array(100_000));
      process.kill(process.pid, 9);`;
    await Bun.spawn([process.execPath, "-e", code]).exited;
    expect(text(path)).toBe("old");
    const litter = readdirSync(dir).filter((name) => name !== "a");
    expect(litter.length).toBe(begin === openDurable ? 0 : 1);
    expect(litter.every((name) => name.startsWith(TEMPORARY_PREFIX))).toBe(true);
  }, 30_000);
});

test("a small file in one call: private, text or bytes", async () => {
  const path = join(fresh(), "key");
  await replaceFile(path, "one");
  await replaceFile(path, bytes("two"));
  expect([text(path), statSync(path).mode & 0o777]).toEqual(["two", 0o600]);
});

test("a directory is synced; a file is not one", async () => {
  await fsyncDirectory(base);
  expect(fsyncDirectory("/proc/version")).rejects.toThrow("ENOTDIR");
});

test("a directory one may not write", async () => {
  if (process.getuid?.() === 0) return; // root may write everywhere
  const dir = fresh();
  chmodSync(dir, 0o500);
  expect(openDurable(join(dir, "a"))).rejects.toThrow("EACCES");
  await Bun.sleep(0);
});

const mountable = needs(
  process.getuid?.() === 0 && Bun.which("mount") !== null && Bun.which("unshare") !== null,
  "root and mount",
);
mountable(
  "a full disk says ENOSPC and leaves the old file",
  () => {
    const dir = fresh();
    const code = `
    import { readdirSync, readFileSync, writeFileSync } from "node:fs";
    const { replaceFile } = await import("${import.meta.dir}/../../src/sys/durable.ts");
    writeFileSync("${dir}/a", "old");
    await replaceFile("${dir}/a", new Uint8Array(4 << 20)).catch((e) => console.log(e.code));
    console.log(readdirSync("${dir}").join(), readFileSync("${dir}/a", "utf8"));`;
    const script = `mount -t tmpfs -o size=1m none ${dir} && exec "$@"`;
    const run = Bun.spawnSync([
      "unshare",
      "-m",
      "sh",
      "-c",
      script,
      "sh",
      process.execPath,
      "-e",
      code,
    ]);
    expect(run.stdout.toString()).toBe("ENOSPC\na old\n");
  },
  30_000,
);
