import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { lstat, mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

import { codeOf } from "./dir-trouble.ts";
import type { DirectorySyncs } from "./directory-syncs.ts";
import type { Nearby } from "./nearby.ts";

/** Directories that are known to be there. More are looked for again. */
const MAX_KNOWN = 10_000;

/**
 * The directories below a root: made where they are missing, and never a link that leads out. Names
 * of clients hold no dot segments, so a link that somebody made is all that could.
 */
export class Directories {
  readonly #root: string;
  /** Without slashes at its end. */
  readonly #base: string;
  readonly #there: () => void;
  readonly #near: () => Nearby;
  /** Undefined: nobody waits for the disk. */
  readonly #syncs: DirectorySyncs | undefined;
  readonly #known = new Set<string>();
  /** Those whose own names are on their way to the disk. */
  readonly #fresh = new Map<string, Promise<void>>();
  /** The root as the kernel calls it, when it was last asked. */
  #real: string | undefined;

  /** `there` throws when the root is not there. */
  constructor(
    root: string,
    there: () => void,
    near: () => Nearby,
    syncs: DirectorySyncs | undefined,
  ) {
    this.#root = root;
    this.#base = root.replace(/\/+$/, "");
    this.#there = there;
    this.#near = near;
    this.#syncs = syncs;
  }

  /** The path of what is at `at`, which begins with a slash. */
  pathOf(at: string): string {
    return this.#base + at;
  }

  /** Make directory `at`, and those above it; its path. `sync` it before anything in it is said to be kept. */
  async make(at: string): Promise<string> {
    const path = this.#base + at;
    if (this.#known.has(path)) return path;
    if (at === "/") this.#there();
    else {
      const above = await this.make(dirname(at));
      if (await this.#make(at, path)) this.#sync(path, above);
    }
    this.#remember(path);
    return path;
  }

  /** The names in directory `path`, and its own, are on disk when it resolves. */
  async sync(path: string): Promise<void> {
    if (this.#syncs === undefined) return;
    const fresh = this.#fresh.get(path);
    const synced = this.#syncs.sync(path);
    if (fresh === undefined) return synced;
    await Promise.all([fresh, synced]);
  }

  /** True: it was not there. */
  async #make(at: string, path: string): Promise<boolean> {
    const near = this.#near();
    try {
      await near.either(
        () => mkdirSync(path),
        () => mkdir(path),
      );
      return true;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const there = await near.either(
      () => lstatSync(path),
      () => lstat(path),
    );
    if (!there.isDirectory()) throw notDirectory(at);
    return false;
  }

  /** Have the name of `path` on disk, in `above`, and that one's name too. */
  #sync(path: string, above: string): void {
    if (this.#syncs === undefined) return;
    const kept = this.sync(above);
    this.#fresh.set(path, kept);
    kept.then(
      () => void this.#fresh.delete(path),
      () => {
        // Whoever waited has heard; whoever comes next tries again.
        this.#fresh.delete(path);
        this.#known.delete(path);
      },
    );
  }

  /** Directories may have been removed behind our back: they are looked for again. */
  forget(): void {
    this.#known.clear();
  }

  /** The path of what is at `at`. Rejects with ELOOP when a directory on the way to it is a link. */
  async within(at: string): Promise<string> {
    const path = this.#base + at;
    const directory = above(path);
    if (this.#known.has(directory)) return path;
    const near = this.#near().now(() => this.check(at));
    if (near !== undefined) return near;
    this.#enter(at, directory, await realpath(this.#root), await realpath(directory));
    return path;
  }

  /** As `within`, in this thread. */
  check(at: string): string {
    const path = this.#base + at;
    const directory = above(path);
    if (this.#known.has(directory)) return path;
    const real = realpathSync(directory);
    // Asked again when it seems to be another one: the root may be a link that leads elsewhere now.
    if (this.#real === undefined || real !== below(this.#real, at))
      this.#real = realpathSync(this.#root);
    this.#enter(at, directory, this.#real, real);
    return path;
  }

  #enter(at: string, directory: string, root: string, real: string): void {
    if (real !== below(root, at))
      throw Object.assign(new Error(`${at} leads elsewhere`), { code: "ELOOP" });
    this.#remember(directory);
  }

  #remember(directory: string): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(directory);
  }
}

/** The directory of `path`. */
function above(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The directory of `at`, below `root`. */
function below(root: string, at: string): string {
  return join(root, dirname(at)).replace(/(.)\/$/, "$1");
}

function notDirectory(at: string): Error {
  return Object.assign(new Error(at), { code: "ENOTDIR" });
}
