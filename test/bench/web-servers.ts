import { freePort } from "../fake/ports.ts";
import { onlyChild, type Server, start } from "./server.ts";
import { HOST } from "./web-files.ts";

/** nginx as its own documentation tunes it for files: one worker. */
export async function nginx(dir: string): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  const site = `root ${dir}/www; server_name ${HOST};`;
  await Bun.write(
    `${dir}/nginx.conf`,
    `
daemon off;
user root;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 15000; }
http {
  types { text/html html; application/octet-stream bin; }
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  access_log off;
  gzip on;
  gzip_comp_level 6;
  gzip_min_length 1000;
  gzip_static off;
  client_body_temp_path ${dir}/nginx-body;
  proxy_temp_path ${dir}/nginx-proxy;
  fastcgi_temp_path ${dir}/nginx-fastcgi;
  uwsgi_temp_path ${dir}/nginx-uwsgi;
  scgi_temp_path ${dir}/nginx-scgi;
  server { listen 127.0.0.1:${ports.http} backlog=4096 default_server; root ${dir}/www; }
  server { listen 127.0.0.1:${ports.http}; ${site} }
  server {
    listen 127.0.0.1:${ports.https} ssl backlog=4096; ${site}
    ssl_certificate ${dir}/tls.pem;
    ssl_certificate_key ${dir}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${dir}/nginx.log`, "-c", `${dir}/nginx.conf`];
  return start("nginx", command, ports, onlyChild);
}

/** tern with everything on that a site has by default, and virtual hosts; one process. */
export async function tern(dir: string, binary: string): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  await Bun.write(`${dir}/tern.yaml`, ternConfig(ports, await freePort()));
  return start("tern", [binary, "run", "-c", `${dir}/tern.yaml`], ports);
}

export function ternConfig(ports: { http: number; https: number }, admin: number): string {
  return `
workers: 1
user: root
state: ./state
log: { level: warn, format: text, file: "-" }
admin: { listen: 127.0.0.1:${admin}, socket: ./tern.sock }
tls: { certificates: [{ cert: ./tls.pem, key: ./tls.key }] }
web:
  other: { listen: ["127.0.0.1:${ports.http}"], hosts: ["*"], root: ./www }
  bench: { listen: ["127.0.0.1:${ports.http}"], hosts: [${HOST}], root: ./www }
  secure: { listen: ["127.0.0.1:${ports.https}"], hosts: [${HOST}], root: ./www, tls: true }
`;
}
