import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { accepts, freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000);

const FILES = 30;

/** Paths of the files below a directory, but its mark. */
function files(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => name !== "_tern.member" && statSync(join(root, name)).isFile())
    .toSorted();
}

async function tern(...args: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn([...TERN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, text: out + err };
}

test("tern store: a wiped volume is replaced, another one drained and taken back", async () => {
  await using dir = await temporary();
  const root = join(dir.path, "files");
  const port = await freePort();
  const child = Bun.spawn([...TERN, "store", root, "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    await until(() => accepts(port));
    const url = (i: number): string => `http://127.0.0.1:${port}/file${i}`;
    for (let i = 0; i < FILES; i++)
      expect((await fetch(url(i), { method: "PUT", body: `file ${i}` })).status).toBe(201);
    const ask = (...args: string[]) =>
      tern("store", ...args, "--socket", join(root, "state", "tern.sock"));
    const one = join(root, "one");
    const share = files(one);
    rmSync(one, { recursive: true });
    mkdirSync(one);
    expect((await ask("fsck", "--dry-run")).text).toContain(`${share.length / 2} to be made`);
    expect(await ask("replace", "one")).toMatchObject({ code: 0 });
    expect(files(one)).toEqual(share);

    expect(await ask("drain", "two")).toMatchObject({ code: 0 });
    expect(files(join(root, "two"))).toEqual([]);
    expect((await ask("status")).text).toContain("drained");
    for (let i = 0; i < FILES; i++) expect(await (await fetch(url(i))).text()).toBe(`file ${i}`);
    expect(await ask("drain", "one")).toMatchObject({ code: 1 });
    expect(await ask("drain", "two", "--undo")).toMatchObject({ code: 0 });
    expect(files(one)).toEqual(share);
    const last = await ask("fsck", "--json");
    expect(Object.values(JSON.parse(last.text))).toMatchObject([
      { state: "done", tally: { names: FILES, damaged: 0, lacking: 0, owed: 0, strays: 0 } },
    ]);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
});
