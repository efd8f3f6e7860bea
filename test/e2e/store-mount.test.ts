/** A store as a file system: mounted by rclone, written to and verified by fio. */
import { expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { needs } from "../sys/needs.ts";
import { said } from "./binary.ts";
import { until } from "./from-source.ts";
import { cluster, equal } from "./store-cluster.ts";

setDefaultTimeout(60_000);

const mounts =
  existsSync("/dev/fuse") &&
  process.getuid?.() === 0 &&
  ["rclone", "fio", "fusermount3"].every((program) => Bun.which(program) !== null);
const withMounts = needs(mounts, "root, /dev/fuse, rclone, fio, fuse3 (apt-get install fio fuse3)");

/** Mounted at `at`, with nothing remembered from before; gone at the end of the scope. */
async function mount(url: string, at: string, cache: string): Promise<AsyncDisposable> {
  mkdirSync(at, { recursive: true });
  const config = `${cache}.conf`;
  await Bun.write(config, `[w]\ntype = webdav\nurl = ${url}\nvendor = owncloud\n`);
  const options = ["--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--cache-dir", cache];
  const child = Bun.spawn(["rclone", "--config", config, "mount", "w:", at, ...options], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const isMounted = async (): Promise<boolean> => (await said(["mountpoint", "-q", at])).code === 0;
  await until(isMounted);
  return {
    async [Symbol.asyncDispose]() {
      // It ends when what was written has been sent.
      await until(async () => (await said(["fusermount3", "-u", at])).code === 0);
      await child.exited;
    },
  };
}

withMounts(
  "fio verifies what it wrote to a mounted store, by another mount, with a member lost",
  async () => {
    await using it = await cluster(["nginx", "tern"]);
    const scratch = it.tern.dir;
    const at = join(scratch, "mounted");
    const job =
      `fio --name=job --directory=${at} --numjobs=2 --nrfiles=4 --size=4m --rw=write --bs=64k
    --verify=crc32c --verify_fatal=1 --verify_state_save=0 --output-format=terse`.split(/\s+/);
    const fio = async (verify: boolean): Promise<void> => {
      const { code, out, err } = await said([...job, verify ? "--verify_only=1" : "--do_verify=0"]);
      if (code !== 0) throw new Error(`fio: ${out}${err}`);
    };
    {
      await using _ = await mount(it.url, at, join(scratch, "one"));
      await fio(false);
      await Bun.write(join(at, "odd name ü #1.txt"), "odd");
    }
    await it.servers[0]?.kill();
    {
      await using _ = await mount(it.url, at, join(scratch, "two"));
      expect(readdirSync(at).length).toBe(9);
      await fio(true);
      expect(await Bun.file(join(at, "odd name ü #1.txt")).text()).toBe("odd");
    }
    await it.servers[0]?.start();
    await equal(it);
  },
);
