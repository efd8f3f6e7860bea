import { readFileSync } from "node:fs";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

/** The text of a file. Throws Error in words for the operator: `/etc/x.yaml: no such file`. */
export function readText(path: string): string {
  return readBytes(path).toString("utf8");
}

/** What is in a file. Throws as `readText` does. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`${path}: ${whyUnread(error)}`, { cause: error });
  }
}

/** Why a file could not be read, in words for the operator: `no such file`. */
export function whyUnread(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS[code] ?? (code || String(error));
}
