/** Files inside the executable: the page that greets a first start. */
import type { Entry, Opened, Origin } from "./origin.ts";

/** `files`: text by path. `since` is their Last-Modified, in milliseconds since 1970. */
export function builtin(files: Readonly<Record<string, string>>, since: number): Origin {
  const opened = new Map<string, Opened>();
  for (const [path, text] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(text);
    const identity = `builtin:${Bun.hash(bytes).toString(36)}`;
    opened.set(path, { kind: "bytes", bytes, size: bytes.length, mtimeMs: since, identity });
  }
  return {
    open: (path) => opened.get(path) ?? "missing",
    facts: (path) => opened.get(path),
    async list() {
      return [...opened].map(([path, file]): Entry => {
        return { name: path.slice(1), directory: false, size: file.size, mtimeMs: since };
      });
    },
    moved: () => false,
  };
}
