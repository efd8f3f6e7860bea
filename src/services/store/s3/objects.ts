/** GetObject, HeadObject, GetObjectAttributes, PutObject, CopyObject, DeleteObject and DeleteObjects. */
import { formatDate } from "../../../wire/http/date.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { childrenOf, childText, emitS3, parseS3 } from "../../../wire/s3/xml.ts";
import { answerWith, etagOf, firstByte, mayChange, type Plan, plan } from "../answer.ts";
import type { Version } from "../record.ts";
import { copyFile } from "../tree/copy-file.ts";
import { type FileNode, NotKept, type Tree } from "../tree/tree.ts";
import { Unsure } from "../tree/unsure.ts";
import type { About } from "../write.ts";
import type { Written } from "../written.ts";
import { type Received, receiveWhole } from "./body.ts";
import { clientTimeOf, metadataFields, readMetadata } from "./metadata.ts";
import { objectPath, readSubject } from "./names.ts";
import { Refusal, refusalOf, xml } from "./refusal.ts";
import type { Signed } from "./signer.ts";

/** Objects that one DeleteObjects may name. */
const MAX_DELETES = 1000;

export async function getObject(
  tree: Tree,
  path: string,
  request: HttpRequest,
  query: Signed["query"],
): Promise<HttpResponse> {
  let what: Plan = { kind: "whole" };
  const opened = await tree.open("any", path, (version) => {
    what = plan(request, version);
    return firstByte(what);
  });
  if (opened.kind === "unsure") throw new Unsure(opened.why);
  if (opened.kind !== "open") throw new Refusal("NoSuchKey");
  const { version } = opened.body;
  const answer = answerWith(what, opened.body, path);
  const headers = [...answer.headers, ...metadataFields(version)];
  return { ...answer, headers: overruled(headers, query) };
}

/** What is known of an object, of that which is asked for. */
export async function getAttributes(
  tree: Tree,
  path: string,
  { headers }: Pick<HttpRequest, "headers">,
): Promise<HttpResponse> {
  const node = await tree.file("any", path);
  if (node === undefined) throw new Refusal("NoSuchKey");
  const { version } = node;
  const known = {
    ETag: etagOf(version)?.replaceAll('"', ""),
    StorageClass: "STANDARD",
    ObjectSize: version.size,
  };
  const asked = headers.get("x-amz-object-attributes")?.split(",") ?? [];
  const names = new Set(asked.map((name) => name.trim()));
  const told = Object.fromEntries(Object.entries(known).filter(([name]) => names.has(name)));
  return xml(200, emitS3("GetObjectAttributesResponse", told), [
    ["Last-Modified", formatDate(version.mtime)],
  ]);
}

/** `response-content-type=...` in a URL takes the place of a field. */
function overruled(
  headers: HttpResponse["headers"],
  query: Signed["query"],
): HttpResponse["headers"] {
  const own = [...query].filter(([name]) => name.startsWith("response-"));
  const named = own.map(([name, value]) => [name.slice("response-".length), value] as const);
  const names = new Set(named.map(([name]) => name));
  // What a line cannot hold nobody is sent.
  const fit = named.filter(([name, value]) => /^[a-z-]+$/.test(name) && !/[\0\r\n]/.test(value));
  return [...headers.filter(([name]) => !names.has(name.toLowerCase())), ...fit];
}

export async function putObject(
  tree: Tree,
  path: string,
  request: HttpRequest,
  body: Received,
): Promise<HttpResponse> {
  const meta = readMetadata(request);
  const written = await tree.put(
    "any",
    path,
    body.bytes,
    aboutOf(request, meta, body.md5),
    (newest) => mayChange(request, newest),
  );
  return respond(200, [["ETag", etagOf(keptVersion(written)) ?? ""]]);
}

/** What is known of an object once its body has passed; `etag`: its MD5, mostly. */
export function aboutOf(
  { headers }: Pick<HttpRequest, "headers">,
  meta: Readonly<Record<string, string>>,
  etag: () => string | undefined,
): About {
  return {
    type: headers.get("content-type") ?? undefined,
    mtime: clientTimeOf(meta),
    meta: () => ({ ...meta, etag: etag() ?? "" }),
  };
}

/** The version that was kept; throws when none was. */
export function keptVersion(written: Written): Version {
  if (written.kind === "no") throw new Refusal("PreconditionFailed");
  if (written.kind === "too-few") throw refusalOf(written.trouble);
  return written.version;
}

/** Copy what x-amz-copy-source names to `path`. `source` may be read: that was seen before. */
export async function copyObject(
  tree: Tree,
  source: FileNode,
  path: string,
  request: HttpRequest,
): Promise<HttpResponse> {
  const replaces = request.headers.get("x-amz-metadata-directive")?.toUpperCase() === "REPLACE";
  const old = source.version.kind === "file" ? source.version.meta : undefined;
  const about: About | undefined = replaces
    ? aboutOf(request, readMetadata(request), () => old?.["etag"])
    : undefined;
  await copyFile(tree, source, "any", path, about);
  const copy = await tree.file("any", path);
  if (copy === undefined) throw new Refusal("NoSuchKey"); // deleted meanwhile
  const { version } = copy;
  const told = { LastModified: new Date(version.mtime).toISOString(), ETag: etagOf(version) };
  return xml(200, emitS3("CopyObjectResult", told));
}

/** `bucket/key?versionId=null`, escaped, with or without a slash before it, as a path. */
export function copySource(text: string): string {
  const [escaped = ""] = text.split("?");
  try {
    const path = decodeURIComponent(escaped);
    return objectPath(readSubject(path.startsWith("/") ? path : `/${path}`));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("InvalidArgument");
  }
}

/** What is not there is deleted too. */
export async function deleteObject(tree: Tree, path: string): Promise<HttpResponse> {
  const file = await tree.file("any", path);
  if (file !== undefined) await tree.remove(file);
  return respond(204);
}

/** `may`: may this path be changed by who asks? */
export async function deleteObjects(
  tree: Tree,
  bucket: string,
  request: HttpRequest,
  signed: Signed,
  may: (path: string) => boolean,
): Promise<HttpResponse> {
  const read = parseS3(await receiveWhole(request, signed), "Delete");
  const named = read && childrenOf(read, "Object").map((one) => childText(one, "Key"));
  if (read === undefined || !named || named.length > MAX_DELETES || named.includes(undefined))
    throw new Refusal("MalformedXML");
  const quiet = childText(read, "Quiet")?.trim() === "true";
  const deleted: { Key: string }[] = [];
  const failed: { Key: string; Code: string; Message: string }[] = [];
  const one = async (key: string): Promise<void> => {
    try {
      const path = objectPath({ bucket, key });
      if (!may(path)) throw new Refusal("AccessDenied");
      await deleteObject(tree, path);
      deleted.push({ Key: key });
    } catch (error) {
      const code = codeOf(error);
      failed.push({ Key: key, Code: code, Message: code });
    }
  };
  const rest = named.filter((key) => key !== undefined);
  const next = async (): Promise<void> => {
    for (let key; (key = rest.shift()) !== undefined;) await one(key);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  const told = { Deleted: quiet ? undefined : deleted, Error: failed };
  return xml(200, emitS3("DeleteResult", told));
}

/** Objects deleted at once for one request. */
const AT_ONCE = 8;

function codeOf(error: unknown): string {
  if (error instanceof Refusal) return error.code;
  if (error instanceof NotKept) return refusalOf(error.trouble).code;
  if (error instanceof Unsure) return "ServiceUnavailable";
  throw error;
}
