/** A bucket of an object store, or a folder in one. It owns redundancy inside. */
import { parseDate } from "../../../wire/http/date.ts";
import type { Pair } from "../../../wire/s3/canonical.ts";
import { childText, parseS3 } from "../../../wire/s3/xml.ts";
import { readOverHttp, wholeOf } from "../members/http-reading.ts";
import {
  type Facts,
  type Item,
  type Member,
  MemberError,
  type Reading,
  STALL_MS,
  type Trouble,
  type Upload,
} from "../members/member.ts";
import type { S3Where } from "../stage-config.ts";
import { BucketList } from "./bucket-list.ts";
import { type Asking, S3Client } from "./client.ts";
import { S3Upload } from "./upload.ts";

const TROUBLES: Readonly<Record<number, Trouble>> = {
  400: "failed",
  401: "refused",
  403: "refused",
  405: "refused",
  409: "failed",
  414: "too-long",
  507: "full",
};
const CODES: Readonly<Record<string, Trouble>> = {
  KeyTooLongError: "too-long",
  QuotaExceeded: "full",
  StorageFull: "full",
  XMinioStorageFull: "full",
};

export class S3Member implements Member {
  readonly id: string;
  readonly where: string;
  readonly #client: S3Client;

  constructor(id: string, config: S3Where) {
    this.id = id;
    this.#client = new S3Client(config);
    this.where = this.#client.where;
  }

  async put(temporary: string): Promise<Upload> {
    return new S3Upload(this, `${temporary}/${crypto.randomUUID()}`);
  }

  async replace(at: string, bytes: Uint8Array): Promise<void> {
    await this.done("PUT", at, { body: bytes });
  }

  async facts(at: string, signal?: AbortSignal): Promise<Facts | undefined> {
    const response = await this.#ask("HEAD", at, { signal });
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw await this.#failed("HEAD", at, response);
    return factsOf(response.headers, Number(response.headers.get("content-length") ?? 0));
  }

  read(at: string, from: number, to: number, signal?: AbortSignal): Promise<Reading | undefined> {
    const file = {
      get: (headers: Record<string, string>, until: AbortSignal) =>
        this.#ask("GET", at, { headers, signal: until }),
      facts: () => this.facts(at, signal),
      isMissing: ({ status }: Response) => status === 404,
      factsOf,
      failed: (response: Response) => this.#failed("GET", at, response),
    };
    return readOverHttp(file, from, to, signal);
  }

  async remove(at: string): Promise<void> {
    await this.done("DELETE", at, {});
  }

  async list(at: string): Promise<readonly Item[]> {
    const { root, bucket } = this.#client;
    const prefix = `${root}${at === "/" ? "" : at}/`.slice(bucket.length + 1);
    const list = new BucketList(prefix);
    let token: string | undefined;
    do {
      const query: Pair[] = [
        ["list-type", "2"],
        ["delimiter", "/"],
        ["encoding-type", "url"],
        ["prefix", prefix],
        ...(token === undefined ? [] : [["continuation-token", token] as const]),
      ];
      // Whoever lists a thousand names may have looked for each of them.
      const response = await this.#client.ask("GET", bucket, { query, patience: 4 * STALL_MS });
      if (response.status !== 200) throw await this.#failed("list", at, response);
      const page = await this.#body(response);
      try {
        token = list.add(page);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new MemberError("failed", `${this.where}: list ${at}: ${why}`, { cause: error });
      }
    } while (token !== undefined);
    return list.items;
  }

  async probe(): Promise<void> {
    const response = await this.#client.ask("HEAD", this.#client.bucket);
    if (response.status !== 200) throw await this.#failed("HEAD", "", response);
  }

  async space(): Promise<undefined> {
    return undefined; // S3 has no word for it; one that is full says so when it is written to
  }

  close(): void {
    this.#client.close();
  }

  /** Ask for what answers with no more than a document: that, as bytes. */
  async done(
    method: string,
    at: string,
    asking: Omit<Asking, "signal">,
  ): Promise<{ readonly headers: Headers; readonly body: Uint8Array }> {
    const response = await this.#ask(method, at, asking);
    if (!response.ok) throw await this.#failed(method, at, response);
    const body = await this.#body(response);
    // CopyObject and the like may fail behind a status of 200.
    if (parseS3(body, "Error") !== undefined) throw this.#failure(method, at, 500, body);
    return { headers: response.headers, body };
  }

  /** Where `at` is, with the bucket in front. */
  pathOf(at: string): string {
    return this.#client.root + at;
  }

  #ask(method: string, at: string, asking: Asking): Promise<Response> {
    return this.#client.ask(method, this.pathOf(at), asking);
  }

  #body(response: Response): Promise<Uint8Array> {
    return wholeOf(response, `${this.where}: an answer`);
  }

  async #failed(method: string, at: string, response: Response): Promise<MemberError> {
    const body = await this.#body(response).catch(() => new Uint8Array()); // the status says enough
    return this.#failure(method, at, response.status, body);
  }

  #failure(method: string, at: string, status: number, body: Uint8Array): MemberError {
    const code = childText(parseS3(body, "Error") ?? [], "Code") ?? "";
    const trouble = CODES[code] ?? TROUBLES[status] ?? (status >= 500 ? "away" : "failed");
    return new MemberError(trouble, `${this.where}: ${method} ${at}: ${status} ${code}`.trim());
  }
}

function factsOf(headers: Headers, size: number): Facts {
  return { size, mtime: parseDate(headers.get("last-modified") ?? "") ?? 0 };
}
