/** What clients call a file, and where it is on a member. */
import { createHash } from "node:crypto";

/** A file of a stage. */
export interface Name {
  /** Number of its stage. */
  readonly stage: number;
  /** What is hashed: the path, or with `raw_paths` the target as it was sent. Begins with "/". */
  readonly key: string;
  /** Decoded, without dot segments; begins with "/" and does not end with it. */
  readonly path: string;
}

/**
 * Where it is on every member that has a copy: paths from the member's root, decoded. The data are
 * where 3fsd had them, as they are; what we know of them is in a tree of its own, by the hash of
 * the key, so that no name of a client's can meet it.
 */
export interface Places {
  readonly data: string;
  readonly record: string;
  /** The directory for what is not whole yet. */
  readonly temporary: string;
  /**
   * Where an old 3fsd had them. Elsewhere than `data` for raw names that servers decode to one and
   * the same file.
   */
  readonly bare: string;
}

/** Digits of the hash that are a directory of records: 4096 of them, the partitions of repair. */
const PARTITION_DIGITS = 3;
/** Digits that tell raw names of one path apart. */
const RAW_DIGITS = 16;

/** The places of one prefix. */
export class Layout {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The directory with the files of a stage. */
  data(stage: number): string {
    return `/${this.#prefix}_${stage}`;
  }

  /** The directory with their records, by partition. */
  records(stage: number): string {
    return `${this.data(stage)}.records`;
  }

  /** The directory for what is not whole yet. */
  temporary(stage: number): string {
    return `${this.data(stage)}.new`;
  }

  places({ stage, key, path }: Name): Places {
    const hash = createHash("sha256").update(key).digest("hex");
    const bare = this.data(stage) + path;
    const partition = hash.slice(0, PARTITION_DIGITS);
    const usual = key === path || key === encoded(path);
    return {
      data: usual ? bare : `${bare}?${hash.slice(0, RAW_DIGITS)}`,
      record: `${this.records(stage)}/${partition}/${hash}`,
      temporary: this.temporary(stage),
      bare,
    };
  }
}

/** As a client sends it that escapes no more than it has to. */
function encoded(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** What a target asks for: a stage and a path, or a path of whatever stage has it. */
export interface Asked {
  /** "any": the name has no stage. */
  readonly stage: number | "any";
  readonly key: string;
  readonly path: string;
}

/** Digits of a stage's number; nobody counts further. */
const STAGE = /^\d{1,9}$/;

/**
 * Read the path of a request, decoded, and what was sent as its target. "bad": it begins like a
 * name with a stage, and the stage is no number. `raw`: hash what was sent, with its query.
 */
export function readName(
  request: { readonly path: string; readonly target: string },
  prefix: string,
  raw: boolean,
): Asked | "bad" {
  const start = `/${prefix}_`;
  const { path, target } = request;
  const keyed = (own: string, sent: string) => ({ key: raw ? sent : own, path: own });
  if (!path.startsWith(start)) return { stage: "any", ...keyed(path, withoutAuthority(target)) };
  const end = path.indexOf("/", start.length);
  const stage = path.slice(start.length, end < 0 ? undefined : end);
  if (end < 0 || !STAGE.test(stage)) return "bad";
  const sent = withoutAuthority(target);
  // Written otherwise than it is meant (`/%5f3fs_0/a`): then there is no raw form of the rest.
  const head = `${start}${stage}`;
  const rest = sent.startsWith(`${head}/`) ? sent.slice(head.length) : path.slice(end);
  return { stage: Number(stage), ...keyed(path.slice(end), rest) };
}

/** `http://host/a` as `/a` (RFC 9112, 3.2.2). */
function withoutAuthority(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, "") || "/";
}
