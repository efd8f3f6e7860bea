/** HTTP in front of a store: GET, HEAD, PUT and DELETE of files. */
import type { Quick } from "../../net/quick.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../wire/http/message.ts";
import { answerWith, etagOf, firstByte, mayChange, type Plan, plan } from "./answer.ts";
import { clientTime } from "./client-time.ts";
import type { StoreConfig } from "./config.ts";
import type { Dav } from "./dav/dav.ts";
import { lookUp, wishedEnd } from "./expiry.ts";
import { type Asked, type Name, readName } from "./names.ts";
import type { Permit } from "./permit.ts";
import { QuickTable } from "./quick/table.ts";
import { openToRead } from "./read.ts";
import type { Version } from "./record.ts";
import type { S3Front } from "./s3/front.ts";
import type { Shelf } from "./shelf.ts";
import { isReserved } from "./tree/tree.ts";
import { troubled, undecided } from "./troubles.ts";
import { put, remove } from "./write.ts";
import type { Written } from "./written.ts";

const METHODS = "GET, HEAD, PUT, DELETE, OPTIONS";
const READING = new Set(["GET", "HEAD", "PROPFIND"]);

/** What it has done, for metrics. */
export interface FrontFigures {
  reads: number;
  writes: number;
  deletes: number;
  refused: number;
  /** Answered 503 or 507. */
  failed: number;
}

/** Where a name is to be looked for, or that there is no such place. */
type Located = { readonly shelf: Shelf; readonly name: Name } | HttpResponse;

export class Front {
  readonly figures: FrontFigures = { reads: 0, writes: 0, deletes: 0, refused: 0, failed: 0 };
  readonly #config: StoreConfig;
  /** Newest first. */
  readonly #shelves: readonly Shelf[];
  readonly #permit: Permit;
  readonly #dav: Dav | undefined;
  readonly #s3: S3Front | undefined;
  readonly #now: () => number;
  /** Small files that were sent a moment ago; undefined where not everybody may read everything. */
  readonly quick: Quick | undefined;
  readonly #table: QuickTable | undefined;

  /** With `dav` it answers WebDAV's methods, and all that change something; with `s3` what is signed. */
  constructor(
    config: StoreConfig,
    shelves: readonly Shelf[],
    permit: Permit,
    { dav, s3 }: { readonly dav: Dav | undefined; readonly s3: S3Front | undefined },
    now: () => number,
  ) {
    this.#config = config;
    this.#shelves = shelves.toSorted((a, b) => b.number - a.number);
    this.#permit = permit;
    this.#dav = dav;
    this.#s3 = s3;
    this.#now = now;
    const changes = shelves[0]?.common.locks.changes;
    if (changes === undefined || !permit.isOpen) return;
    const table = new QuickTable(changes, now);
    this.#table = table;
    this.quick = (head, at) => {
      const found = table.find(head, at);
      if (found !== undefined) this.figures.reads++;
      return found;
    };
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const answer = await this.#answer(request);
    if (answer.status === 503 || answer.status === 507) this.figures.failed++;
    return answer;
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const { method } = request;
    const signed = this.#s3?.handle(request);
    if (signed !== undefined) return signed;
    if (method === "OPTIONS") return this.#dav?.options() ?? respond(200, [["Allow", METHODS]]);
    const asked = readName(request, this.#config.prefix, this.#config.raw_paths);
    if (asked !== "bad" && isReserved(asked.path)) return notFound();
    if (asked === "bad") return respond(404, [], "There is no such stage.\n");
    const wish = READING.has(method) ? "read" : "write";
    const refused = await this.#permit.refuse(request, wish, asked.path, this.#now());
    if (refused !== undefined) {
      this.figures.refused++;
      return refused;
    }
    if (method === "PUT") this.figures.writes++;
    if (method === "DELETE") this.figures.deletes++;
    const answer = await this.#dav?.handle(request, asked);
    if (answer !== undefined) return answer;
    switch (method) {
      case "GET":
      case "HEAD":
        return this.#get(request, asked);
      case "PUT":
        return this.#put(request, asked);
      case "DELETE":
        return this.#delete(request, asked);
      default:
        return respond(405, [["Allow", this.#dav?.allow ?? METHODS]], "Not here.\n");
    }
  }

  async #get(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    this.figures.reads++;
    if (isCollection(asked)) return notFound();
    const moment = this.#table?.moment(asked.key);
    const shelves =
      asked.stage === "any" ? this.#shelves : this.#shelves.filter((s) => s.number === asked.stage);
    for (const shelf of shelves) {
      const name = nameIn(shelf, asked);
      let what: Plan = { kind: "whole" };
      const opened = await openToRead(shelf, name, (version) => {
        what = plan(request, version);
        return firstByte(what);
      });
      switch (opened.kind) {
        case "absent":
          continue;
        case "deleted":
          return notFound();
        case "unsure":
          return unsure(opened.why, shelf, name);
        case "open": {
          const { body } = opened;
          const answer = answerWith(what, body, asked.path);
          // One that ends by itself is looked at each time.
          const ends = body.version.kind === "file" && body.version.until !== undefined;
          if (moment !== undefined && !ends) this.#table?.learn(request, answer, moment);
          return answer;
        }
      }
    }
    return notFound();
  }

  async #put(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    if (isCollection(asked)) return respond(405, [["Allow", "GET, HEAD"]], "This is no file.\n");
    if (request.headers.has("content-range"))
      return respond(400, [], "A part of a file cannot be written here.\n");
    const place = await this.#locate(asked, true);
    if ("status" in place) return place;
    const { shelf, name } = place;
    const until = wishedEnd(request.headers, shelf.common.wall());
    if (until === "unreadable") return respond(400, [], "That is no time to come.\n");
    // Asked before the body comes, so that nobody sends it in vain; and again when it has come.
    if (isConditional(request)) {
      const found = await lookUp(shelf, name);
      if (found.kind === "unsure") return unsure(found.why, shelf, name);
      if (!mayChange(request, found.kind === "found" ? found.version : undefined))
        return respond(412, [], "A condition of the request does not hold.\n");
    }
    const about = {
      type: request.headers.get("content-type") ?? undefined,
      size: request.contentLength,
      mtime: clientTime(request),
      until,
    };
    const written = await put(shelf, name, request.body ?? empty(), about, (newest) =>
      mayChange(request, newest),
    );
    return this.#written(written, shelf, name);
  }

  async #delete(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    if (isCollection(asked)) return notFound();
    const place = await this.#locate(asked, false);
    if ("status" in place) return place;
    const { shelf, name } = place;
    let there = true;
    const written = await remove(shelf, name, (newest) => {
      there = exists(newest);
      return there && mayChange(request, newest);
    });
    return there ? this.#written(written, shelf, name) : notFound();
  }

  /** The stage that a name says, or that has it; `fresh`: else the one for new names. */
  async #locate(asked: Asked, fresh: boolean): Promise<Located> {
    const of = (number: number): Located => {
      const shelf = this.#shelves.find((one) => one.number === number);
      if (shelf === undefined) return respond(404, [], "There is no such stage.\n");
      return { shelf, name: nameIn(shelf, asked) };
    };
    if (asked.stage !== "any") return of(asked.stage);
    for (const shelf of this.#shelves) {
      const name = nameIn(shelf, asked);
      const found = await lookUp(shelf, name);
      if (found.kind === "unsure") return unsure(found.why, shelf, name);
      if (found.kind === "absent") continue;
      if (exists(found.version)) return { shelf, name };
      break; // deleted: what older stages may have is older
    }
    return fresh ? of(this.#config.stage) : notFound();
  }

  #written(written: Written, shelf: Shelf, { path }: Name): HttpResponse {
    switch (written.kind) {
      case "no":
        return respond(412, [], "A condition of the request does not hold.\n");
      case "too-few": {
        const { trouble, why } = written;
        shelf.common.log.warn("not kept", { path, stage: shelf.number, why });
        return troubled(trouble);
      }
      case "kept": {
        const etag = etagOf(written.version);
        const status = etag === undefined || exists(written.before) ? 204 : 201;
        return respond(status, etag === undefined ? [] : [["ETag", etag]]);
      }
    }
  }
}

function nameIn(shelf: Shelf, { key, path }: Asked): Name {
  return { stage: shelf.number, key, path };
}

function isCollection({ path }: Asked): boolean {
  return path.endsWith("/");
}

function isConditional({ headers }: HttpRequest): boolean {
  return ["if-match", "if-none-match", "if-unmodified-since"].some((name) => headers.has(name));
}

function exists(version: Version | undefined): boolean {
  return version !== undefined && version.kind !== "deleted";
}

async function* empty(): AsyncGenerator<Uint8Array, void> {}

function notFound(): HttpResponse {
  return respond(404, [], "There is no such file.\n");
}

function unsure(why: string, { common, number }: Shelf, { path }: Name): HttpResponse {
  common.log.warn("cannot say what is the newest", { path, stage: number, why });
  return undecided();
}
