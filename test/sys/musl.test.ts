import { expect } from "bun:test";
import { join } from "node:path";

import { haveMusl, muslIn } from "../fake/musl.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "./needs.ts";

const PROBE = join(import.meta.dir, "probe.ts");
/** It is compiled first. */
const PATIENCE_MS = 60_000;

needs(haveMusl, "musl-tools and g++")(
  "a musl binary makes the same calls to the same effect",
  async () => {
    await using dir = await temporary();
    const binary = `${dir.path}/probe`;
    const compile = [
      "build",
      "--compile",
      "--target=bun-linux-x64-musl",
      PROBE,
      "--outfile",
      binary,
    ];
    // In `dir`: Bun unpacks the other runtime where it stands.
    const built = Bun.spawnSync([process.execPath, ...compile], { cwd: dir.path });
    if (!built.success) throw new Error(built.stderr.toString().slice(0, 2000));
    const here = said(process.execPath, PROBE);
    const there = said(...(await muslIn(dir.path, binary)), binary);
    expect(there).toEqual(here);
  },
  PATIENCE_MS,
);

function said(...command: string[]): unknown {
  const { stdout, stderr } = Bun.spawnSync(command);
  if (stdout.length === 0) throw new Error(stderr.toString().slice(0, 2000));
  return JSON.parse(stdout.toString());
}
