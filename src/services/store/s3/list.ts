import type { HttpResponse } from "../../../wire/http/message.ts";
/** ListObjectsV2, ListObjects and ListObjectVersions. */
import { escapeText } from "../../../wire/s3/canonical.ts";
import { emitS3, type Members } from "../../../wire/s3/xml.ts";
import { etagOf } from "../answer.ts";
import { type Keyed, keys } from "../tree/keys.ts";
import type { FileNode, Tree } from "../tree/tree.ts";
import { Refusal, xml } from "./refusal.ts";

/** S3's own, and the most that is told at once. */
const MAX_KEYS = 1000;
/** Behind every key that begins as what it is appended to. */
const LAST = "\u{10FFFF}";

type Query = ReadonlyMap<string, string>;

interface Page {
  readonly files: readonly FileNode[];
  readonly folders: readonly string[];
  /** Where the next page begins; undefined: this was the last one. */
  readonly next: string | undefined;
}

/** `base` is the bucket's path. */
export async function listObjects(tree: Tree, base: string, query: Query): Promise<HttpResponse> {
  const second = query.get("list-type") === "2";
  const token = query.get("continuation-token");
  const start = second ? query.get("start-after") : query.get("marker");
  const after = token === undefined ? (start ?? "") : readToken(token);
  const page = await pageOf(tree, base, query, after);
  const { say, common } = told(base, query, page);
  const contents = page.files.map((file) => say(file, {}));
  const counted = { KeyCount: page.files.length + page.folders.length };
  const next = page.next;
  const members: Members = second
    ? {
        ...common,
        ...counted,
        StartAfter: query.get("start-after"),
        ContinuationToken: token,
        NextContinuationToken: next && Buffer.from(next).toString("base64url"),
        Contents: contents,
      }
    : {
        ...common,
        Marker: start ?? "",
        NextMarker: next?.replace(LAST, ""),
        Contents: contents,
      };
  return xml(200, emitS3("ListBucketResult", members));
}

/** There is one version of everything, called "null" as in a bucket that never had versions. */
export async function listVersions(tree: Tree, base: string, query: Query): Promise<HttpResponse> {
  const after = query.get("key-marker") ?? "";
  const page = await pageOf(tree, base, query, after);
  const { say, common } = told(base, query, page);
  const next = page.next?.replace(LAST, "");
  const members: Members = {
    ...common,
    KeyMarker: after,
    VersionIdMarker: query.get("version-id-marker") ?? "",
    NextKeyMarker: next,
    NextVersionIdMarker: next && "null",
    Version: page.files.map((file) => say(file, { VersionId: "null", IsLatest: true })),
  };
  return xml(200, emitS3("ListVersionsResult", members));
}

async function pageOf(tree: Tree, base: string, query: Query, after: string): Promise<Page> {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const asked = query.get("max-keys");
  const most = asked === undefined ? MAX_KEYS : Number(asked);
  if (!Number.isInteger(most) || most < 0) throw new Refusal("InvalidArgument");
  const limit = Math.min(most, MAX_KEYS);
  const files: FileNode[] = [];
  const folders: string[] = [];
  // A folder that was the last of a page: what is in it comes before the next one.
  const from =
    delimiter !== "" && after.startsWith(prefix) && after.endsWith(delimiter)
      ? after + LAST
      : after;
  let last: string | undefined;
  if (limit === 0) return { files, folders, next: undefined };
  for await (const one of folded(
    keys(tree, base, { prefix, after: from, fold: delimiter === "/" }),
    prefix,
    delimiter,
  )) {
    if (one.file === undefined && one.key === folders.at(-1)) continue;
    if (files.length + folders.length >= limit) return { files, folders, next: last };
    if (one.file === undefined) folders.push(one.key);
    else files.push(one.file);
    last = one.file === undefined ? one.key + LAST : one.key;
  }
  return { files, folders, next: undefined };
}

/** Keys by another delimiter than the slash, which the tree folds by itself. */
async function* folded(
  all: AsyncIterable<Keyed>,
  prefix: string,
  delimiter: string,
): AsyncGenerator<Keyed, void> {
  for await (const one of all) {
    const end = delimiter === "" ? -1 : one.key.indexOf(delimiter, prefix.length);
    yield end < 0 || one.file === undefined
      ? one
      : { key: one.key.slice(0, end + delimiter.length) };
  }
}

/** What all three kinds of lists say alike. */
function told(
  base: string,
  query: Query,
  page: Page,
): { say: (file: FileNode, more: Members) => Members; common: Members } {
  const coding = query.get("encoding-type");
  if (coding !== undefined && coding !== "url") throw new Refusal("InvalidArgument");
  const text = (key: string): string =>
    coding === "url" ? escapeText(key).replaceAll("%2F", "/") : key;
  const common: Members = {
    Name: base.slice(1),
    Prefix: text(query.get("prefix") ?? ""),
    Delimiter: query.has("delimiter") ? text(query.get("delimiter") ?? "") : undefined,
    MaxKeys: Math.min(Number(query.get("max-keys") ?? MAX_KEYS), MAX_KEYS),
    EncodingType: coding,
    IsTruncated: page.next !== undefined,
    CommonPrefixes: page.folders.map((folder) => ({ Prefix: text(folder) })),
  };
  const say = ({ path, version }: FileNode, more: Members): Members => ({
    Key: text(path.slice(base.length + 1)),
    ...more,
    LastModified: new Date(version.mtime).toISOString(),
    ETag: etagOf(version),
    Size: version.size,
    StorageClass: "STANDARD",
  });
  return { say, common };
}

function readToken(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}
