/** WebDAV class 1, 2 and 3 (RFC 4918) over the tree of a web site. */
import { setTimeout as wait } from "node:timers/promises";

import { plain } from "../../../net/dav/answers.ts";
import { Store } from "../../../net/dav/store.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { WebdavConfig } from "../config.ts";
import type { Tree } from "../tree.ts";
import type { Caller, DavContext, DavDeps } from "./context.ts";
import { copyOrMove } from "./copy-move.ts";
import { remove } from "./delete.ts";
import { answerError } from "./failure.ts";
import { lock, unlock } from "./lock.ts";
import { mkcol } from "./mkcol.ts";
import { propfind } from "./propfind.ts";
import { proppatch } from "./proppatch.ts";
import { put } from "./put.ts";
import { STALE_MS, sweep } from "./sweep.ts";

export type { Caller, DavDeps } from "./context.ts";

/** The methods of one site. */
export interface Dav {
  /**
   * Answer a request for one of WebDAV's methods. Undefined when it is another method: the site
   * goes on with it. `caller` is what the site knows of who asks.
   */
  handle(request: HttpRequest, caller: Caller): Promise<HttpResponse> | undefined;
  /** Give back files and timers. Call it when the requests in hand are answered. */
  stop(): void;
}

type Method = (dav: DavContext, request: HttpRequest, caller: Caller) => Promise<HttpResponse>;

const WRITING: Readonly<Record<string, Method>> = {
  PUT: put,
  DELETE: remove,
  MKCOL: mkcol,
  COPY: copyOrMove,
  MOVE: copyOrMove,
  PROPPATCH: proppatch,
};
const LOCKING: Readonly<Record<string, Method>> = { LOCK: lock, UNLOCK: unlock };
const READING: Readonly<Record<string, Method>> = {
  OPTIONS: async (dav) => options(dav),
  PROPFIND: propfind,
};

/** Touches nothing on disk before the first request, apart from the sweep where it is asked for. */
export function makeDav(config: WebdavConfig, tree: Tree, deps: DavDeps): Dav {
  const stopping = new AbortController();
  let opened: Store | undefined;
  const store = (): Store => {
    if (stopping.signal.aborted) throw new Error("this WebDAV site has stopped");
    return (opened ??= new Store(deps.state, deps.now));
  };
  const dav: DavContext = { ...deps, config, tree, store };
  const methods = { ...READING, ...WRITING, ...(config.locks ? LOCKING : {}) };
  if (deps.sweep)
    cleanUp(dav, stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) deps.log.error("cleaning up after uploads failed", { error });
    });

  return {
    handle(request, caller) {
      const { method } = request;
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!run) return undefined;
      if (!Object.hasOwn(READING, method) && !caller.mayWrite)
        return Promise.resolve(notYours(caller));
      return run(dav, request, caller).catch(answerError);
    },
    stop() {
      stopping.abort();
      opened?.close();
    },
  };
}

function options(dav: DavContext): HttpResponse {
  const locks = dav.config.locks;
  const allow = ["GET", "HEAD", ...Object.keys(READING), ...Object.keys(WRITING)];
  return respond(200, [
    ["Allow", [...allow, ...(locks ? Object.keys(LOCKING) : [])].join(", ")],
    ["DAV", locks ? "1, 2, 3" : "1, 3"],
    ["MS-Author-Via", "DAV"], // Windows and Office look for it before they trust LOCK
  ]);
}

function notYours(caller: Caller): HttpResponse {
  return caller.challenge === undefined
    ? plain(403, "This tree is read-only for you.")
    : plain(401, "Log in to change anything here.", [["WWW-Authenticate", caller.challenge]]);
}

/** Once now, and once more when what is still fresh has become stale. */
async function cleanUp(dav: DavContext, signal: AbortSignal): Promise<void> {
  const rules = { now: dav.now, alive: isAlive, signal };
  for (let again = true; again && !signal.aborted;) {
    const { removed, young } = await sweep(dav.tree.realRoot, rules);
    if (removed.length > 0) {
      dav.log.info("removed what interrupted uploads left behind", { files: removed.length });
      await forget(dav, removed);
    }
    again = young.length > 0;
    if (again) await wait(STALE_MS, undefined, { signal, ref: false });
  }
}

async function forget(dav: DavContext, removed: readonly string[]): Promise<void> {
  const { locks, properties } = dav.store();
  await dav.store().exclusively(() => {
    for (const path of removed) {
      locks.removeTree(path);
      properties.removeTree(path);
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (failed) {
    return failed instanceof Error && "code" in failed && failed.code === "EPERM"; // somebody else's
  }
}
