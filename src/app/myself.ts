/** Prefix of the program's files inside a compiled executable. */
const INSIDE = "/$bunfs/";

/** Taken at the start: once the file is replaced, the kernel calls the old one "PATH (deleted)". */
const STARTED_AS = process.execPath;

/**
 * The command that runs this very program again with other arguments. By its inode: when the
 * operator has put a new binary in place, a worker started now must still be of our version.
 */
export function thisProgram(...args: string[]): string[] {
  return Bun.main.startsWith(INSIDE)
    ? ["/proc/self/exe", ...args]
    : ["/proc/self/exe", Bun.main, ...args];
}

/** The command for whatever is at our path now (a new version), or at another path. */
export function programAt(path: string | undefined, ...args: string[]): string[] {
  if (path !== undefined) return [path, ...args];
  return Bun.main.startsWith(INSIDE) ? [STARTED_AS, ...args] : [STARTED_AS, Bun.main, ...args];
}
