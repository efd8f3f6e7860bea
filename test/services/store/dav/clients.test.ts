import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";

import { needs } from "../../../sys/needs.ts";
import { run } from "../run-client.ts";
import { sampleTree } from "../sample-tree.ts";
import { served } from "./served.ts";

setDefaultTimeout(60_000);

const withRclone = needs(Bun.which("rclone") !== null, "rclone (apt-get install rclone)");
const withCadaver = needs(Bun.which("cadaver") !== null, "cadaver (apt-get install cadaver)");

withRclone(
  "rclone copies, checks, syncs, moves and purges, hashes and times included",
  async () => {
    await using site = await served();
    const tree = await sampleTree(join(site.scratch, "tree"));
    const config = join(site.scratch, "rclone.conf");
    await Bun.write(config, `[w]\ntype = webdav\nurl = ${site.url}\nvendor = owncloud\n`);
    const rclone = (...words: string[]) =>
      run(["rclone", "--config", config, "--retries", "1", "--low-level-retries", "1", ...words]);
    await rclone("copy", tree, "w:one");
    expect(await rclone("check", "--download", tree, "w:one")).toContain("9 matching files");
    expect(await rclone("check", tree, "w:one")).toContain("9 matching files");
    // Nothing to do: times are kept.
    expect(await rclone("sync", "-v", tree, "w:one")).not.toContain("Copied");
    await rclone("move", "w:one", "w:two");
    expect(await rclone("check", "--download", tree, "w:two")).toContain("9 matching files");
    const sums = await rclone("hashsum", "sha1", "w:two/sub/deep");
    expect(sums).toContain(new Bun.CryptoHasher("sha1").update("z").digest("hex"));
    await run(["rm", join(tree, "a.bin")]);
    await Bun.write(join(tree, "new"), "new");
    await rclone("sync", tree, "w:two");
    expect(await rclone("check", tree, "w:two")).toContain("9 matching files");
    await rclone("purge", "w:two");
    expect(await rclone("lsf", "w:")).toBe("");
  },
);

withCadaver("cadaver makes, puts, copies, moves, sets properties, locks and deletes", async () => {
  await using site = await served();
  const tree = await sampleTree(join(site.scratch, "tree"));
  const got = join(site.scratch, "got");
  const said = await run(
    ["cadaver", `${site.url}/`],
    [
      "mkcol c",
      "cd c",
      `put ${tree}/a.bin`,
      "copy a.bin b.bin",
      "move b.bin d.bin",
      "propset d.bin color red",
      "propget d.bin color",
      "lock d.bin",
      "discover d.bin",
      "unlock d.bin",
      `get d.bin ${got}`,
      "delete a.bin",
      "ls",
      "cd ..",
      "rmcol c",
      "ls",
      "quit",
      "",
    ].join("\n"),
  );
  expect(said).not.toMatch(/failed/i);
  expect(said).toContain("Value of color is: red");
  expect(said).toContain("Scope: exclusive");
  expect(said).toContain("collection is empty");
  expect(await Bun.file(got).bytes()).toEqual(await Bun.file(join(tree, "a.bin")).bytes());
});
