/** HTTP in front of a store: GET, HEAD, PUT and DELETE of files. */
import { parseDate } from "../../wire/http/date.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../wire/http/message.ts";
import { answerWith, etagOf, firstByte, mayChange, type Plan, plan } from "./answer.ts";
import type { StoreConfig } from "./config.ts";
import { find } from "./find.ts";
import type { Trouble } from "./members/member.ts";
import { type Asked, type Name, readName } from "./names.ts";
import { Permit } from "./permit.ts";
import { openToRead } from "./read.ts";
import type { Version } from "./record.ts";
import type { Shelf } from "./shelf.ts";
import { put, remove, type Written } from "./write.ts";

const METHODS = "GET, HEAD, PUT, DELETE, OPTIONS";
/** Seconds until another try makes sense. */
const RETRY = [["Retry-After", "2"]] as const;

const STATUSES: Readonly<Record<Trouble, readonly [status: number, words: string]>> = {
  away: [503, "Too few of the members that should keep this can be reached."],
  failed: [503, "Too few of the members that should keep this can do so."],
  refused: [503, "The members that should keep this will not."],
  full: [507, "There is no room left for that."],
  "too-long": [414, "The name is longer than the members take."],
  conflict: [409, "A file is where a directory would have to be, or the other way round."],
};

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
  readonly #now: () => number;

  constructor(config: StoreConfig, shelves: readonly Shelf[], now: () => number) {
    this.#config = config;
    this.#shelves = shelves.toSorted((a, b) => b.number - a.number);
    this.#permit = new Permit(config);
    this.#now = now;
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const answer = await this.#answer(request);
    if (answer.status === 503 || answer.status === 507) this.figures.failed++;
    return answer;
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const { method } = request;
    if (method === "OPTIONS") return respond(200, [["Allow", METHODS]]);
    const asked = readName(request, this.#config.prefix, this.#config.raw_paths);
    if (asked === "bad") return respond(404, [], "There is no such stage.\n");
    const wish = method === "GET" || method === "HEAD" ? "read" : "write";
    const refused = await this.#permit.refuse(request, wish, asked.path, this.#now());
    if (refused !== undefined) {
      this.figures.refused++;
      return refused;
    }
    switch (method) {
      case "GET":
      case "HEAD":
        return this.#get(request, asked);
      case "PUT":
        return this.#put(request, asked);
      case "DELETE":
        return this.#delete(request, asked);
      default:
        return respond(405, [["Allow", METHODS]], "Not here.\n");
    }
  }

  async #get(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    this.figures.reads++;
    if (isCollection(asked)) return notFound();
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
        case "open":
          return answerWith(what, opened.body, asked.path);
      }
    }
    return notFound();
  }

  async #put(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    this.figures.writes++;
    if (isCollection(asked)) return respond(405, [["Allow", "GET, HEAD"]], "This is no file.\n");
    if (request.headers.has("content-range"))
      return respond(400, [], "A part of a file cannot be written here.\n");
    const place = await this.#locate(asked, true);
    if ("status" in place) return place;
    const { shelf, name } = place;
    // Asked before the body comes, so that nobody sends it in vain; and again when it has come.
    if (isConditional(request)) {
      const found = await find(shelf, name);
      if (found.kind === "unsure") return unsure(found.why, shelf, name);
      if (!mayChange(request, found.kind === "found" ? found.version : undefined))
        return respond(412, [], "A condition of the request does not hold.\n");
    }
    const about = {
      type: request.headers.get("content-type") ?? undefined,
      mtime: clientTime(request),
    };
    const written = await put(shelf, name, request.body ?? empty(), about, (newest) =>
      mayChange(request, newest),
    );
    return this.#written(written, shelf, name);
  }

  async #delete(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    this.figures.deletes++;
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
      const found = await find(shelf, name);
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
        const [status, words] = STATUSES[trouble];
        shelf.common.log.warn("not kept", { path, stage: shelf.number, why });
        return respond(status, status === 503 ? RETRY : [], `${words}\n`);
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

/** X-OC-Mtime, in seconds, as ownCloud's clients send it; else what a copying client may say. */
function clientTime({ headers }: HttpRequest): number | undefined {
  const seconds = Number.parseFloat(headers.get("x-oc-mtime") ?? "");
  if (Number.isFinite(seconds) && seconds > 0) return Math.floor(seconds * 1000);
  return parseDate(headers.get("last-modified") ?? "");
}

async function* empty(): AsyncGenerator<Uint8Array, void> {}

function notFound(): HttpResponse {
  return respond(404, [], "There is no such file.\n");
}

function unsure(why: string, { common, number }: Shelf, { path }: Name): HttpResponse {
  common.log.warn("cannot say what is the newest", { path, stage: number, why });
  return respond(503, RETRY, "Too few of the members that keep this can be reached.\n");
}
