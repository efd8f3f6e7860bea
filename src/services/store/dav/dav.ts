/** WebDAV class 1, 2 and 3 (RFC 4918) over all members of a store. */
import { Store } from "../../../net/dav/store.ts";
import type { Log } from "../../../observe/log.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { type Asked, readName } from "../names.ts";
import type { Permit } from "../permit.ts";
import { NotKept, type Tree } from "../tree/tree.ts";
import { Unsure } from "../tree/unsure.ts";
import { troubled, undecided } from "../troubles.ts";
import type { Call, DavContext } from "./context.ts";
import { copyOrMove } from "./copy-move.ts";
import { remove } from "./delete.ts";
import { withoutSlash } from "./guard.ts";
import { lock, unlock } from "./lock.ts";
import { mkcol } from "./mkcol.ts";
import { propfind } from "./propfind.ts";
import { proppatch } from "./proppatch.ts";
import { put } from "./put.ts";

type Method = (dav: DavContext, call: Call) => Promise<HttpResponse>;

const METHODS: Readonly<Record<string, Method>> = {
  PROPFIND: propfind,
  PUT: put,
  DELETE: remove,
  MKCOL: mkcol,
  COPY: copyOrMove,
  MOVE: copyOrMove,
  PROPPATCH: proppatch,
  LOCK: lock,
  UNLOCK: unlock,
};

/** What a store lends. */
export interface DavDeps {
  readonly tree: Tree;
  readonly permit: Permit;
  readonly log: Log;
  /** First word of stages' paths: `_3fs`. */
  readonly prefix: string;
  /** Directory of `dav.sqlite`, which all workers share. */
  readonly directory: string;
  /** Milliseconds, never going back; and since 1970. */
  readonly now: () => number;
  readonly wall: () => number;
}

export class Dav {
  /** What OPTIONS says. */
  readonly allow = ["OPTIONS", "GET", "HEAD", ...Object.keys(METHODS)].join(", ");
  readonly #deps: DavDeps;
  readonly #context: DavContext;
  #opened: Store | undefined;

  /** Touches nothing on disk before the first request. */
  constructor(deps: DavDeps) {
    this.#deps = deps;
    const { tree, permit, log, prefix, now, wall } = deps;
    this.#context = {
      tree,
      log,
      now: wall,
      store: () => (this.#opened ??= new Store(deps.directory, wall)),
      read: (at) => readName(at, prefix, false),
      refuse: (request, path) => permit.refuse(request, "write", path, now()),
    };
  }

  options(): HttpResponse {
    return respond(200, [
      ["Allow", this.allow],
      ["DAV", "1, 2, 3"],
      ["MS-Author-Via", "DAV"], // Windows and Office look for it before they trust LOCK
    ]);
  }

  /** Undefined when it is another method. Who asks may do it: that was seen before. */
  async handle(request: HttpRequest, asked: Asked): Promise<HttpResponse | undefined> {
    const { method } = request;
    const run = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
    if (run === undefined) return undefined;
    const { permit, tree, prefix, now, log } = this.#deps;
    if (!tree.has(asked.stage)) return respond(404, [], "There is no such stage.\n");
    const call: Call = {
      request,
      view: asked.stage,
      head: asked.stage === "any" ? "" : `/${prefix}_${asked.stage}`,
      ...withoutSlash(asked.path),
      user: await permit.who(request, now()),
    };
    try {
      return await run(this.#context, call);
    } catch (error) {
      if (!(error instanceof Unsure) && !(error instanceof NotKept)) throw error;
      log.warn("not done", { method, path: call.path, why: error.message });
      return error instanceof NotKept ? troubled(error.trouble) : undecided();
    }
  }

  close(): void {
    this.#opened?.close();
  }
}
