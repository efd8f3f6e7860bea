import type { Readable } from "../copy-reader.ts";
/**
 * All stages as one tree of names. Files are where their stages say; a collection is there when
 * somebody made it, or when something is in it.
 */
import { lookUp } from "../expiry.ts";
import type { Trouble } from "../members/member.ts";
import type { Name } from "../names.ts";
import { type Opened, openToRead } from "../read.ts";
import type { Shelf } from "../shelf.ts";
import { type About, type May, put, remove } from "../write.ts";
import type { Written } from "../written.ts";
import { listed } from "./listed.ts";
import { Unsure } from "./unsure.ts";

/** One stage, or all of them: the newest that knows a name decides. */
export type View = number | "any";

/** A file that is there. */
export interface FileNode {
  readonly kind: "file";
  readonly path: string;
  readonly version: Readable;
  readonly shelf: Shelf;
  readonly name: Name;
}

/** A collection that is there. Its path has no slash at its end, but for the root. */
export interface CollectionNode {
  readonly kind: "collection";
  readonly path: string;
  /** When it was made, or something in it was changed; milliseconds since 1970. */
  readonly mtime: number;
}

export type Node = FileNode | CollectionNode;

/** Too few members have done what was asked of them. */
export class NotKept extends Error {
  override name = "NotKept";
  readonly trouble: Trouble;

  constructor(trouble: Trouble, why: string) {
    super(why);
    this.trouble = trouble;
  }
}

/** A collection that somebody made is a file of this name in it: kept, copied and deleted as any other. */
const MARKER = "_tern.collection";
/** Names looked up together; between two batches other requests have their turn. */
const BATCH = 64;

/** How names begin that only we may use: no dot in front, which servers of members may hide. */
const OWN = "_tern.";

/** Is it such a name, or within one? */
export function isReserved(path: string): boolean {
  return path.includes(`/${OWN}`);
}

export class Tree {
  /** Newest first. */
  readonly #shelves: readonly Shelf[];
  /** Where new files go. */
  readonly #current: number;

  constructor(shelves: readonly Shelf[], current: number) {
    this.#shelves = shelves.toSorted((a, b) => b.number - a.number);
    this.#current = current;
  }

  /** Is there such a stage? */
  has(view: View): boolean {
    return view === "any" || this.#shelves.some(({ number }) => number === view);
  }

  /** The file at `path`; undefined: there is none. Rejects with `Unsure`. */
  async file(view: View, path: string): Promise<FileNode | undefined> {
    for (const shelf of this.#in(view)) {
      const name = { stage: shelf.number, key: path, path };
      const found = await lookUp(shelf, name);
      if (found.kind === "unsure") throw new Unsure(found.why);
      if (found.kind === "absent") continue;
      const { version } = found;
      // Deleted: what older stages may have is older.
      return version.kind === "deleted" ? undefined : { kind: "file", path, version, shelf, name };
    }
    return undefined;
  }

  /** The file at `path`, with the bytes at `offsetOf(version)` ready: as `openToRead`. */
  async open(
    view: View,
    path: string,
    offsetOf: (version: Readable) => number | undefined,
  ): Promise<Opened> {
    for (const shelf of this.#in(view)) {
      const opened = await openToRead(shelf, { stage: shelf.number, key: path, path }, offsetOf);
      if (opened.kind !== "absent") return opened;
    }
    return { kind: "absent" };
  }

  /** The collection at `path`; the root is always there. */
  async collection(view: View, path: string): Promise<CollectionNode | undefined> {
    const marker = await this.file(view, markerIn(path));
    if (marker !== undefined) return { kind: "collection", path, mtime: marker.version.mtime };
    if (path === "/") return { kind: "collection", path, mtime: 0 }; // whatever is in it
    for await (const [first] of this.members(view, path)) {
      if (first === undefined) continue; // all of that batch has been deleted
      const mtime = first.kind === "file" ? first.version.mtime : first.mtime;
      return { kind: "collection", path, mtime };
    }
    return undefined;
  }

  /** Whatever is at `path`. */
  async node(view: View, path: string): Promise<Node | undefined> {
    const file = path === "/" ? undefined : await this.file(view, path);
    return file ?? this.collection(view, path);
  }

  /**
   * What is in the collection `path`, in batches in the order of S3: of bytes, a collection's name with
   * a slash behind it. `wanted` chooses by name, before anything is looked up.
   */
  async *members(
    view: View,
    path: string,
    wanted: (name: string, collection: boolean) => boolean = () => true,
  ): AsyncGenerator<readonly Node[], void> {
    const base = path === "/" ? "" : path;
    const names = (await listed(this.#in(view), path)).filter(
      ({ name, collection }) => !name.startsWith(OWN) && wanted(name, collection),
    );
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH).map(({ name, collection }) => {
        const of = `${base}/${name}`;
        return collection ? this.collection(view, of) : this.file(view, of);
      });
      yield (await Promise.all(batch)).filter((node) => node !== undefined);
    }
  }

  /** Keep `body` at `path`: where there is a file already, else in the stage for new ones. */
  async put(
    view: View,
    path: string,
    body: AsyncIterable<Uint8Array>,
    about: About,
    may: May,
  ): Promise<Written> {
    // With one stage there is nothing to choose.
    const there = this.#in(view).length > 1 ? await this.file(view, path) : undefined;
    const shelf = there?.shelf ?? this.#fresh(view);
    return put(shelf, { stage: shelf.number, key: path, path }, body, about, may);
  }

  /** Let the file be deleted. False: `may` has said no. */
  async remove({ shelf, name }: FileNode, may: May = () => true): Promise<boolean> {
    return isKept(await remove(shelf, name, may));
  }

  async makeCollection(view: View, path: string): Promise<void> {
    const about: About = { type: undefined, mtime: undefined };
    isKept(await this.put(view, markerIn(path), nothing(), about, () => true));
  }

  /** That it was made is forgotten: it is gone when nothing is in it. */
  async unmakeCollection(view: View, path: string): Promise<void> {
    const marker = await this.file(view, markerIn(path));
    if (marker !== undefined) await this.remove(marker);
  }

  #in(view: View): readonly Shelf[] {
    return view === "any" ? this.#shelves : this.#shelves.filter(({ number }) => number === view);
  }

  #fresh(view: View): Shelf {
    const number = view === "any" ? this.#current : view;
    const shelf = this.#shelves.find((one) => one.number === number);
    if (shelf === undefined) throw new Error(`there is no stage ${number}`); // its callers have looked
    return shelf;
  }
}

/** False: it was not allowed. Throws when too few have it. */
export function isKept(written: Written): boolean {
  if (written.kind === "too-few") throw new NotKept(written.trouble, written.why);
  return written.kind === "kept";
}

function markerIn(path: string): string {
  return `${path === "/" ? "" : path}/${MARKER}`;
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
