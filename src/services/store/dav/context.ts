/** What every method of WebDAV works with. */
import type { LockView } from "../../../net/dav/locking.ts";
import type { Store } from "../../../net/dav/store.ts";
import type { Log } from "../../../observe/log.ts";
import { href } from "../../../wire/dav/href.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { Asked } from "../names.ts";
import type { Tree, View } from "../tree/tree.ts";

export interface DavContext {
  readonly tree: Tree;
  /** Locks and dead properties, by path: a name is one thing, whatever its stage. */
  readonly store: () => Store;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What a path means; "bad": its stage is none of ours. */
  readonly read: (at: Pick<HttpRequest, "path" | "target">) => Asked | "bad";
  /** Undefined: whoever sends the request may write there. */
  readonly refuse: (request: HttpRequest, path: string) => Promise<HttpResponse | undefined>;
}

/** A request, read. */
export interface Call {
  readonly request: HttpRequest;
  readonly view: View;
  /** What stands before the stage's paths in URLs: "" or `/_3fs_0`. */
  readonly head: string;
  /** Without a slash at its end, but for the root. */
  readonly path: string;
  /** It came with a slash at its end: a collection is meant. */
  readonly slash: boolean;
  /** Undefined when nobody logged in. */
  readonly user: string | undefined;
}

/** Escaped. */
export function hrefOf({ head }: Pick<Call, "head">, path: string, collection: boolean): string {
  return href(head + (path === "/" && head !== "" ? "" : path), collection);
}

/** The locks, as who calls sees them. */
export function viewOf(dav: DavContext, call: Call): LockView {
  return {
    locks: dav.store().locks,
    user: call.user,
    hrefOf: ({ path, collection }) => hrefOf(call, path, collection),
  };
}
