/** A directory of this machine. What it says it has written is on disk. */
import fs, { constants, lstatSync, openSync, renameSync, statSync } from "node:fs";
import {
  access,
  lstat,
  open,
  opendir,
  readdir,
  rename,
  rmdir,
  statfs,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { systemClock } from "../../../core/clock.ts";
import { DirReading } from "./dir-reading.ts";
import { codeOf, inWords, isMissing } from "./dir-trouble.ts";
import { DirUpload } from "./dir-upload.ts";
import { Directories } from "./directories.ts";
import { DirectorySyncs } from "./directory-syncs.ts";
import type { Mark } from "./mark.ts";
import type { Entry, Facts, Item, Member, Reading, Upload } from "./member.ts";
import { Nearby } from "./nearby.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
/** Others of our group may read what is kept, as servers beside us do. */
const MODE = 0o644;

/** A descriptor, as this thread would have made it. */
const openLater = promisify(fs.open);

/** `fsync`: wait for the disk before anything is said to be kept. */
export class DirMember implements Member {
  readonly id: string;
  readonly where: string;
  readonly near: Nearby;
  readonly fsync: boolean;
  readonly #mark: Mark | undefined;
  readonly #directories: Directories;

  /** `mark` tells whether the root is the one it was; without, any directory is. */
  constructor(id: string, root: string, fsync: boolean, mark?: Mark) {
    this.id = id;
    this.where = root;
    this.fsync = fsync;
    this.#mark = mark;
    const syncs = fsync ? new DirectorySyncs() : undefined;
    const directories = new Directories(
      root,
      () => this.#there(),
      () => this.near,
      syncs,
    );
    this.#directories = directories;
    this.near = new Nearby(
      () => this.#there(),
      (at) => directories.check(at),
      () => systemClock.now(),
    );
  }

  async put(temporary: string): Promise<Upload> {
    return this.#try(`write in ${temporary}`, async () => {
      const directory = await this.#directories.make(temporary);
      const path = `${directory}/${crypto.randomUUID()}`;
      return new DirUpload(this, path, await this.#create(path, temporary));
    });
  }

  async #create(path: string, temporary: string): Promise<number> {
    const make = (): Promise<number> =>
      this.near.either(
        () => openSync(path, NEW, MODE),
        () => openLater(path, NEW, MODE),
      );
    try {
      return await make();
    } catch (error) {
      if (!isMissing(error)) throw error;
      // A directory that somebody removed behind our back is made again.
      this.#directories.forget();
      await this.#directories.make(temporary);
      return make();
    }
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

  /** Give the file at `path` its name; the name is on disk when this resolves. */
  async place(path: string, at: string): Promise<void> {
    await this.#try(`write ${at}`, async () => {
      const directory = await this.#directories.make(dirname(at));
      const to = this.#directories.pathOf(at);
      try {
        await this.near.either(
          () => renameSync(path, to),
          () => rename(path, to),
        );
      } catch (error) {
        const isDirectory = codeOf(error) === "EISDIR";
        if (!isMissing(error) && !isDirectory) throw error;
        this.#directories.forget();
        // Directories that nothing is left in hold no name.
        if (isDirectory) await removeEmpty(to);
        await this.#directories.make(dirname(at));
        await rename(path, to);
      }
      await this.#directories.sync(directory);
    });
  }

  async facts(at: string): Promise<Facts | undefined> {
    return this.#maybe(`look at ${at}`, async () => {
      const there = await lstat(await this.#directories.within(at));
      return there.isFile() ? { size: there.size, mtime: there.mtimeMs } : undefined;
    });
  }

  async read(at: string, from: number, to: number): Promise<Reading | undefined> {
    return this.#maybe(`read ${at}`, async () => {
      const path = await this.#directories.within(at);
      const handle = await open(path, O_RDONLY | O_NOFOLLOW);
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
      await unlink(await this.#directories.within(at));
      await this.#directories.sync(dirname(this.#directories.pathOf(at)));
    });
  }

  async list(at: string): Promise<readonly Item[]> {
    const items = await this.#maybe(`list ${at}`, async () => {
      const path = await this.#directories.within(at);
      const entries = await entriesOf(path, this.near);
      const found: Item[] = [];
      const seen = entries.map(async ({ name }) => {
        const there = await lstat(join(path, name)).catch(() => undefined); // gone meanwhile
        if (there === undefined) return;
        const directory = there.isDirectory();
        found.push({ name, directory, size: there.size, mtime: there.mtimeMs });
      });
      await Promise.all(seen);
      return found;
    });
    return items ?? [];
  }

  async names(at: string): Promise<readonly Entry[]> {
    const entries = await this.#maybe(`list ${at}`, async () =>
      entriesOf(await this.#directories.within(at), this.near),
    );
    return entries ?? [];
  }

  async probe(): Promise<void> {
    await this.#try("look at it", async () => {
      await access(this.where, constants.R_OK | constants.X_OK);
      this.#there();
      await this.#mark?.take();
    });
  }

  async space(): Promise<{ free: number; total: number }> {
    return this.#try("ask for room", async () => {
      const { bavail, blocks, bsize } = await statfs(this.where);
      return { free: bavail * bsize, total: blocks * bsize };
    });
  }

  async renew(): Promise<void> {
    await this.#try("mark it", async () => this.#mark?.renew());
  }

  close(): void {}

  async #maybe<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    return this.#try(what, async () => {
      try {
        return await run();
      } catch (error) {
        if (!isMissing(error)) throw error;
        // Nothing there, or nothing at all: a root that is not mounted holds nobody's files.
        this.#there();
        return undefined;
      }
    });
  }

  /** Throws when the root is not there, or is another one. The disk has just answered: it is asked in this thread. */
  #there(): void {
    if (this.#mark !== undefined) this.#mark.check();
    else statSync(this.where);
  }

  async #try<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw inWords(this.where, what, error);
    }
  }
}

/** Files and directories in a directory. */
async function entriesOf(path: string, near: Nearby): Promise<Entry[]> {
  // Most that are asked for are not there: that much is seen at once.
  near.now(() => lstatSync(path));
  const entries = await readdir(path, { withFileTypes: true });
  const found: Entry[] = [];
  for (const entry of entries) {
    const directory = entry.isDirectory();
    if (directory || entry.isFile()) found.push({ name: entry.name, directory });
  }
  return found;
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
