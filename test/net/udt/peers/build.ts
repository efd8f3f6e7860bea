import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's libudt-dev brings libudt's own sample programs as source. */
const SAMPLES = "/usr/share/doc/libudt-dev/examples";
const NAMES = ["appclient", "appserver", "sendfile", "recvfile"] as const;
const OURS = new URL("peer.cc", import.meta.url).pathname;

/** Can they be built here? */
export const HAS_LIBUDT = existsSync(SAMPLES) && Bun.which("g++") !== null;

/** Paths of libudt's samples, and of `peer` (peer.cc). */
export type Peers = Readonly<Record<(typeof NAMES)[number] | "peer", string>>;

/** Build them, unless that was done before with the same source. */
export async function buildPeers(): Promise<Peers> {
  const stamp = Bun.hash(await Bun.file(OURS).text()).toString(36);
  const dir = join(tmpdir(), `tern-libudt-${stamp}`);
  if (!existsSync(dir)) {
    const work = `${dir}.${process.pid}`;
    await mkdir(work, { recursive: true });
    const built = await Promise.all([
      ...NAMES.map((name) => sample(work, name)),
      compile(work, OURS, "peer"),
    ]);
    if (built.includes(false)) throw new Error("libudt's samples cannot be built");
    await rename(work, dir).catch(() => rm(work, { recursive: true })); // another was faster
  }
  const at = (name: string): string => join(dir, name);
  return {
    appclient: at("appclient"),
    appserver: at("appserver"),
    sendfile: at("sendfile"),
    recvfile: at("recvfile"),
    peer: at("peer"),
  };
}

/** Debian compresses the larger ones. */
async function sample(dir: string, name: string): Promise<boolean> {
  const plain = Bun.file(join(SAMPLES, `${name}.cpp`));
  const source = (await plain.exists())
    ? await plain.text()
    : new TextDecoder().decode(
        Bun.gunzipSync(
          new Uint8Array(await Bun.file(join(SAMPLES, `${name}.cpp.gz`)).arrayBuffer()),
        ),
      );
  const file = join(dir, `${name}.cpp`);
  await Bun.write(file, source);
  return compile(dir, file, name);
}

async function compile(dir: string, file: string, name: string): Promise<boolean> {
  const child = Bun.spawn(
    [
      "g++",
      "-w",
      "-O2",
      "-DLINUX",
      "-I/usr/include/udt",
      `-I${SAMPLES}`,
      file,
      "-o",
      join(dir, name),
      "-ludt",
      "-lpthread",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  return (await child.exited) === 0;
}
