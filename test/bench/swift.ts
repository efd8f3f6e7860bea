import { chmodSync, mkdirSync } from "node:fs";

import { freePort } from "../fake/ports.ts";
import { type Server, SERVER_CORE, start } from "./server.ts";

const KINDS = ["account", "container", "object"] as const;
const REPLICAS = 3;
/** The container that files are put in. */
export const CONTAINER = "/v1/AUTH_bench/files";

/** Is OpenStack Swift here? As Debian has it: swift-proxy, swift-account, swift-container, swift-object, memcached. */
export function hasSwift(): boolean {
  const programs = [...KINDS, "proxy"].map((kind) => `swift-${kind}-server`);
  const all = [...programs, "swift-ring-builder", "memcached", "unshare"];
  return process.getuid?.() === 0 && all.every((program) => Bun.which(program) !== null);
}

/**
 * Swift with three replicas on this machine, without users, all of it on one core: what it takes for
 * its own directory in /etc is a directory of ours, in a mount namespace.
 */
export async function swift(dir: string): Promise<Server> {
  const home = `${dir}/swift`;
  const etc = `${home}/etc`;
  mkdirSync(etc, { recursive: true });
  await Bun.write(
    `${etc}/swift.conf`,
    "[swift-hash]\nswift_hash_path_suffix = tern\nswift_hash_path_prefix = bench\n",
  );
  for (let i = 0; i < REPLICAS; i++) mkdirSync(`${home}/srv/d${i}`, { recursive: true });
  await using begun = new AsyncDisposableStack();
  const within = (command: readonly string[]): string[] => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind "$0" /etc/swift && exec "$@"',
    etc,
    ...command,
  ];
  const cache = await freePort();
  begun.use(child(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", String(cache)]));
  for (const kind of KINDS) {
    const port = await freePort();
    const conf = `${etc}/${kind}-server.conf`;
    await Bun.write(
      conf,
      `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
devices = ${home}/srv
mount_check = false
log_level = ERROR
log_address = ${home}/no-log
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`,
    );
    await ring(etc, kind, port);
    begun.use(child(within([`swift-${kind}-server`, conf])));
  }
  const http = await freePort();
  const conf = `${etc}/proxy-server.conf`;
  await Bun.write(
    conf,
    `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${http}
workers = 0
user = root
log_level = ERROR
log_address = ${home}/no-log
[pipeline:main]
pipeline = catch_errors cache proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`,
  );
  const run = `${home}/proxy`;
  await Bun.write(
    run,
    `#!/bin/sh\nexec ${within(["swift-proxy-server", conf]).map(quoted).join(" ")}\n`,
  );
  chmodSync(run, 0o755);
  const server = begun.use(await start("Swift", [run], { http, https: 0 }));
  const made = await fetch(`http://127.0.0.1:${http}${CONTAINER}`, { method: "PUT" });
  if (made.status !== 201) throw new Error(`Swift makes no container: ${made.status}`);
  const all = begun.move();
  return { ...server, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Three replicas on three devices of one server. */
async function ring(etc: string, kind: string, port: number): Promise<void> {
  const builder = async (...words: string[]): Promise<void> => {
    await Bun.$`swift-ring-builder ${kind}.builder ${words}`.cwd(etc).quiet();
  };
  await builder("create", "8", String(REPLICAS), "0");
  for (let i = 0; i < REPLICAS; i++)
    await builder("add", `r1z${i + 1}-127.0.0.1:${port}/d${i}`, "1");
  await builder("rebalance");
}

function child(command: readonly string[]): AsyncDisposable {
  const running = Bun.spawn(["taskset", "-c", SERVER_CORE, ...command], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  return {
    async [Symbol.asyncDispose]() {
      running.kill("SIGTERM");
      const late = setTimeout(() => running.kill("SIGKILL"), 3000);
      await running.exited;
      clearTimeout(late);
    },
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
