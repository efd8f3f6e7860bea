import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../../../src/core/clock.ts";
import { silent } from "../../../src/observe/log.ts";
import type { BlockCache } from "../../../src/services/store/block-cache/block-cache.ts";
import type { FileCache } from "../../../src/services/store/file-cache.ts";
import { Hints } from "../../../src/services/store/hints/hints.ts";
import { DirMember } from "../../../src/services/store/members/dir-member.ts";
import type { Member } from "../../../src/services/store/members/member.ts";
import { Mender } from "../../../src/services/store/mender.ts";
import { Layout, type Name } from "../../../src/services/store/names.ts";
import { PathLocks } from "../../../src/services/store/path-locks.ts";
import { openToRead } from "../../../src/services/store/read.ts";
import { Seat } from "../../../src/services/store/seat.ts";
import { Shelf } from "../../../src/services/store/shelf.ts";
import { LocalUsage } from "../../../src/services/store/usage/local-usage.ts";
import { put, remove } from "../../../src/services/store/write.ts";
import { temporary } from "../../fake/temporary.ts";
import { FaultyMember } from "./faulty-member.ts";

export interface Rig extends AsyncDisposable {
  readonly dir: string;
  readonly shelf: Shelf;
  readonly hints: Hints;
  readonly members: readonly FaultyMember[];
  /** Milliseconds that clocks are ahead of what they are: of the waits, and on the wall. */
  readonly time: { waits: number; wall: number };
  name(path: string): Name;
  /** "kept", "no", or the trouble. `until` in milliseconds since 1970. */
  put(path: string, body: Uint8Array | string, until?: number): Promise<string>;
  remove(path: string): Promise<string>;
  /** The bytes; "absent", "deleted", "unsure", or "cut" behind so many right ones. */
  get(path: string, from?: number, to?: number): Promise<Uint8Array | string>;
  /** Mend until nothing is due. */
  mend(): Promise<void>;
  /** The same files under another router, at the same time. */
  beside(): Promise<Rig>;
  /** The same files under another router, as after a crash of this one; with other wishes. */
  again(other?: RigWishes): Promise<Rig>;
}

export interface RigWishes {
  readonly members?: number;
  readonly redundancy?: number;
  readonly writeQuorum?: number;
  readonly placement?: "hrw-1" | "md5-paper";
  readonly make?: (id: string, root: string) => Member;
  readonly cache?: FileCache | undefined;
  readonly blockCache?: BlockCache | undefined;
  readonly quotas?: Readonly<Record<string, number>>;
}

/** Members in directories of their own that fail when they are told to, and a stage over them. */
export async function rig(wishes: RigWishes = {}): Promise<Rig> {
  const dir = await temporary();
  return open(dir.path, wishes, async () => dir[Symbol.asyncDispose]());
}

async function open(dir: string, wishes: RigWishes, dispose: () => Promise<void>): Promise<Rig> {
  const { members: count = 3, redundancy = 3, writeQuorum = 2, placement = "hrw-1" } = wishes;
  const make = wishes.make ?? ((id, root) => new DirMember(id, root, false));
  const time = { waits: 0, wall: 0 };
  const now = () => systemClock.now() + time.waits;
  const usage = wishes.quotas && new LocalUsage(join(dir, "usage"), wishes.quotas, now);
  const hints = await Hints.open(join(dir, "hints"), silent, now);
  const members = Array.from({ length: count }, (_, i) => {
    const root = join(dir, `m${i}`);
    mkdirSync(root, { recursive: true });
    return new FaultyMember(make(`m${i}`, root));
  });
  const shelf = new Shelf(
    0,
    {
      placement,
      region: 256,
      redundancy,
      slots: members.map(({ id }) => ({ id, weight: 1, zone: undefined })),
    },
    writeQuorum,
    members.map((member) => new Seat(member, now)),
    {
      layout: new Layout("_3fs"),
      locks: new PathLocks(join(dir, "locks")),
      hints,
      log: silent,
      clock: systemClock,
      wall: () => Date.now() + time.wall,
      writer: crypto.randomUUID().slice(0, 8),
      freeFloor: 0,
      cache: wishes.cache,
      blockCache: wishes.blockCache,
      ...(usage !== undefined && { usage }),
    },
  );
  const mender = new Mender([shelf], hints, silent, {
    clock: systemClock,
    wall: Date.now,
    sweeps: false,
  });
  const name = (path: string): Name => ({ stage: 0, key: path, path });
  const close = async () => {
    await shelf.close();
    shelf.common.locks.close();
    usage?.close();
    await hints.close();
  };
  return {
    dir,
    shelf,
    hints,
    members,
    time,
    name,
    async put(path, body, until) {
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const about = { type: undefined, mtime: undefined, until };
      const written = await put(shelf, name(path), pieces(bytes), about, () => true);
      return written.kind === "too-few" ? written.trouble : written.kind;
    },
    async remove(path) {
      const written = await remove(shelf, name(path), () => true);
      return written.kind === "too-few" ? written.trouble : written.kind;
    },
    async get(path, from = 0, to = Infinity) {
      const opened = await openToRead(shelf, name(path), () => from);
      if (opened.kind !== "open") return opened.kind;
      const { body } = opened;
      const got: Uint8Array[] = [];
      try {
        for await (const piece of body.bytes(from, Math.min(to, body.version.size)))
          got.push(piece);
        return Buffer.concat(got);
      } catch {
        return `cut behind ${Buffer.concat(got).length}`;
      } finally {
        body.close();
      }
    },
    async mend() {
      for (let rounds = 0; rounds < 20; rounds++) {
        time.waits += 60_000;
        await mender.pass();
        if (hints.size === 0) return;
      }
    },
    beside: () => open(dir, { ...wishes, cache: undefined }, async () => {}),
    async again(other = {}) {
      await close();
      return open(dir, { ...wishes, ...other }, dispose);
    },
    async [Symbol.asyncDispose]() {
      await close();
      await dispose();
    },
  };
}

/** As a body comes: in pieces that fit nothing. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 100_003) yield bytes.slice(at, at + 100_003);
}
