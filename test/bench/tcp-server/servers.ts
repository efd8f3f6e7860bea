import { freePort } from "../../fake/ports.ts";
import { onlyChild, type Server, start } from "../server.ts";

const HERE = import.meta.dir;
/** Where Debian's golang-*-dev packages are. */
const GO_PATH = "/usr/share/gocode";

/** The seed's server as a TcpServer program. */
export async function ours(dir: string): Promise<Server> {
  return program("TcpServer", dir, [process.execPath, `${HERE}/program.ts`]);
}

/**
 * The same in Go, where Debian's compiler and packages are installed (golang-go,
 * golang-github-valyala-fasthttp-dev); undefined where they are not.
 */
export async function go(name: "net/http" | "fasthttp", dir: string): Promise<Server | undefined> {
  const file = name.replace("/", "-");
  const child =
    Bun.which("go") === null
      ? undefined
      : Bun.spawn(["go", "build", "-o", `${dir}/${file}`, `${HERE}/${file}.go`], {
          env: { ...process.env, GO111MODULE: "off", GOPATH: GO_PATH, GOCACHE: `${dir}/cache` },
          stdio: ["ignore", "ignore", "ignore"],
        });
  if ((await child?.exited) !== 0) return undefined;
  // One core is one thread: without it Go's scheduler would spin on a core that it does not have.
  return program(name, dir, ["env", "GOMAXPROCS=1", `${dir}/${file}`]);
}

/** nginx, returning the same bytes: what stands in where there is no Go. It can neither encrypt nor wait. */
export async function nginx(dir: string): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  await Bun.write(
    `${dir}/nginx.conf`,
    `
daemon off;
user root;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  default_type text/plain;
  ssl_certificate ${dir}/tls.pem;
  ssl_certificate_key ${dir}/tls.key;
  server {
    listen 127.0.0.1:${ports.http} backlog=8192;
    listen 127.0.0.1:${ports.https} ssl backlog=8192;
    location = / { return 200 "ok"; }
    location = /1k { return 200 "${"a".repeat(1024)}"; }
    location = /16k { root ${dir}; try_files /16k.txt =404; }
  }
}
`,
  );
  await Bun.write(`${dir}/16k.txt`, "a".repeat(16 * 1024));
  const command = ["/usr/sbin/nginx", "-e", `${dir}/nginx.log`, "-c", `${dir}/nginx.conf`];
  return start("nginx", command, ports, onlyChild);
}

async function program(name: string, dir: string, command: readonly string[]): Promise<Server> {
  const ports = { http: await freePort(), https: await freePort() };
  return start(name, [...command, String(ports.http), String(ports.https), dir], ports);
}
