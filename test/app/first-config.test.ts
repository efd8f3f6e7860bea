import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import { firstConfig } from "../../src/app/first-config.ts";
import type { Carried } from "../../src/app/running-text.ts";
import { temporary } from "../fake/temporary.ts";

const FILE = "workers: 1 # one\nlog: { level: info }\n";
const carried: Carried = {
  text: FILE.replace("info", "debug"),
  file: FILE,
  unsaved: [
    {
      at: 5,
      who: "ann",
      what: "louder",
      edits: [{ kind: "set", path: ["log", "level"], value: "debug" }],
    },
  ],
  generation: 4,
};

async function begun(disk: string, before: Carried | undefined) {
  await using dir = await temporary();
  const path = join(dir.path, "tern.yaml");
  await Bun.write(path, disk);
  return firstConfig({ kind: "file", path }, before);
}

test("a first start reads the file", async () => {
  const { config, before } = await begun(FILE, undefined);
  expect(config.source.text).toBe(FILE);
  expect(before).toBeUndefined();
});

describe("a process that replaces another", () => {
  test("goes on with what was not saved", async () => {
    const { config, before } = await begun(FILE, carried);
    expect(config.source.text).toBe(carried.text);
    expect(before).toEqual(carried);
  });

  test("takes the file as it is now when everything was saved", async () => {
    const disk = FILE.replace("info", "warn");
    const { config, before } = await begun(disk, { ...carried, text: FILE, unsaved: [] });
    expect(config.root.log.level).toBe("warn");
    expect(before).toMatchObject({ file: disk, text: disk, unsaved: [], generation: 4 });
  });

  test("makes the changes in a file that somebody has changed meanwhile", async () => {
    const disk = `${FILE}user: nobody\n`;
    const { config, before } = await begun(disk, carried);
    expect(config.source.text).toBe(`${carried.text}user: nobody\n`);
    expect(before).toMatchObject({ file: disk, unsaved: carried.unsaved });
  });

  test("does not come up when they do not fit", () => {
    expect(begun("log: loud\n", carried)).rejects.toThrow("tern save or tern reload first");
    expect(begun(FILE.replace("1 #", "many #"), carried)).rejects.toThrow('"auto"');
  });
});
