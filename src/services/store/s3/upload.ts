/**
 * A file on its way to an object store. One that is small is kept until it gets its name; a larger one
 * goes in parts to a name of its own, and is copied by the store itself: nothing can be renamed there.
 */
import type { Pair } from "../../../wire/s3/canonical.ts";
import { escapePath } from "../../../wire/s3/canonical.ts";
import { childText, emitS3, parseS3 } from "../../../wire/s3/xml.ts";
import { MemberError, STALL_MS, type Upload } from "../members/member.ts";
import type { S3Member } from "./member.ts";

/** Of one part, at first; S3 wants 5 MiB at least. Ten thousand parts of it are 80 GiB. */
const PART = 8 * 2 ** 20;
/** Every so many parts the next are twice as large: so there is no size that ten thousand do not hold. */
const GROWS_EVERY = 2000;
/** Largest object that can be copied at once, and the pieces of a larger one. */
const MAX_COPY = 5 * 2 ** 30;
const COPY_PART = 2 ** 30;
/** A copy takes as long as the store needs to read and write it. */
const COPY_MS = 5 * STALL_MS;

type Done = S3Member["done"];

export class S3Upload implements Upload {
  readonly #member: {
    readonly done: Done;
    pathOf(at: string): string;
    remove(at: string): Promise<void>;
  };
  readonly #at: string;
  #kept: Uint8Array[] = [];
  #keptSize = 0;
  #size = 0;
  #parts: Parts | undefined;
  #whole = false;

  /** `at`: a name that nobody else has. */
  constructor(member: S3Member, at: string) {
    this.#member = member;
    this.#at = at;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#kept.push(bytes);
    this.#keptSize += bytes.length;
    this.#size += bytes.length;
    if (this.#keptSize < (this.#parts?.next ?? PART)) return;
    this.#parts ??= await Parts.begin(this.#member, this.#at);
    await this.#parts.put(this.#take());
  }

  async finish(): Promise<void> {
    if (this.#parts === undefined) return;
    if (this.#keptSize > 0) await this.#parts.put(this.#take());
    await this.#parts.complete();
    this.#whole = true;
  }

  async place(at: string): Promise<void> {
    if (this.#parts === undefined) {
      await this.#member.done("PUT", at, { body: this.#take(), patience: 2 * STALL_MS });
      return;
    }
    const source = escapePath(this.#member.pathOf(this.#at));
    if (this.#size <= MAX_COPY) {
      const headers = { "x-amz-copy-source": source };
      await this.#member.done("PUT", at, { headers, patience: COPY_MS });
    } else {
      const parts = await Parts.begin(this.#member, at);
      for (let from = 0; from < this.#size; from += COPY_PART)
        await parts.copy(source, from, Math.min(from + COPY_PART, this.#size));
      await parts.complete();
    }
    await this.#member.remove(this.#at).catch(() => {}); // a sweep finds it
  }

  async abort(): Promise<void> {
    this.#kept = [];
    if (this.#whole)
      await this.#member.remove(this.#at).catch(() => {}); // a sweep finds it
    else await this.#parts?.abort();
  }

  #take(): Uint8Array {
    const bytes = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptSize = 0;
    return bytes;
  }
}

/** An object in parts. */
class Parts {
  readonly #member: Pick<S3Member, "done">;
  readonly #at: string;
  readonly #id: string;
  readonly #etags: string[] = [];

  private constructor(member: Pick<S3Member, "done">, at: string, id: string) {
    this.#member = member;
    this.#at = at;
    this.#id = id;
  }

  static async begin(member: Pick<S3Member, "done">, at: string): Promise<Parts> {
    const { body } = await member.done("POST", at, { query: [["uploads", ""]] });
    const id = childText(parseS3(body, "InitiateMultipartUploadResult") ?? [], "UploadId");
    if (id === undefined) throw new MemberError("failed", `${at}: no upload was begun`);
    return new Parts(member, at, id);
  }

  /** Bytes of the next part. */
  get next(): number {
    return PART * 2 ** Math.floor(this.#etags.length / GROWS_EVERY);
  }

  async put(body: Uint8Array): Promise<void> {
    const query = this.#query();
    const { headers } = await this.#member.done("PUT", this.#at, {
      query,
      body,
      patience: 6 * STALL_MS,
    });
    this.#etags.push(headers.get("etag") ?? "");
  }

  /** Bytes [from, to) of another object. */
  async copy(source: string, from: number, to: number): Promise<void> {
    const headers = {
      "x-amz-copy-source": source,
      "x-amz-copy-source-range": `bytes=${from}-${to - 1}`,
    };
    const asking = { query: this.#query(), headers, patience: COPY_MS };
    const { body } = await this.#member.done("PUT", this.#at, asking);
    this.#etags.push(childText(parseS3(body, "CopyPartResult") ?? [], "ETag") ?? "");
  }

  async complete(): Promise<void> {
    const parts = this.#etags.map((etag, i) => ({ PartNumber: i + 1, ETag: etag }));
    const body = new TextEncoder().encode(emitS3("CompleteMultipartUpload", { Part: parts }));
    const query: Pair[] = [["uploadId", this.#id]];
    await this.#member.done("POST", this.#at, { query, body, patience: COPY_MS });
  }

  async abort(): Promise<void> {
    const query: Pair[] = [["uploadId", this.#id]];
    await this.#member.done("DELETE", this.#at, { query }).catch(() => {}); // the store's own clean-up finds it
  }

  #query(): Pair[] {
    return [
      ["partNumber", String(this.#etags.length + 1)],
      ["uploadId", this.#id],
    ];
  }
}
