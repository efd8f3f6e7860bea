/** A directory of this machine. What it says it has written is on disk. */
import fs, {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import {
  access,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  realpath,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { systemClock } from "../../../core/clock.ts";
import { DirectorySyncs } from "./directory-syncs.ts";
import {
  type Facts,
  type Item,
  type Member,
  MemberError,
  type Reading,
  type Trouble,
  type Upload,
} from "./member.ts";
import { Nearby } from "./nearby.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** Others of our group may read what is kept, as servers beside us do. */
const MODE = 0o644;
/** Bytes read at once, for whoever brings no room for them. */
const CHUNK = 256 * 1024;
/** Directories that are known to be there. More are looked for again. */
const MAX_KNOWN = 10_000;
/** So much of an upload is written in the thread itself: the kernel lets those wait who write more. */
const MAX_NEAR = 256 * 1024;

/** The same in other threads, by descriptor: one of either kind can go on with the other's. */
const later = {
  open: promisify(fs.open),
  write: promisify(fs.write),
  fsync: promisify(fs.fsync),
};

const TROUBLES: Readonly<Record<string, Trouble>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "refused",
  EACCES: "refused",
  EPERM: "refused",
  ELOOP: "refused",
  ENAMETOOLONG: "too-long",
  EISDIR: "conflict",
  ENOTDIR: "conflict",
  ENOTEMPTY: "conflict",
};

/** `fsync`: wait for the disk before anything is said to be kept. */
export class DirMember implements Member {
  readonly id: string;
  readonly where: string;
  readonly near: Nearby;
  readonly #fsync: boolean;
  readonly #known = new Set<string>();
  readonly #syncs = new DirectorySyncs();

  constructor(id: string, root: string, fsync: boolean) {
    this.id = id;
    this.where = root;
    this.#fsync = fsync;
    this.near = new Nearby(
      root,
      (at) => this.#check(at),
      () => systemClock.now(),
    );
  }

  async put(temporary: string): Promise<Upload> {
    return this.#try(`write in ${temporary}`, async () => {
      const directory = await this.#directory(temporary);
      const path = join(directory, crypto.randomUUID());
      // A directory that somebody removed behind our back is made again.
      const fd = await this.#create(path).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        this.#known.clear();
        await this.#directory(temporary);
        return this.#create(path);
      });
      return new DirUpload(this, path, fd, this.#fsync);
    });
  }

  async replace(at: string, bytes: Uint8Array, temporary: string): Promise<void> {
    const upload = await this.put(temporary);
    try {
      await upload.write(bytes);
      await upload.finish();
      await upload.place(at);
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  /** Give the file at `path` its name; it and the name are on disk when this resolves. */
  async place(path: string, at: string): Promise<void> {
    await this.#try(`write ${at}`, async () => {
      const directory = await this.#directory(dirname(at));
      const to = join(this.where, at);
      const placed = this.near.either(
        () => renameSync(path, to),
        () => rename(path, to),
      );
      await placed.catch(async (error: unknown) => {
        if (!isMissing(error) && !isDirectory(error)) throw error;
        this.#known.clear();
        // Directories that nothing is left in hold no name.
        if (isDirectory(error)) await removeEmpty(to);
        await this.#directory(dirname(at));
        await rename(path, to);
      });
      if (this.#fsync) await this.#syncs.sync(directory);
    });
  }

  async facts(at: string): Promise<Facts | undefined> {
    return this.#maybe(`look at ${at}`, async () => {
      const there = await lstat(await this.#within(at));
      return there.isFile() ? { size: there.size, mtime: there.mtimeMs } : undefined;
    });
  }

  async read(at: string, from: number, to: number): Promise<Reading | undefined> {
    return this.#maybe(`read ${at}`, async () => {
      const handle = await open(await this.#within(at), O_RDONLY | O_NOFOLLOW);
      try {
        const there = await handle.stat();
        if (there.isFile()) return new DirReading(this.where, handle, there, { from, to });
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
      return undefined;
    });
  }

  async remove(at: string): Promise<void> {
    await this.#maybe(`remove ${at}`, async () => {
      await unlink(await this.#within(at));
      if (this.#fsync) await this.#syncs.sync(dirname(join(this.where, at)));
    });
  }

  async list(at: string): Promise<readonly Item[]> {
    const items = await this.#maybe(`list ${at}`, async () => {
      const found: Item[] = [];
      const path = await this.#within(at);
      for await (const entry of await opendir(path)) {
        if (!entry.isFile() && !entry.isDirectory()) continue;
        const there = await lstat(join(path, entry.name)).catch(() => undefined); // gone meanwhile
        if (there === undefined) continue;
        const directory = there.isDirectory();
        found.push({ name: entry.name, directory, size: there.size, mtime: there.mtimeMs });
      }
      return found;
    });
    return items ?? [];
  }

  async probe(): Promise<void> {
    await this.#try("look at it", () => access(this.where, constants.R_OK | constants.X_OK));
  }

  async space(): Promise<{ free: number; total: number }> {
    return this.#try("ask for room", async () => {
      const { bavail, blocks, bsize } = await statfs(this.where);
      return { free: bavail * bsize, total: blocks * bsize };
    });
  }

  close(): void {}

  #create(path: string): Promise<number> {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    return this.near.either(
      () => openSync(path, flags, MODE),
      () => later.open(path, flags, MODE),
    );
  }

  /** Make directory `at`, and those above it, and have their names on disk. Never follows a link. */
  async #directory(at: string): Promise<string> {
    const path = join(this.where, at);
    if (this.#known.has(path)) return path;
    if (at !== "/" && at !== ".") {
      await this.#directory(dirname(at));
      try {
        await this.near.either(
          () => mkdirSync(path),
          () => mkdir(path),
        );
        if (this.#fsync) await this.#syncs.sync(dirname(path));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        const there = await this.near.either(
          () => lstatSync(path),
          () => lstat(path),
        );
        if (!there.isDirectory()) throw Object.assign(new Error(at), { code: "ENOTDIR" });
      }
    } else if (!(await stat(path)).isDirectory())
      throw Object.assign(new Error(at), { code: "ENOTDIR" });
    this.#remember(path);
    return path;
  }

  #remember(directory: string): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(directory);
  }

  /**
   * The path itself, once no directory on the way to it is a link that somebody made: names of
   * clients hold no dot segments, so that is all that could lead out.
   */
  async #within(at: string): Promise<string> {
    const directory = dirname(join(this.where, at));
    if (!this.#known.has(directory)) {
      this.#enter(at, directory, await realpath(this.where), await realpath(directory));
    }
    return join(this.where, at);
  }

  /** As `#within`, in this thread. */
  #check(at: string): string {
    const path = join(this.where, at);
    const directory = dirname(path);
    if (!this.#known.has(directory))
      this.#enter(at, directory, realpathSync(this.where), realpathSync(directory));
    return path;
  }

  #enter(at: string, directory: string, root: string, real: string): void {
    if (real !== join(root, dirname(at)).replace(/(.)\/$/, "$1"))
      throw Object.assign(new Error(`${at} leads elsewhere`), { code: "ELOOP" });
    this.#remember(directory);
  }

  async #maybe<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    return this.#try(what, async () => {
      try {
        return await run();
      } catch (error) {
        if (!isMissing(error)) throw error;
        // Nothing there, or nothing at all: a root that is not mounted holds nobody's files.
        await stat(this.where);
        return undefined;
      }
    });
  }

  async #try<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw this.error(what, error);
    }
  }

  /** In the words of members. */
  error(what: string, error: unknown): unknown {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof MemberError || code === undefined) return error;
    const trouble = isMissing(error) ? "away" : (TROUBLES[code] ?? "failed");
    return new MemberError(trouble, `${this.where}: ${what}: ${code}`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function isDirectory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EISDIR";
}

/** Remove a directory, and those in it. Rejects, having removed some, where there is a file. */
async function removeEmpty(directory: string): Promise<void> {
  for await (const entry of await opendir(directory))
    if (entry.isDirectory()) await removeEmpty(join(directory, entry.name));
  await rmdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return;
    throw error;
  });
}

class DirUpload implements Upload {
  readonly #member: DirMember;
  readonly #path: string;
  readonly #fd: number;
  readonly #fsync: boolean;
  #size = 0;
  /** What another thread does with the descriptor, which must not become another file's meanwhile. */
  #busy: Promise<unknown> | undefined;
  #open = true;

  constructor(member: DirMember, path: string, fd: number, fsync: boolean) {
    this.#member = member;
    this.#path = path;
    this.#fd = fd;
    this.#fsync = fsync;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        const written = await this.#write(bytes.subarray(at));
        at += written;
        this.#size += written;
      }
    } catch (error) {
      throw this.#member.error("write", error);
    }
  }

  async #write(bytes: Uint8Array): Promise<number> {
    const elsewhere = async (): Promise<number> => {
      const written = later.write(this.#fd, bytes, 0, bytes.length);
      this.#busy = written;
      return (await written).bytesWritten;
    };
    if (this.#size + bytes.length > MAX_NEAR) return elsewhere();
    return this.#member.near.either(() => writeSync(this.#fd, bytes), elsewhere);
  }

  async finish(): Promise<void> {
    try {
      if (this.#fsync) await (this.#busy = later.fsync(this.#fd));
      this.#close();
    } catch (error) {
      throw this.#member.error("write", error);
    }
  }

  place(at: string): Promise<void> {
    return this.#member.place(this.#path, at);
  }

  async abort(): Promise<void> {
    await this.#member.near
      .either(
        () => unlinkSync(this.#path),
        () => unlink(this.#path),
      )
      .catch(() => {}); // gone already, or the directory is
    await this.#busy?.catch(() => {}); // who asked for it has heard
    try {
      this.#close();
    } catch {} // an error it has told already
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }
}

/** Bytes [from, to). */
interface Run {
  readonly from: number;
  readonly to: number;
}

class DirReading implements Reading {
  readonly size: number;
  readonly mtime: number;
  readonly #where: string;
  readonly #handle: FileHandle;
  readonly #to: number;
  #at: number;
  #open = true;

  constructor(where: string, handle: FileHandle, { size, mtimeMs: mtime }: Stats, run: Run) {
    const { from, to } = run;
    this.#where = where;
    this.#handle = handle;
    this.size = size;
    this.mtime = mtime;
    this.#at = from;
    this.#to = Math.min(to, size);
  }

  async next(room?: Uint8Array): Promise<Uint8Array | undefined> {
    const length = Math.min(room?.length ?? CHUNK, this.#to - this.#at);
    if (length <= 0 || !this.#open) return undefined;
    const bytes = room ?? new Uint8Array(length);
    const bytesRead = await this.#read(bytes, length);
    if (bytesRead === 0) return undefined; // cut meanwhile: who counts sees it
    this.#at += bytesRead;
    return bytes.subarray(0, bytesRead);
  }

  async #read(into: Uint8Array, length: number): Promise<number> {
    try {
      return (await this.#handle.read(into, 0, length, this.#at)).bytesRead;
    } catch (error) {
      const { code = "an error" } = error as NodeJS.ErrnoException;
      throw new MemberError("failed", `${this.#where}: read: ${code}`, { cause: error });
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handle.close().catch(() => {}); // it was only read
  }
}
