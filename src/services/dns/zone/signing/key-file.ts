import { mkdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { fsyncDirectory, openDurable } from "../../../../sys/durable.ts";
import { KeyRing } from "./key-ring.ts";
import { ZoneKey } from "./zone-key.ts";

/** The keys of one zone on disk: `NAME.key` and, while it is replaced, `NAME.next.key`; 0600. */
export class KeyFiles {
  readonly #directory: string;
  readonly #current: string;
  readonly #next: string;

  /** `name` as people write it. */
  constructor(directory: string, name: string) {
    const file = encodeURIComponent(name);
    this.#directory = directory;
    this.#current = join(directory, `${file}.key`);
    this.#next = join(directory, `${file}.next.key`);
  }

  /**
   * The keys there are; the first is made when there is none. It is on disk before it is used; of
   * several processes that make one at once, one wins and all have its. Rejects when a file is there
   * but no key of P-256.
   */
  async read(): Promise<KeyRing> {
    const current = (await read(this.#current)) ?? (await this.#make(this.#current));
    const next = await read(this.#next);
    if (next === undefined) return new KeyRing(current);
    // A copy that was put back later is younger: that errs on the safe side.
    return new KeyRing(current, { key: next, since: (await stat(this.#next)).mtimeMs });
  }

  /** Make a key that is to take the place of the one in use. Rejects when there is one already. */
  async begin(): Promise<void> {
    if ((await read(this.#next)) !== undefined) throw new Error("a key is being replaced already");
    await this.#make(this.#next);
  }

  /** The new key is the only one from now on. Rejects when there is none. */
  async finish(): Promise<void> {
    if ((await read(this.#next)) === undefined) throw new Error("no key is being replaced");
    await rename(this.#next, this.#current);
    await fsyncDirectory(this.#directory);
  }

  /** Stay with the old one. Rejects when there is no other. */
  async abandon(): Promise<void> {
    if ((await read(this.#next)) === undefined) throw new Error("no key is being replaced");
    await unlink(this.#next);
    await fsyncDirectory(this.#directory);
  }

  async #make(path: string): Promise<ZoneKey> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const made = ZoneKey.generate();
    await using file = await openDurable(path);
    await file.write(new TextEncoder().encode(made.pem));
    if ((await file.commit("new")) === "done") return made;
    const theirs = await read(path);
    if (theirs === undefined) throw new Error(`${path} comes and goes`);
    return theirs;
  }
}

async function read(path: string): Promise<ZoneKey | undefined> {
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return ZoneKey.fromPem(pem);
  } catch (error) {
    throw new Error(`${path} is no key to sign with`, { cause: error });
  }
}
