import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LogFile, type LogFileOptions } from "../../src/observe/log-file.ts";
import { needs } from "../sys/needs.ts";

let dir: string;
let path: string;
let open: LogFile[];
let dropped: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tern-log-"));
  path = join(dir, "logs", "access.log");
  open = [];
  dropped = 0;
});
afterEach(() => {
  for (const file of open) file.close();
  rmSync(dir, { recursive: true, force: true });
});

function logFile(options: Partial<LogFileOptions> = {}): LogFile {
  const onDropped = (lines: number): void => void (dropped += lines);
  const file = new LogFile(path, { rotate: 0, keep: 3, onDropped, ...options });
  open.push(file);
  return file;
}
const text = (name = path): string => readFileSync(name, "utf8");

describe("writing", () => {
  test("makes the directory, appends, and is readable by owner and group only", () => {
    mkdirSync(join(dir, "logs"));
    writeFileSync(path, "before\n", { mode: 0o640 });
    const file = logFile();
    file.write("a\n");
    file.write("b\n");
    expect(text()).toBe("before\n");
    file.flush();
    expect(text()).toBe("before\na\nb\n");
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test("a full buffer is written at once", () => {
    logFile().write(`${"x".repeat(70_000)}\n`);
    expect(text()).toHaveLength(70_001);
  });

  test("no line waits longer than a second", async () => {
    logFile().write("a\n");
    await Bun.sleep(1100);
    expect(text()).toBe("a\n");
  });

  test("close writes what is left", () => {
    const file = logFile();
    file.write("a\n");
    file.close();
    expect(text()).toBe("a\n");
  });
});

describe("rotation", () => {
  test("by size, keeping as many as asked", () => {
    const file = logFile({ rotate: 10, keep: 2 });
    for (const n of [1, 2, 3, 4]) {
      file.write(`${n}`.repeat(9) + "\n");
      file.flush();
    }
    file.write("5\n");
    file.flush();
    expect(readdirSync(join(dir, "logs")).sort()).toEqual([
      "access.log",
      "access.log.1",
      "access.log.2",
    ]);
    expect([text(), text(`${path}.1`), text(`${path}.2`)]).toEqual([
      "5\n",
      "444444444\n",
      "333333333\n",
    ]);
  });

  test("keep: 0 keeps none", () => {
    const file = logFile({ rotate: 2, keep: 0 });
    file.write("a\n");
    file.flush();
    expect(readdirSync(join(dir, "logs"))).toEqual(["access.log"]);
    expect(text()).toBe("");
  });

  test("a gap is filled before anything is thrown away", () => {
    const file = logFile({ rotate: 2, keep: 3 });
    writeFileSync(`${path}.1`, "one\n");
    writeFileSync(`${path}.3`, "three\n");
    file.write("now\n");
    file.flush();
    expect([1, 2, 3].map((n) => text(`${path}.${n}`))).toEqual(["now\n", "one\n", "three\n"]);
  });

  test("when keep was lowered, the ones too many go", () => {
    for (const n of [1, 2, 3, 4]) {
      mkdirSync(join(dir, "logs"), { recursive: true });
      writeFileSync(`${path}.${n}`, `${n}\n`);
    }
    const file = logFile({ rotate: 2, keep: 2 });
    file.write("now\n");
    file.flush();
    expect(readdirSync(join(dir, "logs")).length).toBe(3);
    expect([1, 2].map((n) => text(`${path}.${n}`))).toEqual(["now\n", "1\n"]);
  });

  test("a lock held by another keeps the file as it is until later", () => {
    const file = logFile({ rotate: 2 });
    writeFileSync(`${path}.lock`, "");
    file.write("a\n");
    file.flush();
    expect(text()).toBe("a\n");
    rmSync(`${path}.lock`);
    file.write("b\n");
    file.flush();
    expect([text(), text(`${path}.1`)]).toEqual(["", "a\nb\n"]);
  });

  test("a lock left by a process that died is taken away", () => {
    const file = logFile({ rotate: 2 });
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, 0, 0);
    file.write("a\n");
    file.flush();
    expect(readdirSync(join(dir, "logs")).sort()).toEqual(["access.log", "access.log.1"]);
  });

  test("another process has rotated: lines go to the new file, none to the old", () => {
    const [one, two] = [logFile({ rotate: 10 }), logFile({ rotate: 10 })];
    one.write("123456789\n");
    one.flush();
    two.write("two\n");
    two.flush();
    expect([text(), text(`${path}.1`)]).toEqual(["two\n", "123456789\n"]);
  });

  test("reopen follows what logrotate moved away", () => {
    const file = logFile();
    file.write("a\n");
    file.flush();
    renameSync(path, `${path}-moved`);
    file.write("b\n");
    file.reopen();
    file.write("c\n");
    file.flush();
    expect(text(`${path}-moved`) + text()).toBe("a\nb\nc\n");
    expect(text()).toEndWith("c\n");
  });
});

test("four processes write and rotate at once: every line is there once, and whole", async () => {
  const LINES = 3000;
  const writer = join(import.meta.dir, "writer.ts");
  const processes = ["a", "b", "c", "d"].map((name) =>
    Bun.spawn([process.execPath, writer, path, name, String(LINES)], { stderr: "inherit" }),
  );
  expect(await Promise.all(processes.map((p) => p.exited))).toEqual([0, 0, 0, 0]);

  const names = readdirSync(join(dir, "logs"));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((n) => n.includes("lock"))).toEqual([]);
  const lines = names.flatMap((n) =>
    text(join(dir, "logs", n))
      .split("\n")
      .slice(0, -1),
  );
  const expected = ["a", "b", "c", "d"].flatMap((name) =>
    Array.from({ length: LINES }, (_, n) => `${name} ${n} ${"x".repeat(n % 97)}.`),
  );
  expect(lines.sort()).toEqual(expected.sort());
});

describe("when the disk says no", () => {
  test("a deleted directory is made again", () => {
    const file = logFile();
    file.write("a\n");
    file.flush();
    rmSync(join(dir, "logs"), { recursive: true });
    file.write("b\n");
    file.flush();
    expect(text()).toBe("b\n");
    expect(dropped).toBe(0);
  });

  test("one that cannot be made drops and counts, and is tried again", () => {
    const told: string[] = [];
    const file = logFile({ onDropped: (lines, why) => told.push(`${lines}: ${why}`) });
    rmSync(join(dir, "logs"), { recursive: true });
    writeFileSync(join(dir, "logs"), "a file where the directory was");
    file.write("a\nb\n");
    file.flush();
    expect(file.problem).toContain("logs");
    expect(told).toEqual([`2: ${file.problem}`]);
    rmSync(join(dir, "logs"));
    file.write("c\n");
    file.flush();
    expect(text()).toBe("c\n");
    expect([told.length, file.problem]).toEqual([1, undefined]);
  });

  test("a path that cannot be opened at the start is said, not thrown", () => {
    mkdirSync(path, { recursive: true });
    const file = logFile();
    expect(file.problem).toContain("EISDIR");
    file.write("a\n");
    file.flush();
    expect(dropped).toBe(1);
  });

  test("a named pipe nobody reads does not stop the world", () => {
    mkdirSync(join(dir, "logs"));
    Bun.spawnSync(["mkfifo", path]);
    const file = logFile();
    file.write("a\n");
    file.flush();
    expect(dropped).toBe(1);
    expect(file.problem).toContain("ENXIO");
  });

  test("into a pipe, lines go whole and in runs that are not mixed", async () => {
    mkdirSync(join(dir, "logs"));
    Bun.spawnSync(["mkfifo", path]);
    const reader = Bun.spawn(["cat", path], { stdout: "pipe" });
    let file = logFile();
    while (file.problem !== undefined) {
      await Bun.sleep(10); // cat is not there yet
      file = logFile();
    }
    const lines = Array.from({ length: 300 }, (_, n) => `${n} ${"x".repeat(90)}\n`).join("");
    file.write(lines);
    file.flush();
    file.close();
    expect(await new Response(reader.stdout).text()).toBe(lines);
  });

  const tmpfs = join(tmpdir(), `tern-full-${process.pid}`);
  const mounted =
    process.getuid?.() === 0 &&
    (mkdirSync(tmpfs, { recursive: true }),
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=16k", "tern", tmpfs]).exitCode === 0);
  needs(mounted, "root, to mount a small tmpfs")("a full disk drops and counts", () => {
    try {
      const full = join(tmpfs, "access.log");
      const file = new LogFile(full, { rotate: 0, keep: 1, onDropped: (n) => (dropped += n) });
      const line = `${"x".repeat(99)}\n`;
      for (let n = 0; n < 300; n++) {
        file.write(line);
        if (n % 7 === 0) file.flush();
      }
      file.flush();
      expect(file.problem).toContain("ENOSPC");
      const kept = text(full)
        .split("\n")
        .filter((l) => l.length === 99).length;
      expect(kept + dropped).toBe(300);
      expect(kept).toBeGreaterThan(100);

      writeFileSync(full, text(full).slice(0, 1050)); // somebody makes room, and leaves half a line
      file.write("after\n");
      file.flush();
      expect(file.problem).toBeUndefined();
      expect(text(full)).toEndWith("\nafter\n");
      file.close();
    } finally {
      Bun.spawnSync(["umount", tmpfs]);
      rmSync(tmpfs, { recursive: true, force: true });
    }
  });

  test("moved away where no new one can be made: the old one still takes lines", () => {
    const file = logFile();
    renameSync(join(dir, "logs"), join(dir, "moved"));
    writeFileSync(join(dir, "logs"), "a file where the directory was");
    file.write("a\n");
    file.flush();
    expect(text(join(dir, "moved", "access.log"))).toBe("a\n");
    expect(dropped).toBe(0);
  });
});
