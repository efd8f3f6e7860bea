/** Any server that understands GET, HEAD, PUT and DELETE; better one that understands MOVE and MKCOL. */
import type { Upstream } from "../../../net/upstream/upstream.ts";
import { parseDate } from "../../../wire/http/date.ts";
import { PROPFIND_BODY, readAutoindex, readMultistatus, saysCollection } from "./dav-list.ts";
import { DavParents } from "./dav-parents.ts";
import { DavRequests } from "./dav-requests.ts";
import { DavUpload, type Wire } from "./dav-upload.ts";
import type { DirectAnswer } from "./direct-answer.ts";
import { readDirectly } from "./direct-reading.ts";
import { drop, readOverHttp, streamOf } from "./http-reading.ts";
import {
  type Facts,
  type Item,
  type Member,
  MemberError,
  type Reading,
  type Upload,
} from "./member.ts";

export class WebdavMember implements Member {
  readonly id: string;
  readonly where: string;
  readonly #requests: DavRequests;
  readonly #parents = new DavParents((at) => this.#makeCollection(at));
  /** Learned from the first MOVE. */
  #moves = true;

  /** `base`: a URL without a path, or with one and without its last slash. `upstream` keeps connections. */
  constructor(id: string, base: string, upstream?: Upstream) {
    this.id = id;
    this.#requests = new DavRequests(base, upstream);
    this.where = this.#requests.where;
  }

  async put(temporary: string, size?: number): Promise<Upload> {
    const at = `${temporary}/${crypto.randomUUID()}`;
    const wire: Wire = {
      send: async (body, signal) => {
        if (body instanceof Uint8Array) return this.#store(at, body, signal);
        await this.#parents.ensure(at);
        const response = await this.#requests.ask("PUT", at, { body, size, signal, patient: true });
        if (needsParents(response)) {
          // A body that streams by cannot be sent again: the next one finds its directory.
          this.#parents.forget(at);
          drop(response);
          throw new MemberError("failed", `${this.where}: PUT ${at}: ${response.status}`);
        }
        this.#requests.expect(response, "PUT", at);
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
    const response = await this.#requests.ask("HEAD", at, { signal });
    if (isMissing(response)) return undefined;
    if (response.status !== 200) throw this.#requests.failed("HEAD", at, response);
    return factsOf(response.headers, Number(response.headers.get("content-length") ?? 0));
  }

  read(at: string, from: number, to: number, signal?: AbortSignal): Promise<Reading | undefined> {
    const file = { facts: () => this.facts(at, signal), isMissing, factsOf };
    const get = this.#requests.getter(at, signal);
    if (get !== undefined) {
      const failed = ({ status }: DirectAnswer) => this.#requests.failure("GET", at, status);
      return readDirectly({ ...file, get, failed }, from, to);
    }
    const failed = (response: Response) => this.#requests.failed("GET", at, response);
    const fetched = (headers: Record<string, string>, until: AbortSignal) =>
      this.#requests.ask("GET", at, { headers, signal: until });
    return readOverHttp({ ...file, get: fetched, failed }, from, to, signal);
  }

  async remove(at: string): Promise<void> {
    const response = await this.#requests.ask("DELETE", at);
    drop(response);
    if (!response.ok && !isMissing(response)) throw this.#requests.failed("DELETE", at, response);
  }

  async list(at: string): Promise<readonly Item[]> {
    const path = `${at}/`;
    const headers = { depth: "1", "content-type": "application/xml" };
    const asked = await this.#requests.ask("PROPFIND", path, { headers, body: PROPFIND_BODY });
    if (isMissing(asked)) return [];
    if (asked.status === 207)
      return readMultistatus(await this.#requests.text(asked), this.#requests.path(path));
    drop(asked);
    const page = await this.#requests.ask("GET", path, { headers: { accept: "application/json" } });
    if (isMissing(page)) return [];
    const items = page.ok ? readAutoindex(await this.#requests.text(page)) : undefined;
    if (items) return items;
    throw new MemberError("refused", `${this.where}: neither PROPFIND nor autoindex in JSON`);
  }

  async probe(): Promise<void> {
    const response = await this.#requests.ask("OPTIONS", "/");
    drop(response);
    // A server that does not know the word has answered too.
    if (response.status >= 500 && response.status !== 501)
      throw this.#requests.failed("OPTIONS", "/", response);
  }

  async space(): Promise<undefined> {
    return undefined; // few servers say (RFC 4331); those that are full answer 507
  }

  close(): void {
    this.#requests.close();
  }

  /** PUT a whole body, and make its parents where they are missing. */
  async #store(at: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    let response = await this.#requests.ask("PUT", at, { body, signal });
    if (needsParents(response)) {
      drop(response);
      await this.#parents.ensure(at, true);
      response = await this.#requests.ask("PUT", at, { body, signal });
    }
    this.#requests.expect(response, "PUT", at);
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
        return this.#requests.expect(response, "MOVE", to);
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
      this.#requests.expect(
        await this.#requests.ask("PUT", to, { body, patient: true }),
        "PUT",
        to,
      );
    } finally {
      reading.close();
    }
    await this.remove(from);
  }

  async #isCollection(at: string): Promise<boolean> {
    const headers = { depth: "0", "content-type": "application/xml" };
    const asked = await this.#requests.ask("PROPFIND", at, { headers, body: PROPFIND_BODY });
    if (asked.status === 207) return saysCollection(await this.#requests.text(asked));
    drop(asked);
    if (asked.status >= 300 && asked.status < 400) return true;
    // Who knows no PROPFIND sends us on to the name with a slash.
    const head = await this.#requests.ask("HEAD", at);
    drop(head);
    return head.status !== 200 && !isMissing(head);
  }

  #move(from: string, to: string, overwrite: "T" | "F"): Promise<Response> {
    const headers = { destination: this.#requests.url(to), overwrite };
    return this.#requests.ask("MOVE", from, { headers });
  }

  async #makeCollection(at: string): Promise<void> {
    const response = await this.#requests.ask("MKCOL", `${at}/`);
    drop(response);
    // 405: it is there. Others may be what a server says that makes parents by itself.
    const { status } = response;
    if (status >= 500 && status !== 501) throw this.#requests.failed("MKCOL", at, response);
  }
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
