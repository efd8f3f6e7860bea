import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { needs } from "./needs.ts";

const PROBE = join(import.meta.dir, "probe.ts");
const LIBRARIES = "/usr/aarch64-linux-gnu"; // libc6-arm64-cross

const run = (...command: string[]): { arch: string; said: unknown } => {
  const { stdout, stderr } = Bun.spawnSync(command);
  if (stdout.length === 0) throw new Error(stderr.toString().slice(0, 2000));
  return JSON.parse(stdout.toString());
};

const emulated = needs(
  Bun.which("qemu-aarch64") !== null && (await Bun.file(`${LIBRARIES}/lib/libc.so.6`).exists()),
  "qemu-aarch64 and libc6-arm64-cross",
);

emulated(
  "an arm64 binary makes the same calls to the same effect",
  () => {
    const dir = mkdtempSync(join(tmpdir(), "tern-arm64-"));
    try {
      const binary = join(dir, "probe");
      const compile = [
        "build",
        "--compile",
        "--target=bun-linux-arm64",
        PROBE,
        "--outfile",
        binary,
      ];
      // In `dir`: Bun unpacks the other runtime where it stands.
      const built = Bun.spawnSync([process.execPath, ...compile], { cwd: dir });
      if (!built.success) throw new Error(built.stderr.toString().slice(0, 2000));
      const here = run(process.execPath, PROBE);
      const there = run("qemu-aarch64", "-L", LIBRARIES, binary);
      expect(there.arch).toBe("arm64");
      expect(there.said).toEqual(here.said);
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
  120_000,
);
