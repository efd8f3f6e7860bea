import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";

/** Where a file is received to. */
export interface Sink extends AsyncDisposable {
  /** Bytes that are there from an earlier time. */
  readonly have: number;
  /** Hash them: hexadecimal SHA-256. */
  hashed(): Promise<string>;
  /** From here on: `have`, or 0 and what was there is forgotten. */
  begin(from: number): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** SHA-256 of all that is in it now. */
  digest(): string;
  /** It is whole: it gets its name. */
  keep(): Promise<void>;
  /** It is not what was sent: forget it. */
  discard(): Promise<void>;
}

const PIECE = 1024 * 1024;

/**
 * `path`, written under the name `path.part` until it is whole. What an earlier attempt left there
 * is gone on with, if `resume`. Without `verifies` nobody will ask for a hash, which costs more than
 * all the rest.
 */
export async function fileSink(path: string, resume: boolean, verifies = true): Promise<Sink> {
  const part = `${path}.part`;
  const have = resume ? await sizeOf(part) : 0;
  const file: FileHandle = await open(part, have > 0 ? "r+" : "w+");
  let hash = new Bun.CryptoHasher("sha256");
  let at = 0;
  return {
    have,
    hashed: async () => {
      const piece = new Uint8Array(PIECE);
      for (at = 0; at < have;) {
        const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, have - at), at);
        if (bytesRead === 0) break;
        hash.update(piece.subarray(0, bytesRead));
        at += bytesRead;
      }
      return hash.copy().digest("hex");
    },
    begin: async (from) => {
      if (from === at && from === have) return;
      await file.truncate(0);
      hash = new Bun.CryptoHasher("sha256");
      at = 0;
    },
    write: async (bytes) => {
      if (verifies) hash.update(bytes);
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    },
    digest: () => hash.copy().digest("hex"),
    keep: async () => {
      await file.datasync();
      await rename(part, path);
    },
    discard: () => rm(part, { force: true }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Standard output, or whatever takes bytes: nothing is ever there from before. */
export function pipeSink(take: (bytes: Uint8Array) => Promise<void>): Sink {
  const hash = new Bun.CryptoHasher("sha256");
  return {
    have: 0,
    hashed: async () => hash.copy().digest("hex"),
    begin: async () => {},
    write: async (bytes) => {
      hash.update(bytes);
      await take(bytes);
    },
    digest: () => hash.copy().digest("hex"),
    keep: async () => {},
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
