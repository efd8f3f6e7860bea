/**
 * Large objects in parts. Parts are files of the store, out of sight: kept as everything else is, by
 * whichever worker they come to, and still there after a restart. The object is made of them in one go.
 *
 *     /_tern.multipart/ID/upload     what CreateMultipartUpload said
 *     /_tern.multipart/ID/00001      a part
 */
import * as v from "valibot";

import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { childrenOf, childText, emitS3, parseS3 } from "../../../wire/s3/xml.ts";
import { etagOf } from "../answer.ts";
import { openToRead } from "../read.ts";
import { type FileNode, type Tree } from "../tree/tree.ts";
import { Unsure } from "../tree/unsure.ts";
import { type Received, receiveWhole } from "./body.ts";
import { clientTimeOf, readMetadata } from "./metadata.ts";
import type { Subject } from "./names.ts";
import { keptVersion } from "./objects.ts";
import { Refusal, xml } from "./refusal.ts";
import type { Signed } from "./signer.ts";

const HOME = "/_tern.multipart";
/** Below it is what is gone after so long, when nobody has completed or aborted it. */
export const PARTS = `${HOME}/`;
export const PARTS_STAY_MS = 7 * 86_400_000;
const MAX_PARTS = 10_000; // S3's own
const ID = /^[0-9a-f-]{36}$/;

const upload = v.object({
  bucket: v.string(),
  key: v.string(),
  type: v.optional(v.string()),
  meta: v.record(v.string(), v.string()),
  begun: v.number(),
});
type Upload = v.InferOutput<typeof upload>;

export async function createUpload(
  tree: Tree,
  subject: Subject,
  request: HttpRequest,
  now: number,
): Promise<HttpResponse> {
  const id = crypto.randomUUID();
  const type = request.headers.get("content-type") ?? undefined;
  const made: Upload = { ...subject, type, meta: readMetadata(request), begun: now };
  const about = { type: "application/json", mtime: undefined };
  const bytes = new TextEncoder().encode(JSON.stringify(made));
  keptVersion(await tree.put("any", `${HOME}/${id}/upload`, once(bytes), about, () => true));
  const told = { Bucket: subject.bucket, Key: subject.key, UploadId: id };
  return xml(200, emitS3("InitiateMultipartUploadResult", told));
}

export async function putPart(
  tree: Tree,
  subject: Subject,
  query: Signed["query"],
  body: Pick<Received, "bytes" | "md5">,
): Promise<string> {
  const { id } = await find(tree, subject, query);
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS)
    throw new Refusal("InvalidArgument");
  const about = { type: undefined, mtime: undefined, meta: () => ({ etag: body.md5() ?? "" }) };
  const written = await tree.put("any", partPath(id, number), body.bytes, about, () => true);
  return etagOf(keptVersion(written)) ?? "";
}

export async function listParts(
  tree: Tree,
  subject: Subject,
  query: Signed["query"],
): Promise<HttpResponse> {
  const { id } = await find(tree, subject, query);
  const parts: FileNode[] = [];
  for await (const batch of tree.members("any", `${HOME}/${id}`))
    for (const node of batch) if (node.kind === "file" && /\d$/.test(node.path)) parts.push(node);
  const told = {
    Bucket: subject.bucket,
    Key: subject.key,
    UploadId: id,
    IsTruncated: false,
    Part: parts.map(({ path, version }) => ({
      PartNumber: Number(path.slice(path.lastIndexOf("/") + 1)),
      LastModified: new Date(version.mtime).toISOString(),
      ETag: etagOf(version),
      Size: version.size,
    })),
  };
  return xml(200, emitS3("ListPartsResult", told));
}

/** All that have been begun in a bucket and not ended. */
/** All that are open, of keys that begin so. */
export async function listUploads(
  tree: Tree,
  bucket: string,
  prefix: string,
): Promise<HttpResponse> {
  const open: { Key: string; UploadId: string; Initiated: string; StorageClass: string }[] = [];
  for await (const batch of tree.members("any", HOME))
    for (const { path } of batch) {
      const id = path.slice(HOME.length + 1);
      const one = await read(tree, id);
      if (one?.bucket !== bucket || !one.key.startsWith(prefix)) continue;
      const Initiated = new Date(one.begun).toISOString();
      open.push({ Key: one.key, UploadId: id, Initiated, StorageClass: "STANDARD" });
    }
  const told = { Bucket: bucket, Prefix: prefix, IsTruncated: false, Upload: open };
  return xml(200, emitS3("ListMultipartUploadsResult", told));
}

export async function abortUpload(
  tree: Tree,
  subject: Subject,
  query: Signed["query"],
): Promise<HttpResponse> {
  const { id } = await find(tree, subject, query);
  await forget(tree, id);
  return respond(204);
}

/** `path`: where the object will be. */
export async function completeUpload(
  tree: Tree,
  subject: Subject,
  path: string,
  request: HttpRequest,
  signed: Signed,
): Promise<HttpResponse> {
  const { id, made } = await find(tree, subject, signed.query);
  const asked = readParts(await receiveWhole(request, signed));
  const parts: FileNode[] = [];
  const whole = new Bun.CryptoHasher("md5");
  for (const { number, etag } of asked) {
    const part = await tree.file("any", partPath(id, number));
    const has = part && etagOf(part.version)?.replaceAll('"', "");
    if (part === undefined || has !== etag) throw new Refusal("InvalidPart");
    parts.push(part);
    whole.update(Buffer.from(has, "hex"));
  }
  const etag = `${whole.digest("hex")}-${parts.length}`;
  const { type, meta } = made;
  const about = { type, mtime: clientTimeOf(meta), meta: () => ({ ...meta, etag }) };
  keptVersion(await tree.put("any", path, joined(parts), about, () => true));
  await forget(tree, id).catch(() => {}); // the object is there; what is left can be aborted
  const told = { Location: path, Bucket: subject.bucket, Key: subject.key, ETag: `"${etag}"` };
  return xml(200, emitS3("CompleteMultipartUploadResult", told));
}

async function* joined(parts: readonly FileNode[]): AsyncGenerator<Uint8Array, void> {
  for (const { shelf, name, version } of parts) {
    const opened = await openToRead(shelf, name, () => 0);
    if (opened.kind !== "open")
      throw opened.kind === "unsure" ? new Unsure(opened.why) : new Refusal("InvalidPart");
    try {
      yield* opened.body.bytes(0, version.size);
    } finally {
      opened.body.close();
    }
  }
}

function readParts(body: Uint8Array): { number: number; etag: string }[] {
  const read = parseS3(body, "CompleteMultipartUpload");
  const parts = (read ? childrenOf(read, "Part") : []).map((one) => ({
    number: Number(childText(one, "PartNumber")),
    etag: (childText(one, "ETag") ?? "").trim().replaceAll('"', ""),
  }));
  if (parts.length === 0 || parts.length > MAX_PARTS) throw new Refusal("MalformedXML");
  for (const [i, { number }] of parts.entries())
    if (!Number.isInteger(number) || number <= (parts[i - 1]?.number ?? 0))
      throw new Refusal("InvalidPartOrder");
  return parts;
}

/** The upload that a request names. Of another object it is none. */
async function find(
  tree: Tree,
  { bucket, key }: Subject,
  query: Signed["query"],
): Promise<{ id: string; made: Upload }> {
  const id = query.get("uploadId") ?? "";
  const made = await read(tree, id);
  if (made === undefined || made.bucket !== bucket || made.key !== key)
    throw new Refusal("NoSuchUpload");
  return { id, made };
}

async function read(tree: Tree, id: string): Promise<Upload | undefined> {
  if (!ID.test(id)) return undefined;
  const opened = await tree.open("any", `${HOME}/${id}/upload`, () => 0);
  if (opened.kind === "unsure") throw new Unsure(opened.why);
  if (opened.kind !== "open") return undefined;
  const { body } = opened;
  try {
    const pieces = await Array.fromAsync(body.bytes(0, body.version.size));
    const parsed = v.safeParse(upload, JSON.parse(Buffer.concat(pieces).toString("utf8")));
    return parsed.success ? parsed.output : undefined;
  } finally {
    body.close();
  }
}

/** The upload itself goes first: without it parts are nobody's. */
async function forget(tree: Tree, id: string): Promise<void> {
  const head = await tree.file("any", `${HOME}/${id}/upload`);
  if (head !== undefined) await tree.remove(head);
  for await (const batch of tree.members("any", `${HOME}/${id}`))
    await Promise.all(batch.map(async (node) => node.kind === "file" && tree.remove(node)));
}

function partPath(id: string, number: number): string {
  return `${HOME}/${id}/${String(number).padStart(5, "0")}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
