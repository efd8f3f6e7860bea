import { open } from "node:fs/promises";
import { basename } from "node:path";

/** What is sent: a file, or a pipe. */
export interface Source extends AsyncDisposable {
  readonly name: string;
  /** Undefined for a pipe: nobody knows, and it can be read once only. */
  readonly size: number | undefined;
  /** Bytes from `at` on into `into`: how many; 0 at the end. A pipe gives what is next. */
  read(into: Uint8Array, at: number): Promise<number>;
}

/** A file, or whatever has a path. Throws what open(2) says. */
export async function fileSource(path: string, name = basename(path)): Promise<Source> {
  const file = await open(path, "r");
  const stat = await file.stat();
  if (stat.isDirectory()) {
    await file.close();
    throw new Error(`${path} is a directory`);
  }
  const size = stat.isFile() ? stat.size : undefined;
  return {
    name,
    size,
    read: async (into, at) => {
      const where = size === undefined ? null : at;
      return (await file.read(into, 0, into.length, where)).bytesRead;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A pipe, read by `read`: how many bytes; 0 at the end. */
export function pipeSource(name: string, read: (into: Uint8Array) => Promise<number>): Source {
  return { name, size: undefined, read, [Symbol.asyncDispose]: async () => {} };
}
