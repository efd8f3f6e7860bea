import { plain } from "../../../net/dav/answers.ts";
import { isFull, StoreBusy } from "../../../net/dav/store.ts";
import { isBusy } from "../../../sys/shared-database.ts";
/** Errors of the file system and the store as HTTP statuses. */
import type { HttpResponse } from "../../../wire/http/message.ts";

const STATUSES: Record<string, number> = {
  ENOSPC: 507,
  EDQUOT: 507,
  EFBIG: 413,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  ELOOP: 403,
  ENAMETOOLONG: 414,
  ENOENT: 409, // something on the way went away, or was never there
  ENOTDIR: 409,
  EISDIR: 409,
  EEXIST: 409,
  ENOTEMPTY: 409,
  EBUSY: 409, // a mount point, an image in use
  ETXTBSY: 409,
  EMLINK: 507,
  EMFILE: 503,
  ENFILE: 503,
};

const WORDS: Record<number, string> = {
  403: "The file system does not allow that.",
  409: "The path, or a collection on the way to it, is not what it would have to be.",
  413: "Larger than a file may be here.",
  414: "The name is longer than the file system takes.",
  503: "Too busy for that now.",
  507: "There is no room left for that.",
};

/** Seconds until another try makes sense. */
const RETRY = [["Retry-After", "1"]] as const;

/** Status of an error with an errno; undefined for what is our own fault. */
export function statusOfError(failed: unknown): number | undefined {
  if (failed instanceof StoreBusy || isBusy(failed)) return 503;
  if (isFull(failed)) return 507;
  const code = failed instanceof Error && "code" in failed ? failed.code : undefined;
  return typeof code === "string" ? STATUSES[code] : undefined;
}

/** The answer to an error. Throws it on when it is our own fault. */
export function answerError(failed: unknown): HttpResponse {
  const status = statusOfError(failed);
  if (status === undefined) throw failed;
  return plain(status, WORDS[status] ?? "", status === 503 ? RETRY : []);
}
