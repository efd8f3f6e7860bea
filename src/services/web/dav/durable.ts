/** Making changes of names outlive a power failure. */
import { open } from "node:fs/promises";

/** fsync a directory: the names in it are on disk then. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
