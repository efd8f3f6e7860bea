/** One store: its members, its stages, and the front before them. */
import { join } from "node:path";

import type { Lease } from "../../core/lease.ts";
import { needed } from "../../core/quorum.ts";
import { Dialer } from "../../net/tcp/dialer.ts";
import { Upstream } from "../../net/upstream/upstream.ts";
import type { Log } from "../../observe/log.ts";
import type { Host } from "../service.ts";
import { BlockCache } from "./block-cache/block-cache.ts";
import type { StoreConfig } from "./config.ts";
import { Dav } from "./dav/dav.ts";
import { lifetimes } from "./expiry.ts";
import { FileCache } from "./file-cache.ts";
import { Front } from "./front.ts";
import { Hints } from "./hints/hints.ts";
import { DirMember } from "./members/dir-member.ts";
import { DIRECT_LIMITS } from "./members/direct.ts";
import { Mark } from "./members/mark.ts";
import type { Member } from "./members/member.ts";
import { WebdavMember } from "./members/webdav-member.ts";
import { Mender } from "./mender.ts";
import { Layout } from "./names.ts";
import { type Locks, PathLocks } from "./path-locks.ts";
import { Permit } from "./permit.ts";
import { copiesOf } from "./placement/stage.ts";
import { openRepair } from "./repair/open-repair.ts";
import type { Repair } from "./repair/repair.ts";
import { PARTITIONS } from "./repair/survey.ts";
import { S3Front } from "./s3/front.ts";
import { S3Member } from "./s3/member.ts";
import { PARTS, PARTS_STAY_MS } from "./s3/multipart.ts";
import { Seat } from "./seat.ts";
import { Routers } from "./shared/routers.ts";
import { type Common, Shelf } from "./shelf.ts";
import { readBook, recordOf, refusal, type Stages, writeBook } from "./stage-book.ts";
import type { MemberConfig } from "./stage-config.ts";
import { isReserved, Tree } from "./tree/tree.ts";
import { LocalUsage } from "./usage/local-usage.ts";
import { SharedUsage } from "./usage/shared-usage.ts";
import type { Usage } from "./usage/usage.ts";

/** Characters of a process's word in its stamps. */
const WRITER = 8;

export interface OpenStore {
  readonly config: StoreConfig;
  readonly front: Front;
  readonly shelves: readonly Shelf[];
  readonly hints: Hints;
  readonly mender: Mender;
  readonly repair: Repair;
  /** Undefined: it is off. */
  readonly cache: FileCache | undefined;
  /** Undefined: there is none. */
  readonly blockCache: BlockCache | undefined;
  readonly usage: Usage;
  /** With others over the same members; undefined: this router is alone. */
  readonly routers: Routers | undefined;
  /** Remember the stages: from now on files are stored in them. */
  remember(): Promise<void>;
  /** Mark directories that are used for the first time. */
  mark(): Promise<void>;
  /** Call it when the requests in hand are answered. */
  close(): Promise<void>;
}

/** Throws when the stages have changed. */
export async function openStore(name: string, config: StoreConfig, host: Host): Promise<OpenStore> {
  const directory = join(host.state, "store", name);
  const log = host.log.with({ store: name });
  const stages: Stages = Object.fromEntries(
    Object.entries(config.stages).map(([number, stage]) => [number, recordOf(stage)]),
  );
  const refused = refusal(readBook(directory), stages);
  if (refused !== undefined) throw new Error(`store.${name}: ${refused}`);

  // Closed the other way round, and when it cannot be opened to its end.
  await using opening = new AsyncDisposableStack();
  const place = host.nodes.truth;
  const writer = crypto.randomUUID().slice(0, WRITER);
  const routers =
    place &&
    new Routers({
      place,
      store: name,
      process: writer,
      stands: host.worker.index === 0,
      clock: host.clock,
      log,
    });
  opening.defer(() => routers?.close());
  await routers?.open(stages);

  // A reload keeps its promises where they are: both instances write the same journal.
  const lease: Lease<Hints> = (await host.leases.take(`store ${name} hints`, () =>
    Hints.open(join(directory, "hints"), log, () => host.clock.now()),
  )) as Lease<Hints>; // made under this name by nobody else
  opening.use(lease);
  const usage = routers
    ? new SharedUsage({
        directory,
        limits: config.quotas,
        among: routers,
        places: Object.keys(config.stages).length * PARTITIONS,
        clock: host.clock,
        wall: () => Date.now(),
      })
    : new LocalUsage(directory, config.quotas, () => host.clock.now());
  opening.defer(() => usage.close());
  if (usage instanceof SharedUsage) await usage.open();
  const stays = lifetimes(config.ttl);
  const stay = (path: string): number | undefined => {
    if (path.startsWith(PARTS)) return PARTS_STAY_MS;
    return isReserved(path) ? undefined : stays(path);
  };
  const cache = opening.use(await cacheOf(name, config, host));
  const blockCache = opening.use(await blockCacheOf(name, config, host, log));
  const local: Locks = new PathLocks(join(directory, "locks"));
  const common: Common = {
    layout: new Layout(config.prefix),
    locks: routers?.locks(local) ?? local,
    hints: lease.value,
    log,
    clock: host.clock,
    wall: () => Date.now(),
    writer,
    freeFloor: config.free_floor,
    cache: cache?.value,
    blockCache: blockCache?.value,
    usage,
    lifetime: stay,
  };
  opening.defer(() => common.locks.close());
  const upstream = new Upstream(host.reactor, new Dialer(host.reactor), DIRECT_LIMITS);
  opening.defer(() => upstream.close());
  const marks: Mark[] = [];
  const shelves = Object.entries(config.stages).map(([number, stage]) => {
    const record = stages[number] ?? recordOf(stage);
    const quorum = stage.write_quorum ?? needed("majority", copiesOf(record));
    const seats = stage.members.map((member) => {
      const mark = markOf(member, number, directory);
      if (mark !== undefined) marks.push(mark);
      return new Seat(memberOf(member, config.fsync, upstream, mark), () => host.clock.now());
    });
    return new Shelf(Number(number), record, quorum, seats, common);
  });
  opening.defer(async () => void (await Promise.all(shelves.map((shelf) => shelf.close()))));
  const mender = new Mender(shelves, lease.value, log, {
    clock: host.clock,
    wall: common.wall,
    sweeps: host.worker.index === 0,
  });
  opening.defer(() => mender.stop());
  const repair = await openRepair(
    shelves,
    config,
    { clock: host.clock, worker: host.worker, log },
    directory,
    routers,
  );
  opening.defer(() => repair.stop());
  const permit = new Permit(config);
  const now = (): number => host.clock.now();
  const tree = new Tree(shelves, config.stage);
  // A name as it was sent cannot be told from one in a directory: there is no tree of such names.
  const dav =
    config.webdav && !config.raw_paths
      ? new Dav({ tree, permit, log, prefix: config.prefix, directory, now, wall: common.wall })
      : undefined;
  opening.defer(() => dav?.close());
  const { users } = config.s3;
  const s3 =
    Object.keys(users).length > 0 && !config.raw_paths
      ? new S3Front(tree, users, log, common.wall)
      : undefined;
  const front = new Front(config, shelves, permit, { dav, s3 }, now);
  const opened = opening.move();
  return {
    config,
    front,
    shelves,
    hints: lease.value,
    mender,
    repair,
    cache: cache?.value,
    blockCache: blockCache?.value,
    usage,
    routers,
    async remember() {
      await writeBook(directory, stages);
      await routers?.remember(stages);
    },
    async mark() {
      for (const mark of marks)
        await mark.take().catch((error: unknown) => {
          log.warn("a directory cannot be marked, so it could be taken for an empty one", {
            error,
          });
        });
    },
    close: () => opened.disposeAsync(),
  };
}

/** What a reload leaves as it is, unless it is to have another size. */
async function cacheOf(
  store: string,
  { cache: { memory } }: StoreConfig,
  { leases }: Host,
): Promise<Lease<FileCache> | undefined> {
  if (memory === 0) return undefined;
  const made = await leases.take(
    `store ${store} cache ${memory}`,
    async () => new FileCache(memory),
  );
  return made as Lease<FileCache>; // made under this name by nobody else
}

/** The same of what is kept on disk. Throws when its directory cannot be used. */
async function blockCacheOf(
  store: string,
  { cache: { disk, disk_max: most } }: StoreConfig,
  { leases }: Host,
  log: Log,
): Promise<Lease<BlockCache> | undefined> {
  if (disk === undefined) return undefined;
  const directory = join(disk, store);
  const made = await leases.take(`store ${store} blocks ${directory} ${most}`, async () => {
    try {
      return BlockCache.open(directory, most, { log, wall: () => Date.now() });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`store.${store}.cache.disk: ${why}`, { cause: error });
    }
  });
  return made as Lease<BlockCache>; // made under this name by nobody else
}

/** How a directory is known again. A member's id stays for ever, its directory may move. */
function markOf({ id, where }: MemberConfig, stage: string, directory: string): Mark | undefined {
  if (where.kind !== "dir") return undefined;
  return new Mark(where.path, join(directory, "marks", `${stage} ${encodeURIComponent(id)}`));
}

function memberOf(
  { id, where }: MemberConfig,
  fsync: boolean,
  upstream: Upstream,
  mark: Mark | undefined,
): Member {
  switch (where.kind) {
    case "dir":
      return new DirMember(id, where.path, fsync, mark);
    case "webdav":
      return new WebdavMember(id, where.url, upstream);
    case "s3":
      return new S3Member(id, where);
  }
}
