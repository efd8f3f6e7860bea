import type { Log } from "../../../observe/log.ts";
/** S3 in front of a store: buckets by path, signatures of version 4. */
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { isSigned } from "../../../wire/s3/credential.ts";
import { emitS3 } from "../../../wire/s3/xml.ts";
import { openToRead } from "../read.ts";
import { type FileNode, NotKept, type Tree } from "../tree/tree.ts";
import { Unsure } from "../tree/unsure.ts";
import { absent } from "./absent.ts";
import { receive } from "./body.ts";
import { bucketOf, createBucket, deleteBucket, listBuckets } from "./buckets.ts";
import { listObjects, listVersions } from "./list.ts";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  putPart,
} from "./multipart.ts";
import { bucketPath, objectPath, readSubject, type Subject } from "./names.ts";
import {
  copyObject,
  copySource,
  deleteObject,
  deleteObjects,
  getAttributes,
  getObject,
  putObject,
} from "./objects.ts";
import { answerRefusal, Refusal, refusalOf, xml } from "./refusal.ts";
import { type S3User, type Signed, Signers } from "./signer.ts";

/** What the only version of everything is called, as in a bucket that never had versions. */
const NO_VERSION = "null";

export class S3Front {
  readonly #tree: Tree;
  readonly #signers: Signers;
  readonly #log: Log;
  readonly #wall: () => number;

  /** `wall` in milliseconds since 1970. */
  constructor(tree: Tree, users: Readonly<Record<string, S3User>>, log: Log, wall: () => number) {
    this.#tree = tree;
    this.#signers = new Signers(users);
    this.#log = log;
    this.#wall = wall;
  }

  /** Undefined: it is not signed as S3's requests are, so it is somebody else's. */
  handle(request: HttpRequest): Promise<HttpResponse> | undefined {
    const { headers, query } = request;
    return isSigned(headers.get("authorization"), query) ? this.#answer(request) : undefined;
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    try {
      const signed = this.#signers.verify(request, this.#wall());
      const { bucket, key } = readSubject(signed.path);
      if (bucket === "") return await this.#service(request, signed);
      return key === ""
        ? await this.#bucket(request, signed, bucket)
        : await this.#object(request, signed, { bucket, key });
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === "ServiceUnavailable")
        this.#log.warn("not done", { path: request.path, why: String(error) });
      return answerRefusal(refusal, request.method === "HEAD" ? undefined : request.path);
    }
  }

  async #service({ method }: HttpRequest, { user }: Signed): Promise<HttpResponse> {
    if (method !== "GET") throw new Refusal("MethodNotAllowed");
    return listBuckets(this.#tree, (path) => reaches(user, `${path}/`));
  }

  async #bucket(request: HttpRequest, signed: Signed, bucket: string): Promise<HttpResponse> {
    const tree = this.#tree;
    const { user, query } = signed;
    const base = bucketPath(bucket);
    switch (request.method) {
      case "HEAD":
        allow(reaches(user, `${base}/`));
        await bucketOf(tree, bucket);
        return respond(200);
      case "GET":
        return this.#list(signed, bucket);
      case "PUT":
        allow(mayWrite(user, `${base}/`));
        absent("PUT", query, "bucket");
        if (query.has("versioning")) throw new Refusal("NotImplemented");
        return createBucket(tree, bucket);
      case "DELETE":
        allow(mayWrite(user, `${base}/`));
        return deleteBucket(tree, bucket);
      case "POST":
        if (!query.has("delete")) throw new Refusal("NotImplemented");
        return deleteObjects(tree, bucket, request, signed, (path) => mayWrite(user, path));
      default:
        throw new Refusal("MethodNotAllowed");
    }
  }

  async #list({ user, query }: Signed, bucket: string): Promise<HttpResponse> {
    const tree = this.#tree;
    const { path: base } = await bucketOf(tree, bucket);
    if (query.has("location")) return xml(200, emitS3("LocationConstraint", {}));
    if (query.has("versioning")) return xml(200, emitS3("VersioningConfiguration", {}));
    const none = absent("GET", query, "bucket");
    if (none !== undefined) return none;
    allow(`${base}/${query.get("prefix") ?? ""}`.startsWith(user.prefix));
    if (query.has("uploads")) return listUploads(tree, bucket, query.get("prefix") ?? "");
    return query.has("versions") ? listVersions(tree, base, query) : listObjects(tree, base, query);
  }

  async #object(request: HttpRequest, signed: Signed, subject: Subject): Promise<HttpResponse> {
    const tree = this.#tree;
    const { user, query } = signed;
    const none = absent(request.method, query, "object");
    if (none !== undefined) return none;
    if (subject.key.endsWith("/")) return this.#folder(request, signed, subject);
    const path = objectPath(subject);
    const reads = request.method === "GET" || request.method === "HEAD";
    allow(reads ? path.startsWith(user.prefix) : mayWrite(user, path));
    if ((query.get("versionId") ?? NO_VERSION) !== NO_VERSION) throw new Refusal("NoSuchVersion");
    switch (request.method) {
      case "HEAD":
        return getObject(tree, path, request, query);
      case "GET":
        if (query.has("uploadId")) return listParts(tree, subject, query);
        if (query.has("attributes")) return getAttributes(tree, path, request);
        return getObject(tree, path, request, query);
      case "PUT":
        await bucketOf(tree, subject.bucket);
        if (query.has("uploadId")) return this.#part(request, signed, subject);
        if (request.headers.has("x-amz-copy-source"))
          return copyObject(tree, await this.#source(request, user), path, request);
        return putObject(tree, path, request, receive(request, signed));
      case "POST":
        if (query.has("uploads")) {
          await bucketOf(tree, subject.bucket);
          return createUpload(tree, subject, request, this.#wall());
        }
        if (!query.has("uploadId")) throw new Refusal("NotImplemented");
        return completeUpload(tree, subject, path, request, signed);
      case "DELETE":
        if (query.has("uploadId")) return abortUpload(tree, subject, query);
        return deleteObject(tree, path);
      default:
        throw new Refusal("MethodNotAllowed");
    }
  }

  /** `a/b/`, as some clients make folders. */
  async #folder(
    request: HttpRequest,
    { user }: Signed,
    { bucket, key }: Subject,
  ): Promise<HttpResponse> {
    const path = objectPath({ bucket, key: key.slice(0, -1) });
    const { method } = request;
    const reads = method === "GET" || method === "HEAD";
    allow(reads ? path.startsWith(user.prefix) : mayWrite(user, path));
    await bucketOf(this.#tree, bucket);
    if (reads) {
      if ((await this.#tree.collection("any", path)) === undefined) throw new Refusal("NoSuchKey");
      return method === "HEAD" ? respond(200, [["Content-Length", "0"]]) : respond(200, [], "");
    }
    if (method === "PUT") await this.#tree.makeCollection("any", path);
    else if (method === "DELETE") await this.#tree.unmakeCollection("any", path);
    else throw new Refusal("MethodNotAllowed");
    return respond(method === "PUT" ? 200 : 204);
  }

  async #part(request: HttpRequest, signed: Signed, subject: Subject): Promise<HttpResponse> {
    const { query, user } = signed;
    if (!request.headers.has("x-amz-copy-source")) {
      const etag = await putPart(this.#tree, subject, query, receive(request, signed));
      return respond(200, [["ETag", etag]]);
    }
    const body = partOf(await this.#source(request, user), request);
    const etag = await putPart(this.#tree, subject, query, body);
    const told = { LastModified: new Date(this.#wall()).toISOString(), ETag: etag };
    return xml(200, emitS3("CopyPartResult", told));
  }

  async #source({ headers }: HttpRequest, user: S3User): Promise<FileNode> {
    const path = copySource(headers.get("x-amz-copy-source") ?? "");
    allow(path.startsWith(user.prefix));
    const source = await this.#tree.file("any", path);
    if (source === undefined) throw new Refusal("NoSuchKey");
    return source;
  }
}

/** The bytes that x-amz-copy-source-range names, or all. */
function partOf(
  { shelf, name, version }: FileNode,
  { headers }: HttpRequest,
): Parameters<typeof putPart>[3] {
  const range = headers.get("x-amz-copy-source-range");
  const [, first = "0", last = String(version.size - 1)] =
    range === null ? [] : (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []);
  const [from, to] = [Number(first), Number(last) + 1];
  if (from > to || to > version.size) throw new Refusal("InvalidRange");
  const hash = new Bun.CryptoHasher("md5");
  let md5: string | undefined;
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    const opened = await openToRead(shelf, name, () => from);
    if (opened.kind === "unsure") throw new Unsure(opened.why);
    if (opened.kind !== "open") throw new Refusal("NoSuchKey");
    try {
      for await (const piece of opened.body.bytes(from, to)) {
        hash.update(piece);
        yield piece;
      }
      md5 = hash.digest("hex");
    } finally {
      opened.body.close();
    }
  }
  return { bytes: bytes(), md5: () => md5 };
}

function allow(may: boolean): void {
  if (!may) throw new Refusal("AccessDenied");
}

function mayWrite({ access, prefix }: S3User, path: string): boolean {
  return access === "full" && path.startsWith(prefix);
}

/** Is something in there the user's, or is it within what is? */
function reaches({ prefix }: S3User, folder: string): boolean {
  return prefix.startsWith(folder) || folder.startsWith(prefix);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof NotKept) return refusalOf(error.trouble);
  if (error instanceof Unsure) return new Refusal("ServiceUnavailable");
  throw error;
}
