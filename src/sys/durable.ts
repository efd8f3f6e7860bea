import { constants } from "node:fs";
import { type FileHandle, link, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";

const libc = openLibc({
  linkat: { args: ["i32", "cstring", "i32", "cstring", "i32"], returns: "i32" },
});
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** A file without a name. node:fs has no word for it; it holds O_DIRECTORY, which arm64 numbers differently. */
const O_TMPFILE = 0o20000000 | (process.arch === "arm64" ? 0o40000 : 0o200000);

/**
 * How names of files that are not whole yet begin. Only a crash in the instant between naming and
 * renaming leaves one behind, or any crash on a file system without O_TMPFILE.
 */
export const TEMPORARY_PREFIX = ".tern-";

/** Who may read a file that nobody said otherwise about: us. */
const PRIVATE = 0o600;

/** Wait until the names in directory `path` are on disk, not only the files' bytes. */
export async function fsyncDirectory(path: string): Promise<void> {
  const handle = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Put `bytes` at `path`: after a crash at any moment there is the old file or the new one, whole. */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  mode = PRIVATE,
): Promise<void> {
  await using file = await openDurable(path, mode);
  await file.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  await file.commit("replace");
}

/**
 * Begin a file that will be at `path` when it is whole, and not before. `mode` is cut by the
 * umask. It has no name until then where the file system can do that (O_TMPFILE), else a
 * temporary one beside it. Disposing of it uncommitted leaves nothing. Errors are node:fs's.
 */
export async function openDurable(path: string, mode = PRIVATE): Promise<DurableFile> {
  const directory = dirname(path);
  try {
    const handle = await open(directory, O_TMPFILE | O_WRONLY, mode);
    return new DurableFile(path, handle, undefined);
  } catch (failed) {
    // EISDIR: a kernel that does not know O_TMPFILE; EOPNOTSUPP, EINVAL: a file system without.
    const code = (failed as NodeJS.ErrnoException).code ?? "";
    if (!["EISDIR", "EOPNOTSUPP", "ENOTSUP", "EINVAL"].includes(code)) throw failed;
  }
  return openNamed(path, mode);
}

/** As `openDurable`, under a temporary name from the start. */
export async function openNamed(path: string, mode = PRIVATE): Promise<DurableFile> {
  const temporary = temporaryBeside(path);
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  return new DurableFile(path, handle, temporary);
}

function temporaryBeside(path: string): string {
  return join(dirname(path), TEMPORARY_PREFIX + crypto.randomUUID());
}

/** A file being written; see `openDurable`. */
export class DurableFile implements AsyncDisposable {
  /** The open file, for what else has to be done to it (utimes, chown, fallocate). */
  readonly handle: FileHandle;
  readonly #path: string;
  /** The name it has now, until it gets its own. */
  #temporary: string | undefined;
  #open = true;

  constructor(path: string, handle: FileHandle, temporary: string | undefined) {
    this.handle = handle;
    this.#path = path;
    this.#temporary = temporary;
  }

  /** Add all of `bytes` at the end. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, at, bytes.length - at);
      at += bytesWritten;
    }
  }

  /**
   * Make it durable and give it its name. "replace" takes the place of what is there at once;
   * "new" answers "exists" and changes nothing when something is there.
   */
  async commit(how: "replace" | "new"): Promise<"done" | "exists"> {
    await this.handle.sync();
    if (how === "new") {
      if ((await this.#name(this.#path)) === "exists") return "exists";
      await this.#dropTemporary();
    } else {
      // A nameless file can only be linked where nothing is, so it gets a name to rename from.
      const from = this.#temporary ?? temporaryBeside(this.#path);
      if (this.#temporary === undefined) await this.#name(from);
      this.#temporary = from;
      await rename(from, this.#path);
      this.#temporary = undefined;
    }
    await this.#close();
    await fsyncDirectory(dirname(this.#path));
    return "done";
  }

  async #name(path: string): Promise<"done" | "exists"> {
    try {
      if (this.#temporary === undefined) linkDescriptor(this.handle.fd, path);
      else await link(this.#temporary, path);
      return "done";
    } catch (failed) {
      if ((failed as NodeJS.ErrnoException).code === "EEXIST") return "exists";
      throw failed;
    }
  }

  async #dropTemporary(): Promise<void> {
    if (this.#temporary === undefined) return;
    await unlink(this.#temporary);
    this.#temporary = undefined;
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.handle.close();
  }

  /** Close, and remove what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.#dropTemporary().catch(() => {}); // gone already, or the directory is: nothing to keep
  }
}

/** Give an O_TMPFILE file a name, as open(2) shows: through /proc, which needs no capability. */
function linkDescriptor(fd: number, path: string): void {
  const from = `/proc/self/fd/${fd}`;
  if (libc.linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
    throw new SysError("linkat", errno(), path);
}

/** What writers that were killed have left in `directory`, when it is older than any write takes. */
export async function sweepTemporary(directory: string): Promise<void> {
  const before = Date.now() - 10 * 60_000; // no write takes ten minutes
  for (const name of await readdir(directory)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(directory, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < before) await unlink(path).catch(() => {}); // another process was quicker
  }
}
