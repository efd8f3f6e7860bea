import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { accepts, freePort } from "../fake/ports.ts";
import { until } from "./from-source.ts";

export interface Radosgw extends AsyncDisposable {
  readonly url: string;
  readonly accessKey: string;
  readonly secret: string;
  /** To the gateway alone: what is behind it has all in memory. */
  signal(signal: NodeJS.Signals): void;
  kill(): Promise<void>;
  /** Once more, on the same port. */
  start(): Promise<void>;
}

/** Programs that have to be there. */
export const RADOSGW = ["radosgw", "ceph-mon", "ceph-mgr", "ceph-osd"];

/** Ceph's own S3 over a cluster in memory: one monitor, one manager, one store, one copy. It takes some twenty seconds. */
export async function radosgw(dir: string): Promise<Radosgw> {
  const [v2, v1, port] = [await freePort(), await freePort(), await freePort()];
  const monitor = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
  const fsid = crypto.randomUUID();
  const conf = join(dir, "ceph.conf");
  for (const name of ["mon", "mgr", "osd"]) mkdirSync(join(dir, name));
  await Bun.write(
    conf,
    `[global]
fsid = ${fsid}
mon host = ${monitor}
auth supported = none
ms mon client mode = crc
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 1073741824
mon data = ${dir}/mon
mgr data = ${dir}/mgr
osd data = ${dir}/osd
run dir = ${dir}
log file = ${dir}/$name.log
pid file = ${dir}/$name.pid
admin socket = ${dir}/$name.asok
keyring = ${dir}/keyring
rgw data = ${dir}
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw thread pool size = 16
`,
  );
  const children: Bun.Subprocess[] = [];
  const start = (...command: string[]): void => {
    children.push(Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }));
  };
  const run = async (...command: string[]): Promise<void> => {
    const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"], timeout: 30_000 });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${said}`);
  };
  let front: Bun.Subprocess | undefined;
  const gateway = async (): Promise<void> => {
    const keyring = ["--no-mon-config", "-k", join(dir, "keyring")];
    const auth = ["--auth_supported=none", "--auth_client_required=none"];
    const command = ["radosgw", "-c", conf, "-n", "client.admin", ...keyring, ...auth, "-f"];
    front = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
    await until(() => accepts(port), 40_000);
  };
  const kill = async (): Promise<void> => {
    front?.kill("SIGKILL");
    await front?.exited;
  };
  const stop = async (): Promise<void> => {
    await kill();
    for (const child of children.toReversed()) {
      child.kill("SIGKILL");
      await child.exited;
    }
  };
  const [accessKey, secret] = ["AKTEST", "sekrit"];
  try {
    await run(
      "ceph-authtool",
      "--create-keyring",
      join(dir, "keyring"),
      "--gen-key",
      "-n",
      "client.admin",
    );
    const map = join(dir, "monmap");
    await run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, map);
    await run("ceph-mon", "-c", conf, "-i", "a", "--mkfs", "--monmap", map);
    start("ceph-mon", "-c", conf, "-i", "a", "-f");
    start("ceph-mgr", "-c", conf, "-i", "a", "-f");
    await run("ceph", "-c", conf, "osd", "create");
    await run("ceph-osd", "-c", conf, "-i", "0", "--mkfs");
    start("ceph-osd", "-c", conf, "-i", "0", "-f");
    await until(() => existsSync(join(dir, "osd.0.asok")));
    await gateway();
    const keys = [`--access-key=${accessKey}`, `--secret=${secret}`];
    await run(
      "radosgw-admin",
      "-c",
      conf,
      "user",
      "create",
      "--uid=t",
      "--display-name=t",
      ...keys,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    accessKey,
    secret,
    signal: (signal) => front?.kill(signal),
    kill,
    start: gateway,
    [Symbol.asyncDispose]: stop,
  };
}
