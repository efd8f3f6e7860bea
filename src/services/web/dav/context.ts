import type { Store } from "../../../net/dav/store.ts";
/** What every method of WebDAV works with. */
import type { Log } from "../../../observe/log.ts";
import type { WebdavConfig } from "../config.ts";
import type { Tree } from "../tree.ts";

/** What the web service lends. */
export interface DavDeps {
  readonly log: Log;
  /** Directory of `dav.sqlite`: the same for all sites and workers, kept across restarts. */
  readonly state: string;
  /** Milliseconds since 1970: locks outlive processes, so their ends are told in calendar time. */
  readonly now: () => number;
  /** Content-Type of a file by its name: the same as GET says. */
  readonly contentType: (name: string) => string;
  /** Called when the resource at this decoded path, and maybe all beneath it, has changed. No slash at its end. */
  readonly onChange: (path: string) => void;
  /** Clean up what killed processes left behind. True in one worker of each site. */
  readonly sweep: boolean;
}

/** Who asks, as the web service found out. */
export interface Caller {
  readonly mayWrite: boolean;
  /** Undefined when nobody logged in. */
  readonly user: string | undefined;
  /** Value for WWW-Authenticate, when a login could turn `mayWrite`. */
  readonly challenge: string | undefined;
}

export interface DavContext extends DavDeps {
  readonly config: WebdavConfig;
  readonly tree: Tree;
  /** Opened when first asked for. */
  readonly store: () => Store;
}
