import { test } from "bun:test";

/**
 * `test` when this machine has `what`; otherwise a skipped test, and a line on stderr that says
 * what was not tried and why.
 */
export function needs(
  have: boolean,
  what: string,
): (story: string, run: () => void | Promise<void>, timeoutMs?: number) => void {
  return (story, run, timeoutMs) => {
    if (!have) process.stderr.write(`SKIPPED for want of ${what}: ${story}\n`);
    test.skipIf(!have)(story, run, timeoutMs);
  };
}

export const asRoot = needs(process.getuid?.() === 0, "root");
