/** What a bucket says is in a folder, page by page (ListObjectsV2), until there is no more. */
import { childrenOf, childText, parseS3 } from "../../../wire/s3/xml.ts";
import type { Item } from "../members/member.ts";

/** Pages in a row that bring nothing new: what was removed may leave some, a list in circles has no others. */
const IDLE_PAGES = 100;

export class BucketList {
  readonly #prefix: string;
  /** By key, decoded; a folder's ends in a slash. */
  readonly #items = new Map<string, Item>();
  #idle = 0;

  /** `prefix`: what every key begins with; "" or ending in a slash. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What is in it, but for an object that stands for the folder itself. */
  get items(): Item[] {
    return [...this.#items.values()].filter(({ name }) => name !== "");
  }

  /**
   * Take the next page, as the bucket sent it. The token of the one behind it; undefined: this was the last.
   * Throws Error, which says why, when this is no page, or the list would have no end.
   */
  add(page: Uint8Array): string | undefined {
    const read = parseS3(page, "ListBucketResult");
    if (read === undefined) throw new Error("no list of S3");
    const before = this.#items.size;
    for (const one of childrenOf(read, "Contents"))
      this.#put(childText(one, "Key"), {
        directory: false,
        size: Number(childText(one, "Size")),
        mtime: Date.parse(childText(one, "LastModified") ?? "") || 0,
      });
    for (const one of childrenOf(read, "CommonPrefixes"))
      this.#put(childText(one, "Prefix"), { directory: true, size: 0, mtime: 0 });
    if (childText(read, "IsTruncated") !== "true") return undefined;
    const next = childText(read, "NextContinuationToken");
    if (next === undefined) throw new Error("a list that goes on, and does not say where");
    this.#idle = this.#items.size > before ? 0 : this.#idle + 1;
    if (this.#idle > IDLE_PAGES) throw new Error("a list that goes on, with nothing new in it");
    return next;
  }

  #put(coded: string | undefined, about: Omit<Item, "name">): void {
    const key = decoded(coded ?? "");
    const name = key.slice(this.#prefix.length);
    this.#items.set(key, { name: about.directory ? name.replace(/\/$/, "") : name, ...about });
  }
}

/** As `encoding-type=url` writes keys. */
function decoded(coded: string): string {
  try {
    return decodeURIComponent(coded.replaceAll("+", " "));
  } catch {
    throw new Error(`a list with a key that is not coded as it says: ${coded}`);
  }
}
