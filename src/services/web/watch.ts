/**
 * Tells shelves of changes on disk as they happen, by inotify(7). Only directories that have
 * files on a shelf are watched, and those above them, up to the root. What it does not see
 * (targets of symbolic links, other machines on a network file system, writes through mmap) is
 * seen when the shelf looks by itself, after its ttl.
 */
import type { Reactor } from "../../net/reactor.ts";
import { READABLE } from "../../net/reactor.ts";
import type { Log } from "../../observe/log.ts";
import { SysError } from "../../sys/errno.ts";
import { type Event, IN, Inotify } from "../../sys/inotify.ts";
import { type Shelf, SIDECAR, type Watcher } from "./shelf.ts";

const CHANGES =
  IN.MODIFY | IN.ATTRIB | IN.CLOSE_WRITE | IN.MOVED_FROM | IN.MOVED_TO | IN.CREATE | IN.DELETE;
const GONE = IN.DELETE_SELF | IN.MOVE_SELF | IN.UNMOUNT;
const MASK = CHANGES | IN.DELETE_SELF | IN.MOVE_SELF | IN.ONLYDIR;
/** Names that come or go, rather than content that changes. */
const NAMES = IN.CREATE | IN.DELETE | IN.MOVED_FROM | IN.MOVED_TO;

/** A directory of one site, by its URL path. */
interface Watched {
  readonly watcher: SiteWatcher;
  readonly directory: string;
}

/** One inotify instance for all sites of a process: the kernel grants a user 128 of them. */
export class Watch {
  readonly #inotify: Inotify;
  readonly #reactor: Reactor;
  readonly #log: Log;
  readonly #byNumber = new Map<number, Set<Watched>>();
  readonly #sites: SiteWatcher[] = [];
  #full = false;

  private constructor(inotify: Inotify, reactor: Reactor, log: Log) {
    this.#inotify = inotify;
    this.#reactor = reactor;
    this.#log = log;
    reactor.add(inotify.fd, READABLE, () => this.#drain());
  }

  /** Undefined, and a line in the log, when the kernel grants no instance. */
  static open(reactor: Reactor, log: Log): Watch | undefined {
    try {
      return new Watch(new Inotify(), reactor, log);
    } catch (error) {
      log.warn("changes on disk are seen only after cache.ttl: no inotify", { error });
      return undefined;
    }
  }

  /** Tell `shelf`. `place` gives the directory on disk behind a URL path that ends in "/". */
  attach(
    shelf: Shelf,
    index: readonly string[],
    place: (directory: string) => string | undefined,
  ): void {
    const watcher = new SiteWatcher(this, shelf, index, place);
    this.#sites.push(watcher);
    shelf.watch(watcher);
  }

  /** Directories watched. */
  get size(): number {
    return this.#byNumber.size;
  }

  close(): void {
    this.#reactor.remove(this.#inotify.fd);
    this.#inotify.close();
    this.#byNumber.clear();
  }

  /** The number of a watch on `path`, or undefined when there can be none. */
  add(path: string, watched: Watched): number | undefined {
    try {
      const wd = this.#inotify.watch(path, MASK);
      const others = this.#byNumber.get(wd);
      if (others) others.add(watched);
      else this.#byNumber.set(wd, new Set([watched]));
      return wd;
    } catch (error) {
      if (error instanceof SysError && error.code === "ENOSPC" && !this.#full) {
        this.#full = true;
        this.#log.warn("no more directories can be watched: raise fs.inotify.max_user_watches", {
          path,
        });
      }
      return undefined;
    }
  }

  remove(wd: number, watched: Watched): void {
    const all = this.#byNumber.get(wd);
    all?.delete(watched);
    if (!all || all.size > 0) return;
    this.#byNumber.delete(wd);
    this.#inotify.unwatch(wd);
  }

  #drain(): void {
    for (let events = this.#inotify.read(); events.length > 0; events = this.#inotify.read())
      for (const event of events) this.#tell(event);
  }

  #tell(event: Event): void {
    if ((event.mask & IN.Q_OVERFLOW) !== 0) {
      for (const site of this.#sites) site.lost();
      return;
    }
    const all = this.#byNumber.get(event.wd);
    if (!all) return;
    if ((event.mask & IN.IGNORED) !== 0) this.#byNumber.delete(event.wd);
    // Telling may end watches, and so change the set.
    for (const { directory, watcher } of Array.from(all)) watcher.changed(directory, event);
  }
}

class SiteWatcher implements Watcher {
  readonly #watch: Watch;
  readonly #shelf: Shelf;
  readonly #index: readonly string[];
  readonly #place: (directory: string) => string | undefined;
  /** By URL path: how many files on the shelf are in or under it, and its watch. */
  readonly #directories = new Map<
    string,
    { files: number; wd: number | undefined; watched: Watched }
  >();

  constructor(
    watch: Watch,
    shelf: Shelf,
    index: readonly string[],
    place: (directory: string) => string | undefined,
  ) {
    this.#watch = watch;
    this.#shelf = shelf;
    this.#index = index;
    this.#place = place;
  }

  entered(directory: string): boolean {
    let fresh = false;
    for (const each of upwards(directory)) {
      const known = this.#directories.get(each);
      if (known) {
        known.files++;
        continue;
      }
      fresh = true;
      const watched = { watcher: this, directory: each };
      const path = this.#place(each);
      const wd = path === undefined ? undefined : this.#watch.add(path, watched);
      this.#directories.set(each, { files: 1, wd, watched });
    }
    return fresh;
  }

  left(directory: string): void {
    for (const each of upwards(directory)) {
      const known = this.#directories.get(each);
      if (!known || --known.files > 0) continue;
      this.#directories.delete(each);
      if (known.wd !== undefined) this.#watch.remove(known.wd, known.watched);
    }
  }

  /** Events were lost. */
  lost(): void {
    this.#shelf.clear();
  }

  changed(directory: string, { mask, name }: Event): void {
    if ((mask & GONE) !== 0) this.#shelf.forgetUnder(directory);
    if (name === "") return;
    const path = directory + name;
    this.#shelf.forget(path);
    // A directory, or a symbolic link to one: the kernel does not tell the latter apart.
    if (this.#directories.has(`${path}/`)) this.#shelf.forgetUnder(`${path}/`);
    for (const suffix of Object.values(SIDECAR))
      if (name.endsWith(suffix)) this.#shelf.forget(path.slice(0, -suffix.length));
    // A new index.html takes precedence over the index.htm that was sent so far.
    if ((mask & NAMES) !== 0 && this.#index.includes(name))
      for (const other of this.#index) this.#shelf.forget(directory + other);
  }
}

/** "/a/b/", "/a/", "/" */
function* upwards(directory: string): Generator<string> {
  for (let at = directory; ; at = at.slice(0, at.lastIndexOf("/", at.length - 2) + 1)) {
    yield at;
    if (at === "/") return;
  }
}
