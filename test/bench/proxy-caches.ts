/** Caches before one server, which all keep its answers for as long as the bench takes. */
import { mkdir } from "node:fs/promises";

import { freePort } from "../fake/ports.ts";
import type { Row } from "./compare.ts";
import { ternProxy } from "./proxy-servers.ts";
import { onlyChild, type Server, start } from "./server.ts";

/** Undefined where it is not installed. */
export const VARNISHD = Bun.which("varnishd") ?? undefined;

/** nginx with proxy_cache: files that the kernel keeps in memory, and their keys in its own. One worker. */
export async function nginxCache(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  await Bun.write(
    `${dir}/cache.conf`,
    `
daemon off;
user root;
pid ${dir}/cache.pid;
error_log ${dir}/cache.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  open_file_cache max=10000 inactive=600s;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  proxy_temp_path ${dir}/cache-temp;
  proxy_cache_path ${dir}/nginx-cache levels=1:2 keys_zone=bench:16m max_size=1g inactive=1h use_temp_path=off;
  server {
    listen 127.0.0.1:${ports.http} backlog=8192;
    location / {
      proxy_pass http://127.0.0.1:${to};
      proxy_cache bench;
      proxy_cache_valid 200 1h;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${dir}/cache.log`, "-c", `${dir}/cache.conf`];
  return filled(await start("nginx", command, ports, onlyChild), /HIT/);
}

/** Varnish: responses in its memory, one pool of threads. */
export async function varnish(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  await Bun.write(
    `${dir}/bench.vcl`,
    `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${to}"; }
sub vcl_backend_response { set beresp.ttl = 1h; }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } }
`,
  );
  // Its jail could not read what is in a directory of ours.
  const command = [
    VARNISHD ?? "varnishd",
    "-j",
    "none",
    "-F",
    "-n",
    `${dir}/varnish`,
    "-f",
    `${dir}/bench.vcl`,
  ];
  const listen = ["-a", `127.0.0.1:${ports.http}`, "-s", "malloc,256m", "-p", "thread_pools=1"];
  return filled(await start("Varnish", [...command, ...listen], ports, onlyChild), /HIT/);
}

/**
 * tern with a cache: in memory, or on disk with a memory that holds a few of the 5000 things that are
 * asked for, so that it is always cold; as many open files as nginx. One process.
 */
export async function ternCache(
  dir: string,
  binary: string,
  to: number,
  kind: "memory" | "disk",
): Promise<Server> {
  const home = `${dir}/tern-${kind}`;
  await mkdir(home, { recursive: true });
  const store =
    kind === "memory" ? "memory: 64m" : "memory: 256k, disk: ./cache, open_files: 10000";
  const cache = `    cache: { ${store}, defaults: { "200": 1h } }\n`;
  return filled(await ternProxy(home, binary, to, cache), /; *hit/);
}

/** Ask for all that is going to be asked for, often enough that it is where it stays. */
export async function askForAll(
  { http }: Server,
  { path, objects = 0 }: Pick<Row, "path" | "objects">,
): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++)
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let i = lane; i < objects; i += LANES)
          await (await fetch(`http://127.0.0.1:${http}${path}?i=${i}`)).arrayBuffer();
      }),
    );
}
/** Fetched, found, and found by what was learnt then. */
const TURNS = 3;
const LANES = 32;

/** Ready when its answer is its own, which its fields say. */
async function filled(server: Server, hit: RegExp): Promise<Server> {
  let fields = "";
  for (let i = 0; i < TRIES; i++) {
    const { headers } = await fetch(`http://127.0.0.1:${server.http}/1k.bin`);
    fields = `${headers.get("x-cache")} ${headers.get("cache-status")}`;
    if (hit.test(fields)) return server;
    await Bun.sleep(100);
  }
  await server[Symbol.asyncDispose]();
  throw new Error(`${server.name} answers 1k.bin with "${fields}": never from its cache`);
}

const TRIES = 20;
