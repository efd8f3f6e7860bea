import type { HttpRequest } from "../../../wire/http/message.ts";
import type { Entry } from "./entry.ts";
import type { Purged } from "./purge-request.ts";
import type { Store } from "./store.ts";
import type { Way } from "./way.ts";

/** What a cache needs of whoever made it. */
export interface CacheParts {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Proxies whose word on scheme and host is handed on; undefined when there are none. */
  readonly trusted: ((address: string) => boolean) | undefined;
  /** Between the parts of a multipart response: letters and digits, drawn anew each time. */
  readonly boundary: () => string;
  /** A URL was changed by a request: no worker may use what is stored of it. */
  readonly invalidate: (urls: readonly string[]) => void;
  /** Somebody who may wants these not to be used any more. Answers how many left the memory. */
  readonly purge: (what: readonly Purged[]) => number;
  /** A response was used that answers made ahead can be made of. */
  readonly used: (request: HttpRequest, entry: Entry, way: Way) => void;
}
