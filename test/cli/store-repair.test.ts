import { expect, test } from "bun:test";

import { bar, showJob } from "../../src/cli/store-repair.ts";
import type { Job } from "../../src/services/store/repair/job.ts";
import { emptyTally } from "../../src/services/store/repair/tally.ts";

const job: Job = {
  kind: "fsck",
  dryRun: false,
  state: "done",
  phase: "copying",
  at: 4096,
  of: 4096,
  began: 1000,
  ended: 3500,
  tally: emptyTally(),
};

test.each([
  { job, says: ["files: fsck: done after 2.5 s: 0 files", "  copies: all are as they should be"] },
  {
    job: {
      ...job,
      tally: { ...emptyTally(), names: 9, read: 2048, damaged: 2, mended: 1, owed: 1 },
    },
    says: [
      "files: fsck: done after 2.5 s: 9 files, 2 KiB read",
      "  copies: 2 damaged, 1 made whole, 1 still owed",
    ],
  },
  {
    job: {
      ...job,
      kind: "drain" as const,
      member: "b",
      dryRun: true,
      tally: { ...emptyTally(), names: 9, moved: 1024, lacking: 3, owed: 3, strays: 3 },
    },
    says: [
      "files: drain b (dry run): done after 2.5 s: 9 files, 1 KiB to copy",
      "  copies: 3 missing or old, 3 where none belongs, 3 to be made",
    ],
  },
  {
    job: { ...job, state: "failed" as const, why: "3 copies cannot be made now" },
    says: [
      "files: fsck: failed after 2.5 s: 0 files",
      "  copies: all are as they should be",
      "  3 copies cannot be made now",
    ],
  },
])("for people: $job.kind, $job.state, $job.tally.names files", ({ job: given, says }) => {
  expect(showJob("files", given).split("\n")).toEqual([...says]);
});

test.each([
  { at: 0, bar: "  0 %  [>                       ]  copying  0 files" },
  { at: 2048, bar: " 50 %  [============>           ]  copying  0 files" },
  { at: 4096, bar: "100 %  [========================]  copying  0 files" },
])("$at of 4096 partitions", ({ at, bar: drawn }) => {
  expect(bar({ ...job, at })).toBe(drawn);
});
