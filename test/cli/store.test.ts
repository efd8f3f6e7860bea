import { expect, test } from "bun:test";

import { SECTIONS } from "../../src/app/services.ts";
import { showStores } from "../../src/cli/store-status.ts";
import { showWhere } from "../../src/cli/store-where.ts";
import { storeConfig } from "../../src/cli/store.ts";
import { load } from "../../src/config/load.ts";

const plain = (_: string, text: string): string => text;

test("a directory is a store of three volumes, two copies of each file", () => {
  const config = storeConfig({ listen: [":0"], workers: "1" }, "/srv/files");
  const loaded = load(JSON.stringify(config), { file: "x", sections: SECTIONS, later: [] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { stages } = (loaded.sections["store"] as { files: { stages: object } }).files;
  expect(stages).toMatchObject({
    0: {
      placement: "hrw-1",
      redundancy: 2,
      members: [{ id: "one" }, { id: "two" }, { id: "three" }],
    },
  });
});

test("where a file is", () => {
  const one = { where: "/a", has: "kept", version: "1 of x", size: 2048, etag: "" };
  const text = showWhere("files", [
    {
      stage: 1,
      placement: "hrw-1",
      key: "/x",
      at: "/_3fs_1/x",
      record: "/_3fs_1.records/abc/abcd",
      members: [
        { member: "a", copy: 1, ...one },
        { member: "b", copy: 0, where: "http://b", has: "nothing" },
      ],
    },
  ]);
  expect(text).toMatchInlineSnapshot(`
    "files, stage 1: hrw-1 of /x
      data    /_3fs_1/x
      record  /_3fs_1.records/abc/abcd
                 MEMBER  WHERE     HAS      SIZE   VERSION
      copy 1     a       /a        kept     2 KiB  1 of x
      stands in  b       http://b  nothing"
  `);
});

test("how a store is", () => {
  const text = showStores(
    {
      files: {
        reads: 1,
        writes: 1,
        deletes: 0,
        refused: 0,
        failed: 0,
        mended: 2,
        hedged: 0,
        hedges_won: 0,
        under_replicated: 3,
        repair: {
          compared: 0,
          verified_bytes: 0,
          damaged: 0,
          mended: 0,
          forgotten: 0,
          owed: 0,
          lost: 0,
        },
        to_mend: 4,
        usage: {
          "/": { bytes: 4096, files: 7 },
          "/kim/": { bytes: 1024, files: 2, quota_bytes: 10_240 },
        },
        stage: 0,
        stages: {
          0: {
            placement: "hrw-1",
            copies: 2,
            write_quorum: 2,
            members: {
              a: { where: "/a", up: true, failures: 0, answers_in_ms: 0.2 },
              b: { where: "/b", up: false, failures: 3, answers_in_ms: 1, why: "gone" },
            },
          },
        },
      },
    },
    plain as never,
  );
  expect(text).toMatchInlineSnapshot(`
    "files: 3 copies are owed; 2 mended, 4 to look at; new files go to stage 0
      /: 7 files, 4 KiB
      /kim/: 2 files, 1 KiB of 10 KiB
      STAGE  PLACEMENT  QUORUM  MEMBER  WHERE  STATE  FAILED  ANSWERS  WHY
          0  hrw-1      2 of 2  a       /a     up          0    0.2ms
          0  hrw-1      2 of 2  b       /b     away        3      1ms  gone"
  `);
});
