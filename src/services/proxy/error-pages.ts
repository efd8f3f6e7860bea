import { readFileSync } from "node:fs";

import type { HttpResponse } from "../../wire/http/message.ts";
import { typeOf } from "../../wire/http/mime.ts";

/** What is sent in place of a bare error. */
interface Page {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Files for errors, read once: by status, or by class ("5xx"). */
export class ErrorPages {
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #all: boolean;

  /** `all`: also in place of what servers say. Throws Error in words when a file cannot be read. */
  constructor(files: Readonly<Record<string, string>>, all: boolean) {
    this.#all = all;
    this.#pages = new Map(
      Object.entries(files).map(([status, path]) => {
        const bytes = new Uint8Array(readFileSync(path));
        return [status, { bytes, type: typeOf(path, {}) ?? "text/html" }];
      }),
    );
  }

  /** The response, with its page where there is one. A response whose body is dropped gives it back. */
  dress(response: HttpResponse, method: string, discard: (of: HttpResponse) => void): HttpResponse {
    const { status, named } = response;
    if (status < 400 || (named === true && !this.#all)) return response;
    const page = this.#pages.get(`${status}`) ?? this.#pages.get(`${Math.floor(status / 100)}xx`);
    if (page === undefined) return response;
    discard(response);
    const kept = response.headers.filter(([name]) => !OF_THE_BODY.test(name));
    const headers = [...kept, ["Content-Type", page.type] as const];
    if (method !== "HEAD")
      return { ...response, headers, body: { kind: "pieces", pieces: [page.bytes] } };
    return {
      ...response,
      headers: [...headers, ["Content-Length", String(page.bytes.length)]],
      body: { kind: "none" },
    };
  }
}

/** Said of the body that is not sent. */
const OF_THE_BODY =
  /^(content-(type|length|encoding|range|language|disposition)|etag|last-modified|accept-ranges)$/i;
