import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";

import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said, served, TERN, TERN_ARM64 } from "./binary.ts";

/** Debian's loader and C library for arm64 (libc6-arm64-cross). */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const ready = Bun.which("qemu-aarch64") !== null && existsSync(LIBRARIES) && existsSync(TERN_ARM64);
/** Emulated instruction by instruction. */
const PATIENCE_MS = 120_000;

const ARM64 = ["qemu-aarch64", "-L", LIBRARIES, TERN_ARM64];

describe.skipIf(!ready)("the arm64 binary under qemu", () => {
  test(
    "has the same version",
    async () => {
      const [ours, arm64] = await Promise.all([
        said([TERN, "version"]),
        said([...ARM64, "version"]),
      ]);
      expect(arm64.code).toBe(0);
      expect(arm64.out.replace("arm64", "x64")).toBe(ours.out);
    },
    PATIENCE_MS,
  );

  test(
    "checks a config",
    async () => {
      await using dir = await temporary();
      await Bun.write(`${dir.path}/tern.yaml`, "web:\n  site:\n    rot: ./www\n");
      const { code, out, err } = await said([...ARM64, "check", "-c", `${dir.path}/tern.yaml`]);
      expect(code).toBe(1);
      expect(out + err).toContain('did you mean "root"');
    },
    PATIENCE_MS,
  );

  test(
    "serves a file",
    async () => {
      const [port, admin] = await Promise.all([freePort(), freePort()]);
      const config = `
workers: 1
admin: { listen: 127.0.0.1:${admin} }
web: { site: { listen: ["127.0.0.1:${port}"], root: ./www } }
`;
      await using tern = await served(
        config,
        [port],
        async (dir) => void (await Bun.write(`${dir}/www/hello.txt`, "hello")),
        ARM64,
      );
      const answer = await fetch(`http://127.0.0.1:${port}/hello.txt`);
      expect([answer.status, await answer.text()]).toEqual([200, "hello"]);
      expect(await tern.stop()).toBe(0);
    },
    PATIENCE_MS,
  );
});
