/** Any server that understands GET, HEAD, PUT and DELETE; better one that understands MOVE and MKCOL. */
import type { Upstream } from "../../../net/upstream/upstream.ts";
import { parseDate } from "../../../wire/http/date.ts";
import { PROPFIND_BODY, readAutoindex, readMultistatus, saysCollection } from "./dav-list.ts";
import { DavParents } from "./dav-parents.ts";
import { DavUpload, type Wire } from "./dav-upload.ts";
import type { DirectAnswer } from "./direct-answer.ts";
import { readDirectly } from "./direct-reading.ts";
import { Direct } from "./direct.ts";
import { drop, readOverHttp, streamOf } from "./http-reading.ts";
import {
  type Facts,
  type Item,
  type Member,
  MemberError,
  type Reading,
  STALL_MS,
  type Trouble,
  type Upload,
  within,
} from "./member.ts";

const TROUBLES: Readonly<Record<number, Trouble>> = {
  401: "refused",
  403: "refused",
  405: "refused",
  409: "conflict",
  413: "refused",
  414: "too-long",
  423: "refused",
  507: "full",
};
/** Longest answer that is read as a whole: a list of a directory. */
const MAX_LIST = 64 * 2 ** 20;

export class WebdavMember implements Member {
  readonly id: string;
  readonly where: string;
  /** Path of its root, escaped, without a slash at its end. */
  readonly #base: string;
  readonly #authorization: string | undefined;
  readonly #closing = new AbortController();
  readonly #parents = new DavParents((at) => this.#makeCollection(at));
  /** Undefined where it speaks TLS, or nobody keeps connections: `fetch` asks it. */
  readonly #direct: Direct | undefined;
  /** Learned from the first MOVE. */
  #moves = true;

  /** `base`: a URL without a path, or with one and without its last slash. `upstream` keeps connections. */
  constructor(id: string, base: string, upstream?: Upstream) {
    const url = new URL(base);
    this.id = id;
    const { username, password } = url;
    url.username = "";
    url.password = "";
    this.where = url.href.replace(/\/+$/, "");
    this.#base = url.pathname.replace(/\/+$/, "");
    if (upstream !== undefined && url.protocol === "http:")
      this.#direct = new Direct(upstream, url);
    if (username !== "") {
      const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#authorization = `Basic ${Buffer.from(words).toString("base64")}`;
    }
  }

  async put(temporary: string, size?: number): Promise<Upload> {
    const at = `${temporary}/${crypto.randomUUID()}`;
    const wire: Wire = {
      send: async (body, signal) => {
        if (body instanceof Uint8Array) return this.#store(at, body, signal);
        await this.#parents.ensure(at);
        const response = await this.#ask("PUT", at, { body, size, signal, patient: true });
        if (needsParents(response)) {
          // A body that streams by cannot be sent again: the next one finds its directory.
          this.#parents.forget(at);
          drop(response);
          throw new MemberError("failed", `${this.where}: PUT ${at}: ${response.status}`);
        }
        this.#expect(response, "PUT", at);
      },
      place: (to) => this.#place(at, to),
      forget: () => this.remove(at).catch(() => {}), // whoever is away has a sweep of its own
    };
    return new DavUpload(wire, size);
  }

  replace(at: string, bytes: Uint8Array): Promise<void> {
    return this.#store(at, bytes);
  }

  async facts(at: string, signal?: AbortSignal): Promise<Facts | undefined> {
    const response = await this.#ask("HEAD", at, { signal });
    if (isMissing(response)) return undefined;
    if (response.status !== 200) throw this.#failed("HEAD", at, response);
    return factsOf(response.headers, Number(response.headers.get("content-length") ?? 0));
  }

  read(at: string, from: number, to: number, signal?: AbortSignal): Promise<Reading | undefined> {
    const direct = this.#direct;
    const file = {
      facts: () => this.facts(at, signal),
      isMissing,
      factsOf,
    };
    if (direct === undefined) {
      const failed = (response: Response) => this.#failed("GET", at, response);
      const get = (headers: Record<string, string>, until: AbortSignal) =>
        this.#ask("GET", at, { headers, signal: until });
      return readOverHttp({ ...file, get, failed }, from, to, signal);
    }
    const get = (headers: Record<string, string>) =>
      this.#inWords(
        "GET",
        at,
        direct.ask(
          { method: "GET", target: this.#target(at), headers: this.#with(headers) },
          signal,
        ),
      );
    const failed = ({ status }: DirectAnswer) => this.#failure("GET", at, status);
    return readDirectly({ ...file, get, failed }, from, to);
  }

  async remove(at: string): Promise<void> {
    const response = await this.#ask("DELETE", at);
    drop(response);
    if (!response.ok && !isMissing(response)) throw this.#failed("DELETE", at, response);
  }

  async list(at: string): Promise<readonly Item[]> {
    const path = `${at}/`;
    const headers = { depth: "1", "content-type": "application/xml" };
    const asked = await this.#ask("PROPFIND", path, { headers, body: PROPFIND_BODY });
    if (isMissing(asked)) return [];
    if (asked.status === 207) return readMultistatus(await this.#text(asked), this.#path(path));
    drop(asked);
    const page = await this.#ask("GET", path, { headers: { accept: "application/json" } });
    if (isMissing(page)) return [];
    const items = page.ok ? readAutoindex(await this.#text(page)) : undefined;
    if (items) return items;
    throw new MemberError("refused", `${this.where}: neither PROPFIND nor autoindex in JSON`);
  }

  async probe(): Promise<void> {
    const response = await this.#ask("OPTIONS", "/");
    drop(response);
    // A server that does not know the word has answered too.
    if (response.status >= 500 && response.status !== 501)
      throw this.#failed("OPTIONS", "/", response);
  }

  async space(): Promise<undefined> {
    return undefined; // few servers say (RFC 4331); those that are full answer 507
  }

  close(): void {
    this.#closing.abort();
    this.#direct?.close();
  }

  /** PUT a whole body, and make its parents where they are missing. */
  async #store(at: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    let response = await this.#ask("PUT", at, { body, signal });
    if (needsParents(response)) {
      drop(response);
      await this.#parents.ensure(at, true);
      response = await this.#ask("PUT", at, { body, signal });
    }
    this.#expect(response, "PUT", at);
  }

  async #place(from: string, to: string): Promise<void> {
    if (this.#moves) {
      let response = await this.#move(from, to, "F");
      if (needsParents(response)) {
        drop(response);
        await this.#parents.ensure(to, true);
        response = await this.#move(from, to, "F");
      }
      if (response.status === 412) {
        drop(response);
        // Overwriting deletes what is there, and all that is in it (RFC 4918, 9.9.3).
        if (await this.#isCollection(to))
          throw new MemberError("failed", `${this.where}: ${to} is a collection`);
        response = await this.#move(from, to, "T");
      }
      if (response.status !== 405 && response.status !== 501)
        return this.#expect(response, "MOVE", to);
      drop(response);
      this.#moves = false;
    }
    // A server without MOVE gets the bytes once more. It alone can be left with a torso, and then
    // what is there is not what the record says.
    const reading = await this.read(from, 0, Infinity);
    if (reading === undefined) throw new MemberError("failed", `${this.where}: ${from} is gone`);
    try {
      await this.#parents.ensure(to);
      const body = streamOf(reading);
      this.#expect(await this.#ask("PUT", to, { body, patient: true }), "PUT", to);
    } finally {
      reading.close();
    }
    await this.remove(from);
  }

  async #isCollection(at: string): Promise<boolean> {
    const headers = { depth: "0", "content-type": "application/xml" };
    const asked = await this.#ask("PROPFIND", at, { headers, body: PROPFIND_BODY });
    if (asked.status === 207) return saysCollection(await this.#text(asked));
    drop(asked);
    if (asked.status >= 300 && asked.status < 400) return true;
    // Who knows no PROPFIND sends us on to the name with a slash.
    const head = await this.#ask("HEAD", at);
    drop(head);
    return head.status !== 200 && !isMissing(head);
  }

  #move(from: string, to: string, overwrite: "T" | "F"): Promise<Response> {
    const headers = { destination: this.#url(to), overwrite };
    return this.#ask("MOVE", from, { headers });
  }

  async #makeCollection(at: string): Promise<void> {
    const response = await this.#ask("MKCOL", `${at}/`);
    drop(response);
    // 405: it is there. Others may be what a server says that makes parents by itself.
    const { status } = response;
    if (status >= 500 && status !== 501) throw this.#failed("MKCOL", at, response);
  }

  async #ask(
    method: string,
    at: string,
    {
      patient = false,
      headers = {},
      signal,
      body,
      size,
    }: {
      /** It takes as long as its body does. */
      patient?: boolean;
      headers?: Record<string, string>;
      signal?: AbortSignal | undefined;
      body?: Uint8Array | ReadableStream<Uint8Array> | string;
      /** Bytes of a stream. */
      size?: number | undefined;
    } = {},
  ): Promise<Response> {
    if (this.#direct !== undefined) {
      const sent = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const request = {
        method,
        target: this.#target(at),
        headers: this.#with(headers),
        body: sent,
        size,
      };
      const asked = this.#inWords(method, at, this.#direct.ask(request, signal));
      return responseOf(method, await asked);
    }
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    const late = new AbortController();
    const asked = this.#inWords(
      method,
      at,
      fetch(this.#url(at), {
        method,
        headers: this.#with(headers),
        ...(body !== undefined && { body: body as BodyInit }),
        redirect: "manual",
        decompress: false,
        signal: AbortSignal.any([...signals, late.signal]),
      }),
    );
    try {
      return patient
        ? await asked
        : await within(asked, `${this.where}: ${method} ${at}`, STALL_MS);
    } catch (error) {
      asked.catch(() => {}); // it was late, and is given up now
      late.abort();
      throw error;
    }
  }

  #with(headers: Record<string, string>): Record<string, string> {
    const authorization = this.#authorization;
    return authorization === undefined ? headers : { ...headers, authorization };
  }

  /** What came of it; without an answer the member is away. */
  #inWords<T>(method: string, at: string, asked: Promise<T>): Promise<T> {
    return asked.catch((error: unknown): never => {
      const why = error instanceof Error ? error.message : String(error);
      throw new MemberError("away", `${this.where}: ${method} ${at}: ${why}`, { cause: error });
    });
  }

  #expect(response: Response, method: string, at: string): void {
    drop(response);
    if (!response.ok) throw this.#failed(method, at, response);
  }

  #failed(method: string, at: string, response: Response): MemberError {
    drop(response);
    return this.#failure(method, at, response.status);
  }

  #failure(method: string, at: string, status: number): MemberError {
    const trouble = TROUBLES[status] ?? (status >= 500 ? "away" : "failed");
    return new MemberError(trouble, `${this.where}: ${method} ${at}: ${status}`);
  }

  async #text(response: Response): Promise<string> {
    const text = await within(response.text(), `${this.where}: a list`, 10 * STALL_MS);
    if (text.length > MAX_LIST) throw new MemberError("failed", `${this.where}: too long a list`);
    return text;
  }

  #path(at: string): string {
    return decodeURIComponent(new URL(this.where).pathname.replace(/\/$/, "")) + at;
  }

  #url(at: string): string {
    return this.where + escapePath(at);
  }

  /** As a request line has it. */
  #target(at: string): string {
    return this.#base + escapePath(at);
  }
}

function escapePath(at: string): string {
  return at.split("/").map(escapeSegment).join("/");
}

/** An answer with all of its body, which is read by whoever asked. */
async function responseOf(method: string, answer: DirectAnswer): Promise<Response> {
  const { status, headers } = answer;
  try {
    const body = await within(answer.whole(MAX_LIST), "an answer", 10 * STALL_MS);
    return new Response(method === "HEAD" || body.length === 0 ? null : body, { status, headers });
  } catch (error) {
    answer.close();
    throw error;
  }
}

/** RFC 3986, 3.3; encodeURIComponent leaves none of those that delimit. */
function escapeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed());
}

function isMissing({ status }: Pick<Response, "status">): boolean {
  return status === 404 || status === 410;
}

/** 409 says so (RFC 4918, 9.7.1), 404 and 500 are what nginx says without create_full_put_path. */
function needsParents({ status }: Response): boolean {
  return status === 409 || status === 404 || status === 500;
}

function factsOf(headers: Headers, size: number): Facts {
  return { size, mtime: parseDate(headers.get("last-modified") ?? "") ?? 0 };
}
