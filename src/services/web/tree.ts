/**
 * A directory tree as the outside may see it: URL paths in, real files out, and never one that
 * the site's policy on dotfiles and symbolic links forbids.
 */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { DotfilePolicy, SymlinkPolicy } from "./config.ts";

/** Why a path names nothing that may be seen. "missing": a directory on the way is not there. */
export type Refusal = "outside" | "hidden" | "denied" | "missing";

/** Files whose name starts so are the server's own (uploads not yet whole): never shown, whatever the policy. */
export const OWN_PREFIX = ".tern-";

/** A place in the tree. It may be empty: then `stats` is undefined. */
export interface Located {
  /** Real path of the directory it is in: no symbolic link on the way. */
  readonly directory: string;
  /** Last segment; "" for the root itself. */
  readonly name: string;
  /** `directory/name`. A symbolic link itself, where it is one: what unlink and rename work on. */
  readonly file: string;
  /** Real path of what is there, links followed; undefined when there is nothing. */
  readonly real: string | undefined;
  /** Of `real`. */
  readonly stats: Stats | undefined;
  /** `file` is a symbolic link. */
  readonly link: boolean;
  /** The URL path ended in "/". */
  readonly slash: boolean;
}

export interface TreePolicy {
  readonly dotfiles: DotfilePolicy;
  readonly symlinks: SymlinkPolicy;
}

/** HTTP status for a refusal. */
export function statusOf(refusal: Refusal): 403 | 404 {
  return refusal === "outside" || refusal === "denied" ? 403 : 404;
}

export class Tree {
  /** As configured, absolute; it may lead over symbolic links. */
  readonly root: string;
  readonly policy: TreePolicy;
  #real: string;

  /** Throws when `root` is not a directory. */
  constructor(root: string, policy: TreePolicy) {
    this.root = root;
    this.policy = policy;
    this.#real = realpathSync(root);
    if (!statSync(this.#real).isDirectory()) throw new Error(`${root} is not a directory`);
  }

  /** Real path of the root, as of the last `refresh`. */
  get realRoot(): string {
    return this.#real;
  }

  /** Look again where the root leads: it may be a link that a deployment turns. True when it moved. */
  refresh(): boolean {
    const real = resolved(this.root) ?? this.root;
    const moved = real !== this.#real;
    this.#real = real;
    return moved;
  }

  /** May the policy show this decoded path at all, whatever is on disk? */
  admits(path: string): Refusal | undefined {
    if (!path.includes("/.")) return undefined;
    for (const [at, segment] of path.split("/").entries()) {
      if (!segment.startsWith(".")) continue;
      if (segment.startsWith(OWN_PREFIX)) return "hidden";
      if (this.policy.dotfiles === "allow" || (at === 1 && segment === ".well-known")) continue;
      return this.policy.dotfiles === "deny" ? "denied" : "hidden";
    }
    return undefined;
  }

  /** Where a decoded path (no "..", no NUL, starts with "/") leads. */
  locate(path: string): Located | Refusal {
    const refused = this.admits(path);
    if (refused) return refused;
    const slash = path.length > 1 && path.endsWith("/");
    const lexical = this.lexical(path);
    if (lexical === this.#real) return this.#rootItself();

    const directory = resolved(dirname(lexical));
    if (directory === undefined) return "missing";
    const wayOut = this.refuses(dirname(lexical), directory);
    if (wayOut) return wayOut;
    const name = basename(lexical);
    const file = join(directory, name);
    const link = isLink(file);
    const real = resolved(file);
    const stats = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
    if (real === undefined || stats === undefined) {
      if (!isDirectory(directory)) return "missing";
      // A dangling link is no free place: writing through it would leave the tree unchecked.
      return link && this.policy.symlinks !== "follow"
        ? "outside"
        : { directory, name, file, real: undefined, stats: undefined, link, slash };
    }
    return this.refuses(file, real) ?? { directory, name, file, real, stats, link, slash };
  }

  /** The file path a decoded path spells, without looking at the disk. */
  lexical(path: string): string {
    const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
    return this.#real === "/" ? trimmed || "/" : this.#real + trimmed;
  }

  /** May `real` (links resolved) not be reached by the way `lexical` (spelled)? */
  refuses(lexical: string, real: string): "outside" | undefined {
    return real === lexical || this.#mayLead(lexical, real) ? undefined : "outside";
  }

  #mayLead(lexical: string, real: string): boolean {
    switch (this.policy.symlinks) {
      case "follow":
        return true;
      case "never":
        return false;
      case "beneath":
        return isBeneath(real, this.#real);
      case "owner":
        return this.#linksAreOwned(lexical);
    }
  }

  #rootItself(): Located | Refusal {
    const stats = statSync(this.#real, { throwIfNoEntry: false });
    if (!stats) return "missing";
    const directory = dirname(this.#real);
    const real = this.#real;
    return { directory, name: "", file: real, real, stats, link: false, slash: true };
  }

  /** Every link between the root and `lexical` belongs to the owner of what it leads to. */
  #linksAreOwned(lexical: string): boolean {
    for (let at = lexical; at.length > this.#real.length; at = dirname(at)) {
      const link = lstatSync(at, { throwIfNoEntry: false });
      if (!link?.isSymbolicLink()) continue;
      if (statSync(at, { throwIfNoEntry: false })?.uid !== link.uid) return false;
    }
    return true;
  }
}

/**
 * Real path of an open file. Asked of the descriptor, not of a name, so nobody can exchange a
 * directory for a link between the check and the opening. Undefined when /proc is not mounted.
 */
export function pathOfDescriptor(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function isBeneath(path: string, root: string): boolean {
  return path === root || path.startsWith(root === "/" ? "/" : `${root}/`);
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // missing, not a directory, a loop of links, too long, not ours to read
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    return false;
  }
}
