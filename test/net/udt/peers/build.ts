import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's libudt-dev brings libudt's own sample programs as source. */
const SAMPLES = "/usr/share/doc/libudt-dev/examples";
const NAMES = ["appclient", "appserver", "sendfile", "recvfile"] as const;
const OURS = new URL("peer.cc", import.meta.url).pathname;
const HALF = new URL("half.cc", import.meta.url).pathname;
/** libudt's own test is one program with numbers for ports: a side of it (half.cc) is told others. */
const PORTS = [
  ["const int g_Server_Port = 9000;", "#define g_Server_Port port_at(0)\n"],
  ["port = 61000;", "port = port_at(0);"],
  ["port = 51000;", "port = port_at(50);"],
] as const;

/** Can they be built here? */
export const HAS_LIBUDT = existsSync(SAMPLES) && Bun.which("g++") !== null;

/** Paths of libudt's samples, of `peer` (peer.cc) and of `half` (half.cc). */
export type Peers = Readonly<Record<(typeof NAMES)[number] | "peer" | "half", string>>;

/** Build them, unless that was done before with the same source. */
export async function buildPeers(): Promise<Peers> {
  const sources = await Promise.all([OURS, HALF].map((path) => Bun.file(path).text()));
  const stamp = Bun.hash(sources.join("")).toString(36);
  const dir = join(tmpdir(), `tern-libudt-${stamp}`);
  if (!existsSync(dir)) {
    const work = `${dir}.${process.pid}`;
    await mkdir(work, { recursive: true });
    const built = await Promise.all([
      ...NAMES.map(async (name) => compile(work, await sample(work, name), name)),
      compile(work, OURS, "peer"),
      half(work),
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
    half: at("half"),
  };
}

async function half(dir: string): Promise<boolean> {
  const path = await sample(dir, "test");
  let source = await Bun.file(path).text();
  for (const [number, name] of PORTS) {
    if (!source.includes(number)) throw new Error(`libudt's test has no "${number}"`);
    source = source.replaceAll(number, name);
  }
  await Bun.write(path, source);
  return compile(dir, HALF, "half", `-DSAMPLE="${path}"`);
}

/** The path of the source of one; Debian compresses the larger ones. */
async function sample(dir: string, name: string): Promise<string> {
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
  return file;
}

async function compile(
  dir: string,
  file: string,
  name: string,
  ...options: string[]
): Promise<boolean> {
  const child = Bun.spawn(
    [
      "g++",
      "-w",
      "-O2",
      "-DLINUX",
      "-I/usr/include/udt",
      `-I${SAMPLES}`,
      ...options,
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
