import { join } from "node:path";

const SYS = join(import.meta.dir, "../../src/sys");

/** `const NAME = EXPRESSION;` at the top of a file, as the formatter lays it out. */
const DECLARATION = /^(?:export )?const (\w+) = ([^]*?);(?: *\/\/.*)?$/gm;
const TYPES = / as const(?: satisfies [^]*)?$/;

/**
 * The constants of `src/sys/FILE` as a machine of `arch` would compute them, private ones too: so
 * that what is compared with the C headers is what the product uses, not a copy of it. What needs
 * more than literals and earlier constants is left out.
 */
export async function constantsOf(file: string, arch: string): Promise<Map<string, unknown>> {
  const source = await Bun.file(join(SYS, file)).text();
  const found = new Map<string, unknown>();
  for (const [, name = "", expression = ""] of source.matchAll(DECLARATION)) {
    const scope = { process: { arch }, ...Object.fromEntries(found) };
    try {
      // oxlint-disable-next-line typescript/no-implied-eval -- our own source, and only in a test
      const evaluate = new Function(
        ...Object.keys(scope),
        `"use strict"; return (${expression.replace(TYPES, "")});`,
      );
      found.set(name, evaluate(...Object.values(scope)));
    } catch {} // calls into libc, or types in the middle
  }
  return found;
}
