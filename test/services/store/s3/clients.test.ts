import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";

import { needs } from "../../../sys/needs.ts";
import { served } from "../dav/served.ts";
import { run } from "../run-client.ts";
import { sampleTree } from "../sample-tree.ts";

setDefaultTimeout(60_000);

const withRclone = needs(Bun.which("rclone") !== null, "rclone (apt-get install rclone)");
const withS3cmd = needs(Bun.which("s3cmd") !== null, "s3cmd (apt-get install s3cmd)");
const withCurl = needs(Bun.which("curl") !== null, "curl (apt-get install curl)");
const users = { AKTEST: { secret: "sekrit", access: "full" } };

withRclone(
  "rclone copies in parts, checks, syncs, moves and purges; links are signed",
  async () => {
    await using site = await served({ s3: { users } });
    const tree = await sampleTree(join(site.scratch, "tree"));
    const config = join(site.scratch, "rclone.conf");
    await Bun.write(
      config,
      `[s]\ntype = s3\nprovider = Other\naccess_key_id = AKTEST\nsecret_access_key = sekrit
endpoint = ${site.url}\nregion = us-east-1\nchunk_size = 5Mi\nupload_cutoff = 5Mi\n`,
    );
    const rclone = (...words: string[]) =>
      run(["rclone", "--config", config, "--retries", "1", "--low-level-retries", "1", ...words]);
    await rclone("mkdir", "s:bucket");
    await rclone("copy", tree, "s:bucket/one");
    expect(await rclone("check", "--download", tree, "s:bucket/one")).toContain("9 matching files");
    expect(await rclone("check", tree, "s:bucket/one")).toContain("9 matching files");
    // Nothing to do: times are kept.
    expect(await rclone("sync", "-v", tree, "s:bucket/one")).not.toContain("Copied");
    await rclone("move", "s:bucket/one", "s:bucket/two");
    expect(await rclone("check", "--download", tree, "s:bucket/two")).toContain("9 matching files");
    const link = (await rclone("link", "--expire", "1h", "s:bucket/two/sub/deep/z")).trim();
    expect(await run(["curl", "-s", link])).toBe("z");
    const forged = link.replace("/deep/z", "/deep/y");
    expect(await run(["curl", "-s", forged])).toContain("SignatureDoesNotMatch");
    // The same files by the other door.
    expect(await (await fetch(`${site.url}/bucket/two/sub/deep/z`)).text()).toBe("z");
    await rclone("cleanup", "s:bucket");
    await rclone("purge", "s:bucket/two");
    expect(await rclone("lsf", "-R", "s:bucket")).toBe("");
    await rclone("rmdir", "s:bucket");
    expect(await rclone("lsd", "s:")).toBe("");
  },
);

withS3cmd(
  "s3cmd makes a bucket, puts in parts, lists, gets, syncs, copies and deletes",
  async () => {
    await using site = await served({ s3: { users } });
    const tree = await sampleTree(join(site.scratch, "tree"));
    const config = join(site.scratch, "s3cfg");
    const host = site.url.slice("http://".length);
    await Bun.write(
      config,
      `[default]\naccess_key = AKTEST\nsecret_key = sekrit\nhost_base = ${host}\nhost_bucket = ${host}
use_https = False\nmultipart_chunk_size_mb = 5\n`,
    );
    const s3cmd = (...words: string[]) => run(["s3cmd", "--no-progress", "-c", config, ...words]);
    await s3cmd("mb", "s3://two");
    await s3cmd("put", join(tree, "large"), "s3://two/large");
    const got = join(site.scratch, "got");
    await s3cmd("get", "s3://two/large", got);
    await run(["cmp", got, join(tree, "large")]);
    await s3cmd("sync", `${tree}/`, "s3://two/s/");
    const listed = await s3cmd("ls", "-r", "s3://two/s/");
    expect(listed.trim().split("\n").length).toBe(9);
    expect(await s3cmd("sync", `${tree}/`, "s3://two/s/")).not.toContain("upload:");
    await s3cmd("cp", "s3://two/large", "s3://two/copy");
    await s3cmd("mv", "s3://two/copy", "s3://two/moved");
    expect(await s3cmd("info", "s3://two/moved")).toContain("12582912");
    await s3cmd("del", "-r", "--force", "s3://two/");
    await s3cmd("rb", "s3://two");
    expect(await s3cmd("ls")).toBe("");
  },
);

withCurl("curl signs by itself: buckets, files, lists, ranges; and a wrong secret", async () => {
  await using site = await served({ s3: { users } });
  const bare = (secret: string, ...words: string[]) =>
    run([
      "curl",
      "-s",
      "--aws-sigv4",
      "aws:amz:eu-1:s3",
      "--user",
      `AKTEST:${secret}`,
      "-w",
      " %{http_code}",
      ...words,
    ]);
  // Older ones (Debian 12) do not say by themselves what the body is.
  const curl = (secret: string, ...words: string[]) =>
    bare(secret, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", ...words);
  const s3 = (...words: string[]) => curl("sekrit", ...words);
  expect(await s3("-X", "PUT", `${site.url}/curls`)).toBe(" 200");
  const one = join(site.scratch, "one");
  await Bun.write(one, "what curl sends");
  expect(await s3("-T", one, `${site.url}/curls/a/one.txt`)).toBe(" 200");
  expect(await s3("--data-binary", `@${one}`, "-X", "PUT", `${site.url}/curls/two`)).toBe(" 200");
  expect(await s3(`${site.url}/curls/a/one.txt`)).toBe("what curl sends 200");
  expect(await s3("-r", "5-8", `${site.url}/curls/two`)).toBe("curl 206");
  const list = await s3(`${site.url}/curls?list-type=2&prefix=a%2F`);
  expect(list).toContain("<Key>a/one.txt</Key>");
  expect(list).not.toContain("<Key>two</Key>");
  const refused = await curl("other", `${site.url}/curls/a/one.txt`);
  expect(refused).toContain("SignatureDoesNotMatch");
  expect(refused).toEndWith(" 403");
  expect(await bare("sekrit", `${site.url}/curls/two`)).toContain("<Code>InvalidRequest</Code>");
  expect(await s3("-X", "DELETE", `${site.url}/curls/two`)).toBe(" 204");
  expect(await s3(`${site.url}/curls/two`)).toEndWith(" 404");
});
