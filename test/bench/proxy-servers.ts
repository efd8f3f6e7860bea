import { freePort } from "../fake/ports.ts";
import { onlyChild, type Server, start } from "./server.ts";

/** Clients that each of them may hold. */
const MAX_CLIENTS = 9000;

/** nginx as a reverse proxy that keeps connections to its server; one worker. */
export async function nginxProxy(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  await Bun.write(
    `${dir}/proxy.conf`,
    `
daemon off;
user root;
pid ${dir}/proxy.pid;
error_log ${dir}/proxy.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_temp_path ${dir}/nginx-body;
  proxy_temp_path ${dir}/nginx-temp;
  upstream bench { server 127.0.0.1:${to}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${ports.http} backlog=8192;
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${dir}/proxy.log`, "-c", `${dir}/proxy.conf`];
  return start("nginx", command, ports, onlyChild);
}

/** HAProxy in HTTP mode, one thread, which reuses connections to its server where that is safe. */
export async function haproxyHttp(dir: string, to: number): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  await Bun.write(
    `${dir}/http.cfg`,
    `
global
  nbthread 1
  maxconn ${MAX_CLIENTS}
defaults
  mode http
  option forwardfor
  http-reuse safe
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
listen bench
  bind 127.0.0.1:${ports.http} backlog 8192
  http-request set-header X-Forwarded-Proto http
  server backend 127.0.0.1:${to} pool-max-conn 64
`,
  );
  return start("HAProxy", ["/usr/sbin/haproxy", "-db", "-f", `${dir}/http.cfg`], ports);
}

/**
 * tern with one proxy, everything else as it is by default; one process, at home in `dir`. `more`: lines
 * for the proxy's section.
 */
export async function ternProxy(
  dir: string,
  binary: string,
  to: number,
  more = "",
): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  const config = `
workers: 1
user: root
state: ./state
log: { level: warn, format: text, file: "-" }
admin: { listen: [], socket: ./tern.sock }
pools:
  bench: { hosts: ["127.0.0.1:${to}"] }
proxy:
  bench:
    listen: "127.0.0.1:${ports.http}"
    routes: [{ pool: bench }]
    limits: { keep_alive: 600s }
${more}`;
  await Bun.write(`${dir}/proxy.yaml`, config);
  return start("tern", [...binary.split(" "), "run", "-c", `${dir}/proxy.yaml`], ports);
}
