import { mkdirSync } from "node:fs";

import { freePort } from "../fake/ports.ts";
import { onlyChild, type Server, start } from "./server.ts";

/** nginx with its dav module, as its manual has it: one copy, no fsync. */
export async function nginxDav(dir: string, core?: string): Promise<Server> {
  return nginx(
    "nginx",
    `${dir}/nginx${core ?? ""}`,
    `
    dav_methods PUT DELETE MKCOL COPY MOVE;
    create_full_put_path on;
`,
    core,
  );
}

/** nginx before another server, with buffers to its liking: what a hop costs that verifies nothing. */
export async function nginxHop(dir: string, port: number): Promise<Server> {
  return nginx(
    "nginx hop",
    `${dir}/hop`,
    `
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffer_size 128k;
      proxy_buffers 16 128k;
      proxy_busy_buffers_size 256k;
      proxy_max_temp_file_size 0;
    }
`,
  );
}

async function nginx(name: string, home: string, serves: string, core?: string): Promise<Server> {
  mkdirSync(`${home}/www`, { recursive: true });
  const http = await freePort();
  await Bun.write(
    `${home}/nginx.conf`,
    `
daemon off;
user root;
pid ${home}/pid;
error_log ${home}/log;
worker_processes 1;
events { worker_connections 4096; }
http {
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s;
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${home}/www/.body;
  proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f;
  uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  server {
    listen 127.0.0.1:${http} backlog=4096;
    root ${home}/www;
    ${serves}
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", `${home}/log`, "-c", `${home}/nginx.conf`];
  return start(name, command, { http, https: 0 }, onlyChild, core);
}

export interface StoreWishes {
  readonly copies: number;
  readonly quorum: number;
  readonly fsync: boolean;
  /** Bases of WebDAV servers in place of directories. */
  readonly servers?: readonly string[];
}

/** tern over directories of its own, or over servers; one process. */
export async function ternStore(
  dir: string,
  binary: string,
  name: string,
  { copies, quorum, fsync, servers }: StoreWishes,
): Promise<Server> {
  const home = `${dir}/${name}`;
  const http = await freePort();
  const members = Array.from({ length: servers?.length ?? 3 }, (_, i) => {
    mkdirSync(`${home}/m${i}`, { recursive: true });
    return { id: `m${i}`, ...(servers ? { webdav: servers[i] } : { dir: `${home}/m${i}` }) };
  });
  const config = {
    workers: 1,
    user: "root",
    state: `${home}/state`,
    log: { level: "warn", format: "text", file: "-" },
    admin: { listen: [] },
    store: {
      bench: {
        listen: `127.0.0.1:${http}`,
        fsync,
        stages: { 0: { redundancy: copies, write_quorum: quorum, members } },
      },
    },
  };
  await Bun.write(`${home}/tern.yaml`, JSON.stringify(config)); // JSON is YAML
  return start("tern", [binary, "run", "-c", `${home}/tern.yaml`], { http, https: 0 });
}
