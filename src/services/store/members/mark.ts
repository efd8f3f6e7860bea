/**
 * How a directory is told from the empty mount point of a disk that is not there: by a file in it,
 * written when it was first used, and a note of it in the state directory.
 */
import { lstatSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { openDurable, replaceFile } from "../../../sys/durable.ts";
import { MemberError } from "./member.ts";

/** No dot in front: people should see it, and not take it for rubbish. */
const FILE = "_tern.member";
const MODE = 0o644;

export class Mark {
  readonly #root: string;
  readonly #note: string;
  #known: string | undefined;
  /** The file when it was last read: as long as it is this one, it says the same. */
  #seen: string | undefined;

  /** `note`: the path of what is remembered of the directory `root`, for all processes. */
  constructor(root: string, note: string) {
    this.#root = root;
    this.#note = note;
    this.#known = read(note);
  }

  /**
   * Throws "away" when this is not the directory it was, and node:fs's errors. In this thread: to be
   * called when the disk has just answered.
   */
  check(): void {
    if (this.#known === undefined) {
      statSync(this.#root);
      return;
    }
    const there = lstatSync(this.#path, { throwIfNoEntry: false });
    if (there === undefined) {
      statSync(this.#root);
      throw new MemberError(
        "away",
        `${this.#root}: its ${FILE} is gone: it is not mounted, or was wiped (then: tern store replace)`,
      );
    }
    const seen = `${there.dev} ${there.ino} ${there.mtimeMs} ${there.ctimeMs}`;
    if (seen === this.#seen) return;
    const mark = read(this.#path);
    // Another process of ours may have been told to take this one.
    if (mark !== this.#known) this.#known = read(this.#note);
    if (mark !== this.#known)
      throw new MemberError(
        "away",
        `${this.#root}: this is another disk than it was (when it is to be: tern store replace)`,
      );
    this.#seen = seen;
  }

  /** Remember the directory as it is, marked from now on, unless one is remembered. Rejects with node:fs's errors. */
  async take(): Promise<void> {
    this.#known ??= read(this.#note);
    if (this.#known === undefined) await this.renew();
  }

  /** The directory as it is now is the right one: somebody has wiped it, or put another in its place. */
  async renew(): Promise<void> {
    const fresh = this.#known ?? `${crypto.randomUUID()}\n`;
    const mark = read(this.#path) ?? (await this.#write(fresh));
    mkdirSync(dirname(this.#note), { recursive: true, mode: 0o700 });
    await replaceFile(this.#note, mark);
    this.#known = mark;
    this.#seen = undefined;
  }

  /** The mark that is there then: who was first has written it. */
  async #write(mark: string): Promise<string> {
    await using file = await openDurable(this.#path, MODE);
    await file.write(new TextEncoder().encode(mark));
    const written = await file.commit("new");
    return written === "done" ? mark : readFileSync(this.#path, "utf8");
  }

  get #path(): string {
    return join(this.#root, FILE);
  }
}

/** Undefined when there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
