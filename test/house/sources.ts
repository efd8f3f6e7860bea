import { dirname, join, relative } from "node:path";

/** The repository, absolute, without a slash at its end. */
export const ROOT = join(import.meta.dir, "../..");

/** A file of `src/`, with its path from there. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** As written: packages, and relative paths. */
  readonly imports: readonly string[];
}

const IMPORT = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

export async function sources(): Promise<Source[]> {
  const paths = await Array.fromAsync(new Bun.Glob("**/*.{ts,tsx}").scan(join(ROOT, "src")));
  return Promise.all(
    paths.sort().map(async (path) => {
      const text = await Bun.file(join(ROOT, "src", path)).text();
      return { path, text, imports: Array.from(text.matchAll(IMPORT), ([, name = ""]) => name) };
    }),
  );
}

/** Where a relative import of a source leads, from `src/`; `../` leaves it. */
export function target(source: Source, path: string): string {
  return relative(join(ROOT, "src"), join(ROOT, "src", dirname(source.path), path));
}
