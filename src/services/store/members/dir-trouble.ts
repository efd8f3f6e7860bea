/** Errors of file systems in the words of members. */
import { MemberError, type Trouble } from "./member.ts";

const TROUBLES: Readonly<Record<string, Trouble>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "refused",
  EACCES: "refused",
  EPERM: "refused",
  ELOOP: "refused",
  ENAMETOOLONG: "too-long",
  EISDIR: "conflict",
  ENOTDIR: "conflict",
  ENOTEMPTY: "conflict",
};

/** What the system said, as a `MemberError`; anything else as it is. `where` is the member's root. */
export function inWords(where: string, what: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof MemberError || code === undefined) return error;
  const trouble = isMissing(error) ? "away" : (TROUBLES[code] ?? "failed");
  return new MemberError(trouble, `${where}: ${what}: ${code}`, { cause: error });
}

/** The name of an error of the system: `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Nothing is there. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
