import { readFile, stat } from "node:fs/promises";

import type { Log } from "../../observe/log.ts";
import { CertificateError, type Pair, readPair } from "./certificate.ts";

/** Paths of a chain and its key. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

/** Certificates from files, read again when a file changes. */
export class CertificateFiles {
  #entries: Entry[];

  private constructor(entries: Entry[]) {
    this.#entries = entries;
  }

  /** Throws CertificateError, naming the file, when one cannot be served. */
  static async open(files: readonly PairFiles[]): Promise<CertificateFiles> {
    return new CertificateFiles(
      await Promise.all(
        files.map(async (file) => ({ file, mark: await markOf(file), pair: await read(file) })),
      ),
    );
  }

  get pairs(): readonly Pair[] {
    return this.#entries.map((e) => e.pair);
  }

  /**
   * Read what changed; true when there is something new to serve. A pair that cannot be served
   * (a new certificate whose key is still to come) leaves the one before in place.
   */
  async refresh(log: Log): Promise<boolean> {
    let changed = false;
    for (const entry of this.#entries) {
      const mark = await markOf(entry.file);
      if (mark === entry.mark) continue;
      entry.mark = mark;
      try {
        entry.pair = await read(entry.file);
        changed = true;
        log.info("certificate read again", { cert: entry.file.cert });
      } catch (error) {
        log.warn("changed certificate not used; the one before stays", { error });
      }
    }
    return changed;
  }
}

interface Entry {
  readonly file: PairFiles;
  /** Differs when either file does. */
  mark: string;
  pair: Pair;
}

async function read(file: PairFiles): Promise<Pair> {
  const text = async (path: string): Promise<string> =>
    readFile(path, "utf8").catch((cause: Error) => {
      throw new CertificateError(`${path}: ${cause.message}`, { cause });
    });
  const [cert, key] = [await text(file.cert), await text(file.key)];
  try {
    return readPair(cert, key);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new CertificateError(`${file.cert} with ${file.key}: ${cause.message}`, { cause });
  }
}

async function markOf(file: PairFiles): Promise<string> {
  const marks = [file.cert, file.key].map((path) =>
    stat(path).then(
      (s) => `${s.ino} ${s.size} ${s.mtimeMs}`,
      () => "gone",
    ),
  );
  return (await Promise.all(marks)).join(", ");
}
