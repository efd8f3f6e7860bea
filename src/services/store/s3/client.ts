/** Asks an object store: every request signed. */
import { canonicalQuery, escapePath, type Pair } from "../../../wire/s3/canonical.ts";
import { emitAuthorization } from "../../../wire/s3/credential.ts";
import { type Scope, showTime, signingKey, signRequest } from "../../../wire/s3/signature.ts";
import { MemberError, STALL_MS, within } from "../members/member.ts";
import type { S3Where } from "../stage-config.ts";
import { hashes } from "./hashes.ts";

export interface Asking {
  readonly query?: readonly Pair[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it counts as away. */
  readonly patience?: number;
}

export class S3Client {
  /** Its URL, without a slash at its end. */
  readonly where: string;
  readonly #base: URL;
  readonly #config: S3Where;
  readonly #closing = new AbortController();
  #key: { readonly date: string; readonly key: Uint8Array } | undefined;

  constructor(config: S3Where) {
    this.#config = config;
    this.where = config.url.replace(/\/+$/, "");
    this.#base = new URL(this.where);
  }

  /** `/bucket`, and the folder in it, if any. Decoded. */
  get root(): string {
    return decodeURIComponent(this.#base.pathname);
  }

  /** The bucket itself. */
  get bucket(): string {
    return `/${this.root.split("/")[1] ?? ""}`;
  }

  /** `path` decoded, with the bucket in front. Rejects with a `MemberError` when nobody answers. */
  async ask(method: string, path: string, asking: Asking = {}): Promise<Response> {
    const { query = [], body, signal, patience = STALL_MS } = asking;
    const time = showTime(Date.now());
    const payload = hashes.sha256(body ?? "");
    const headers: Record<string, string> = {
      ...asking.headers,
      host: this.#base.host,
      "x-amz-content-sha256": payload,
      "x-amz-date": time,
    };
    const scope = this.#scope(time);
    const signature = signRequest(hashes, this.#keyFor(scope), scope, time, {
      method,
      path,
      query,
      headers: Object.entries(headers),
      payload,
    });
    headers["authorization"] = emitAuthorization({
      accessKey: this.#config.accessKey,
      scope,
      signedHeaders: Object.keys(headers).toSorted(),
      signature,
    });
    const late = new AbortController();
    const asked = fetch(this.#url(path, query), {
      method,
      headers,
      ...(body !== undefined && { body: body as BodyInit }),
      redirect: "manual",
      decompress: false,
      signal: AbortSignal.any([this.#closing.signal, late.signal, ...(signal ? [signal] : [])]),
    }).catch((error: unknown): never => {
      const why = error instanceof Error ? error.message : String(error);
      throw new MemberError("away", `${this.where}: ${method} ${path}: ${why}`, { cause: error });
    });
    try {
      return await within(asked, `${this.where}: ${method} ${path}`, patience);
    } catch (error) {
      asked.catch(() => {}); // it was late, and is given up now
      late.abort();
      throw error;
    }
  }

  close(): void {
    this.#closing.abort();
  }

  #url(path: string, query: readonly Pair[]): string {
    const search = query.length === 0 ? "" : `?${canonicalQuery(query)}`;
    return this.#base.origin + escapePath(path) + search;
  }

  #scope(time: string): Scope {
    return { date: time.slice(0, 8), region: this.#config.region, service: "s3" };
  }

  #keyFor(scope: Scope): Uint8Array {
    if (this.#key?.date !== scope.date) {
      const key = signingKey(hashes, this.#config.secretKey.reveal(), scope);
      this.#key = { date: scope.date, key };
    }
    return this.#key.key;
  }
}
