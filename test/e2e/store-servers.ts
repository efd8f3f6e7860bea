import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { accepts, freePort } from "../fake/ports.ts";
import { said } from "./binary.ts";
import { TERN, until } from "./from-source.ts";

/** A server that keeps files, with a directory of its own. */
export interface FileServer extends AsyncDisposable {
  readonly kind: ServerKind;
  readonly port: number;
  readonly url: string;
  readonly root: string;
  signal(signal: NodeJS.Signals): void;
  /** Kill it and those it has started. */
  kill(): Promise<void>;
  /** Once more, on the same port and files. */
  start(): Promise<void>;
}

/** "tern-s3": the object store of a tern, whose user is OBJECTS. */
export type ServerKind = "nginx" | "apache" | "tern" | "tern-s3";

export const OBJECTS = { access_key: "AKTEST", secret_key: "sekrit" };

const COMMANDS: Readonly<
  Record<ServerKind, (dir: string, root: string, port: number) => Promise<string[]>>
> = { nginx, apache, tern, "tern-s3": objects };

/** Start one with its files in `dir/NAME`; `inside`: in front of its command, where it is to run. */
export async function fileServer(
  kind: ServerKind,
  dir: string,
  name: string = kind,
  inside: readonly string[] = [],
): Promise<FileServer> {
  const root = join(dir, name);
  const home = join(dir, `${name}.home`);
  mkdirSync(root);
  mkdirSync(home);
  const port = await freePort();
  const command = [...inside, ...(await COMMANDS[kind](home, root, port))];
  const listens = async (): Promise<boolean> =>
    inside.length === 0
      ? accepts(port)
      : (await said([...inside, "bash", "-c", `: < /dev/tcp/127.0.0.1/${port}`])).code === 0;
  let child: Bun.Subprocess | undefined;
  const server: FileServer = {
    kind,
    port,
    root,
    url: `http://127.0.0.1:${port}`,
    signal: (signal) => {
      for (const pid of familyOf(child)) quietly(pid, signal);
    },
    async kill() {
      const family = familyOf(child);
      for (const pid of family) quietly(pid, "SIGKILL");
      await child?.exited;
      await until(async () => !(await listens()));
    },
    async start() {
      child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
      await until(listens);
    },
    [Symbol.asyncDispose]: () => server.kill(),
  };
  await server.start();
  return server;
}

/** As its manual has it, with parents made by itself. */
async function nginx(home: string, root: string, port: number): Promise<string[]> {
  await Bun.write(
    `${home}/nginx.conf`,
    `daemon off; user root; pid ${home}/pid; worker_processes 1;
events { worker_connections 512; }
http {
  access_log off;
  # On the disk of the files: from another one nginx copies, and leaves what does not fit.
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f;
  uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port}; root ${root};
    dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; dav_access user:rw all:r;
    autoindex on; autoindex_format json;
  }
}
`,
  );
  return ["/usr/sbin/nginx", "-e", `${home}/error.log`, "-c", `${home}/nginx.conf`];
}

async function apache(home: string, root: string, port: number): Promise<string[]> {
  // It will not serve as root: its own user has to get there.
  for (const path of [join(home, ".."), home, root]) chmodSync(path, 0o777);
  const module = (name: string): string =>
    `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`;
  await Bun.write(
    `${home}/httpd.conf`,
    `ServerRoot ${home}
ServerName localhost
PidFile ${home}/pid
ErrorLog ${home}/error.log
Listen 127.0.0.1:${port}
${["mpm_event", "authz_core", "dav", "dav_fs"].map(module).join("\n")}
User www-data
Group www-data
DavLockDB ${home}/locks
DocumentRoot ${root}
<Directory ${root}>
  Dav On
  DavDepthInfinity Off
  Require all granted
</Directory>
`,
  );
  return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", `${home}/httpd.conf`];
}

async function tern(home: string, root: string, port: number): Promise<string[]> {
  const site = {
    listen: `127.0.0.1:${port}`,
    root,
    webdav: { enabled: true },
    dotfiles: "allow", // clients have such files as well
    gzip: { enabled: false },
  };
  const config = { workers: 1, state: `${home}/var`, admin: { listen: [] }, web: { site } };
  await Bun.write(`${home}/tern.yaml`, JSON.stringify(config));
  return [...TERN, "run", "-c", `${home}/tern.yaml`];
}

async function objects(home: string, root: string, port: number): Promise<string[]> {
  const files = {
    listen: `127.0.0.1:${port}`,
    free_floor: "0%",
    s3: { users: { [OBJECTS.access_key]: { secret: OBJECTS.secret_key, access: "full" } } },
    stages: { 0: { redundancy: 1, members: [{ id: "disk", dir: root }] } },
  };
  const config = { workers: 1, state: `${home}/var`, admin: { listen: [] }, store: { files } };
  await Bun.write(`${home}/tern.yaml`, JSON.stringify(config));
  return [...TERN, "run", "-c", `${home}/tern.yaml`];
}

/** A process and its children: nginx and Apache serve in those. */
function familyOf(child: Bun.Subprocess | undefined): number[] {
  if (child === undefined) return [];
  const { stdout } = Bun.spawnSync(["pgrep", "-P", String(child.pid)]);
  return [child.pid, ...stdout.toString().split("\n").filter(Boolean).map(Number)];
}

function quietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {} // it has ended
}
