/**
 * Somewhere that bytes are kept under paths: a directory, or a server. It knows nothing of copies
 * and versions. Paths begin with "/", are decoded and hold no dot segments. Everything rejects with
 * a `MemberError` when it cannot be done.
 */
export interface Member {
  /** Its id in its stage. */
  readonly id: string;
  /** Where it is, for people: `/mnt/disk3`, `http://10.0.0.2:8080`. */
  readonly where: string;
  /**
   * Begin a file. It has a name under `temporary`, a directory, until it is given its own. `size`: bytes
   * it is going to have, where that is known.
   */
  put(temporary: string, size?: number): Promise<Upload>;
  /**
   * Put few bytes at `at` at once, whole, in place of what is there; before, they may have a name
   * under `temporary`, a directory. On disk when it resolves.
   */
  replace(at: string, bytes: Uint8Array, temporary: string): Promise<void>;
  /** What is there; undefined when nothing is. Without reading it. */
  facts(at: string, signal?: AbortSignal): Promise<Facts | undefined>;
  /** Read bytes [from, to) of what is there; `to` may lie behind its end. Undefined: nothing is there. */
  read(at: string, from: number, to: number, signal?: AbortSignal): Promise<Reading | undefined>;
  /** Nothing is there when it resolves. */
  remove(at: string): Promise<void>;
  /** What is in the directory `at`, in any order. Empty when there is none. */
  list(at: string): Promise<readonly Item[]>;
  /** The same without their facts, where that is less work. */
  names?(at: string): Promise<readonly Entry[]>;
  /** It is there, and does what it is asked. */
  probe(): Promise<void>;
  /** Room on it, in bytes; undefined where nobody can say. */
  space(): Promise<{ readonly free: number; readonly total: number } | undefined>;
  /** What is there now is all it has: somebody has wiped it, or put another in its place. */
  renew?(): Promise<void>;
  /** Give up what it holds open. */
  close(): void;
  /** How to read it without waiting, where that can be. */
  readonly near?: Near | undefined;
}

/** Reading in the thread itself. Undefined says nothing: it is to be asked in the usual way. */
export interface Near {
  /** What `read` would say of what is there, without reading it. */
  mark(at: string): string | undefined;
  /** All that is at `at`, when it is no longer than `most` bytes. */
  read(at: string, most: number): Glimpse | "absent" | undefined;
}

export interface Glimpse {
  /** Another one for other bytes, but for changes in one tick of the file system's clock. */
  readonly mark: string;
  /** The caller's. */
  readonly bytes: Uint8Array;
}

export interface Facts {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
}

export interface Entry {
  /** The last segment, decoded. */
  readonly name: string;
  readonly directory: boolean;
}

/** The same, and what can be seen of it. */
export interface Item extends Entry, Facts {}

/** Bytes as they come. Close it, at its end too. */
export interface Reading extends Facts {
  /** Undefined at the end. The bytes are the caller's, and in `room` where the member can. */
  next(room?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): void;
}

/** A file that is being written. Exactly one of `place` and `abort` ends it. */
export interface Upload {
  /** Resolves when there is room for more. `bytes` must not be changed afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * That was all: it is there, whole, under its temporary name when this resolves. Small ones may
   * still be on their way to the disk; then `place` waits for that, and tells when it fails.
   */
  finish(): Promise<void>;
  /** In place of what is at `at`, at once. */
  place(at: string): Promise<void>;
  /** It is gone, as if it had never been. Never rejects. */
  abort(): Promise<void>;
}

/** What is the matter: of the member as a whole, or of this one request. */
export type Trouble =
  /** It cannot be reached, is silent, or broke off. */
  | "away"
  /** It has no room left. */
  | "full"
  /** It may have room, and that is not for this: a quota of ours. */
  | "quota"
  /** It will not do this: no permission, read-only, a name it cannot have. */
  | "refused"
  /** The name is longer than it can keep. */
  | "too-long"
  /** A directory is where a file would have to be, or the other way round. */
  | "conflict"
  /** It failed in another way. */
  | "failed";

/** A member could not do what was asked of it. */
export class MemberError extends Error {
  override name = "MemberError";
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}

/** Longest silence of a member that is given something to do. Milliseconds. */
export const STALL_MS = 5000;

/** What `promise` gives, or "away" when that takes longer than `ms`: nobody waits for it any more. */
export async function within<T>(promise: Promise<T>, what: string, ms = STALL_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new MemberError("away", `${what}: silent for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
