import { freePort } from "../fake/ports.ts";
import { LOAD_CORE, onlyChild, type Server, start } from "./server.ts";

const KILOBYTE = "tern".repeat(256);

/** Connections that each of them may hold: two files each of the 20 000 a process may have here. */
export const MAX_PAIRS = 7900;

/**
 * The server behind all of them, on the load's core: nginx with 1 KB from its memory, which costs
 * it half as much as a file, so that it is less of a limit, and a file of 10 MB.
 */
export async function backend(dir: string): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  await Bun.write(
    `${dir}/backend.conf`,
    `
daemon off;
user root;
pid ${dir}/backend.pid;
error_log ${dir}/backend.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s;
  access_log off;
  server {
    listen 127.0.0.1:${ports.http} backlog=8192;
    root ${dir}/www;
    location = /1k.bin { return 200 "${KILOBYTE}"; }
    location = /echo { return 200 $arg_word; }
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${dir}/backend.log`, "-c", `${dir}/backend.conf`];
  return start("backend", command, ports, onlyChild, LOAD_CORE);
}

/** As little as a server can cost: canned.ts, on the load's core. */
export async function canned(): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  const command = [process.execPath, `${import.meta.dir}/canned.ts`, String(ports.http)];
  return start("canned", command, ports, undefined, LOAD_CORE);
}

/** HAProxy in TCP mode, one thread, splicing when it sees fit. */
export async function haproxy(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  await Bun.write(
    `${dir}/haproxy.cfg`,
    `
global
  nbthread 1
  maxconn ${MAX_PAIRS}
  maxpipes 500
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen bench
  bind 127.0.0.1:${ports.http} backlog 8192
  server backend 127.0.0.1:${to}
listen tls
  bind 127.0.0.1:${ports.https} backlog 8192 ssl crt ${dir}/both.pem
  server backend 127.0.0.1:${to}
`,
  );
  return start("HAProxy", ["/usr/sbin/haproxy", "-db", "-f", `${dir}/haproxy.cfg`], ports);
}

/** nginx stream, one worker, with the versions of TLS that the others have: 1.22 by itself stops at 1.2. */
export async function nginxStream(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  await Bun.write(
    `${dir}/stream.conf`,
    `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
pid ${dir}/stream.pid;
error_log ${dir}/stream.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
stream {
  access_log off;
  tcp_nodelay on;
  proxy_timeout 600s;
  server { listen 127.0.0.1:${ports.http} backlog=8192; proxy_pass 127.0.0.1:${to}; }
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${dir}/tls.pem;
  ssl_certificate_key ${dir}/tls.key;
  server { listen 127.0.0.1:${ports.https} ssl backlog=8192; proxy_pass 127.0.0.1:${to}; }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${dir}/stream.log`, "-c", `${dir}/stream.conf`];
  return start("nginx stream", command, ports, onlyChild);
}

/** tern with one service, everything else as it is by default; one process unless told otherwise. */
export async function tern(
  dir: string,
  binary: string,
  to: number,
  { workers = 1, cores }: { readonly workers?: number; readonly cores?: string } = {},
): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  const config = `
workers: ${workers}
user: root
state: ./state
log: { level: warn, format: text, file: "-" }
admin: { listen: [], socket: ./tern.sock }
tls: { certificates: [{ cert: ./tls.pem, key: ./tls.key }] }
pools:
  bench: { hosts: ["127.0.0.1:${to}"], scheduler: leastconns }
balance:
  bench:
    listen: "127.0.0.1:${ports.http}"
    groups: { main: { pool: bench } }
  tls:
    listen: "127.0.0.1:${ports.https}"
    groups: { main: { pool: bench } }
    tls: terminate
`;
  await Bun.write(`${dir}/balance.yaml`, config);
  const command = [...binary.split(" "), "run", "-c", `${dir}/balance.yaml`];
  return start("tern", command, ports, undefined, cores);
}
