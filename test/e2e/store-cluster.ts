/** A store over real servers and a directory, and what is on their disks. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { type FaultyWay, faultyWay } from "../fake/faulty-way.ts";
import { freePort } from "../fake/ports.ts";
import { smallDisk } from "../fake/small-disk.ts";
import { temporary } from "../fake/temporary.ts";
import { type Appliance, appliance, until } from "./from-source.ts";
import { type FileServer, fileServer, type ServerKind } from "./store-servers.ts";

/** The directory of stage 0 on every member. */
export const BASE = "_3fs_0";

export interface Cluster extends AsyncDisposable {
  readonly servers: readonly FileServer[];
  /** In front of each server, where they were wished for. */
  readonly ways: readonly FaultyWay[];
  /** Of the servers, and of the directory that is the last member. */
  readonly roots: readonly string[];
  readonly tern: Appliance;
  readonly url: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** Another router with the same port, state and config, when the one before has ended. */
  again(): Promise<void>;
}

export interface ClusterWishes {
  readonly workers?: number;
  /** The servers are reached by ways that can be at fault. */
  readonly ways?: boolean;
  /** Each server has a disk of so many bytes, for its files and its own; root only. */
  readonly small?: number;
  /** Of the member that is a directory, in place of one of its own. */
  readonly disk?: string;
  /** Of the router, in place of one of its own. */
  readonly state?: string;
  readonly keys?: object;
}

/** tern over these servers and a directory: all have a copy, two of them make it kept. */
export async function cluster(
  kinds: readonly ServerKind[],
  { workers = 1, ways: wished = false, small, disk: given, state, keys = {} }: ClusterWishes = {},
): Promise<Cluster> {
  await using begun = new AsyncDisposableStack();
  const dir = begun.use(await temporary());
  chmodSync(dir.path, 0o755); // Apache's own user has to get to what is in it
  const servers: FileServer[] = [];
  const ways: FaultyWay[] = [];
  for (const [i, kind] of kinds.entries()) {
    const home = small === undefined ? dir.path : join(dir.path, `disk${i}`);
    if (small !== undefined) begun.use(smallDisk(home, small));
    const server = begun.use(await fileServer(kind, home, `s${i}`));
    begun.defer(() => server.signal("SIGCONT"));
    servers.push(server);
    if (wished) ways.push(begun.use(await faultyWay(server.port)));
  }
  const disk = given ?? join(dir.path, "disk");
  if (given === undefined) mkdirSync(disk);
  const config = {
    workers,
    state: state ?? join(dir.path, "var"),
    admin: { listen: [] },
    store: {
      files: {
        listen: `127.0.0.1:${await freePort()}`,
        free_floor: "0%",
        ...keys,
        stages: {
          0: {
            redundancy: kinds.length + 1,
            write_quorum: 2,
            members: [
              ...(wished ? ways : servers).map(({ url }, i) => ({ id: `s${i}`, webdav: url })),
              { id: "disk", dir: disk },
            ],
          },
        },
      },
    },
  };
  const roots = [...servers.map(({ root }) => root), disk];
  let tern = begun.use(await appliance(() => config));
  const ended = begun.move();
  return {
    servers,
    ways,
    roots,
    url: `http://127.0.0.1:${tern.port}`,
    get tern() {
      return tern;
    },
    async kill() {
      tern.kill("SIGKILL");
      await tern.exited;
    },
    async again() {
      tern = ended.use(await appliance(() => config));
    },
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  };
}

/** Bytes of no meaning. */
export function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** The status. */
export async function put(url: string, body: Uint8Array): Promise<number> {
  const response = await fetch(url, { method: "PUT", body: body as BodyInit });
  return response.status;
}

/** The bytes, or a status that is not 200. */
export async function get(url: string): Promise<Buffer | number> {
  const response = await fetch(url);
  if (response.status !== 200) return response.status;
  return Buffer.from(await response.arrayBuffer());
}

/**
 * Files and their records, by path; not what is on its way, or was when its server was killed, nor
 * what marks a directory as a member.
 */
export function filesOf(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true }) as string[]) {
    const path = join(root, name);
    if (!name.startsWith(BASE) || name.startsWith(`${BASE}.new`)) continue;
    if (name.includes("/.tern-put-")) continue;
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    found[name] = Bun.hash(readFileSync(path)).toString(16);
  }
  return found;
}

/** Until all members have the same, byte for byte; throws with what differs. */
export async function equal({ roots }: Pick<Cluster, "roots">, ms = 40_000): Promise<void> {
  const differing = (): string[] => {
    const all = roots.map(filesOf);
    const names = new Set(all.flatMap((files) => Object.keys(files)));
    return [...names].filter((name) => new Set(all.map((files) => files[name])).size > 1);
  };
  let last: string[] = [];
  await until(() => (last = differing()).length === 0, ms).catch((error: unknown) => {
    const shown = last.map((name) => `${name} ${roots.map((root) => filesOf(root)[name])}`);
    throw new Error(`copies differ:\n${shown.join("\n")}`, { cause: error });
  });
}
