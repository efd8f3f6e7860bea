import { mkdirSync } from "node:fs";

/** A file system of its own, in memory, gone at the end of the scope; root only. */
export interface SmallDisk extends Disposable {
  /** From now on it can be read only, or written as well. */
  readOnly(only: boolean): void;
}

/** So many bytes at `path`, over what is there. Throws where nothing can be mounted. */
export function smallDisk(path: string, bytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=777`, "tern-test", path);
  return {
    readOnly: (only) => run("mount", "-o", `remount,${only ? "ro" : "rw"}`, path),
    [Symbol.dispose]: () => run("umount", "-l", path),
  };
}

function run(...command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
}
