/** Media types by file name. */
import { mimes } from "mrmime";

/** What nothing is known about (RFC 9110, 8.3; RFC 2046, 4.5.1). */
export const UNKNOWN_TYPE = "application/octet-stream";

/** Types in common use that the list of registered ones leaves out. */
const MORE: Readonly<Record<string, string>> = {
  "7z": "application/x-7z-compressed",
  apk: "application/vnd.android.package-archive",
  bz2: "application/x-bzip2",
  flac: "audio/flac",
  ico: "image/x-icon",
  m3u8: "application/vnd.apple.mpegurl",
  mkv: "video/x-matroska",
  opus: "audio/ogg",
  rar: "application/vnd.rar",
  rpm: "application/x-rpm",
  tar: "application/x-tar",
  ts: "video/mp2t",
  xz: "application/x-xz",
  zst: "application/zstd", // RFC 8878
};

/**
 * The Content-Type for a file name or path. `overrides` is by lower-case extension without the
 * dot, and wins; its types are taken as they are written. Text that says no charset is UTF-8.
 */
export function typeOf(name: string, overrides: Readonly<Record<string, string>>): string {
  const extension = extensionOf(name);
  const type = own(overrides, extension) ?? own(MORE, extension) ?? own(mimes, extension);
  if (type === undefined) return UNKNOWN_TYPE;
  return type.startsWith("text/") && !type.includes(";") ? `${type}; charset=utf-8` : type;
}

/** Lower case, without the dot; "" when the last segment of the path has none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= name.lastIndexOf("/") ? "" : name.slice(dot + 1).toLowerCase();
}

/** A file may be called `x.constructor`. */
function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
