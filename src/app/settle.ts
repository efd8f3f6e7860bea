import { dropStartupPages } from "../sys/trim.ts";

/** By then a process has done what is only done at the start. */
const SETTLED_MS = 1500;

/** Give back the memory that starting took, once it is over. */
export function settle(): void {
  setTimeout(() => {
    Bun.gc(true);
    dropStartupPages();
  }, SETTLED_MS).unref();
}
