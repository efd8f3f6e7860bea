/** What S3 remembers of an object beside its bytes. */
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { Version } from "../record.ts";

type Meta = Readonly<Record<string, string>>;

/** Fields that are told again as they came. */
const FIELDS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];
const OWN = "x-amz-meta-";

/** What a request says of an object it brings. */
export function readMetadata({ headers }: Pick<HttpRequest, "headers">): Meta {
  const meta: Record<string, string> = {};
  headers.forEach((value, name) => {
    const lower = name.toLowerCase();
    if (lower.startsWith(OWN) || FIELDS.includes(lower)) meta[lower] = value;
  });
  const coding = meta["content-encoding"];
  if (coding === undefined) return meta;
  // That coding is of the upload, and not of the object.
  const rest = coding
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "aws-chunked");
  if (rest.length === 0) delete meta["content-encoding"];
  else meta["content-encoding"] = rest.join(", ");
  return meta;
}

/** The fields of an answer. */
export function metadataFields(version: Version): HttpResponse["headers"] {
  if (version.kind !== "file" || version.meta === undefined) return [];
  return Object.entries(version.meta).filter(
    ([name]) => name.startsWith(OWN) || FIELDS.includes(name),
  );
}

/** When rclone says that a file was changed; milliseconds since 1970. */
export function clientTimeOf(meta: Meta): number | undefined {
  const seconds = Number.parseFloat(meta[`${OWN}mtime`] ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? Math.floor(seconds * 1000) : undefined;
}
