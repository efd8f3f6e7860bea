/** Properties the server itself knows (RFC 4918, 15; RFC 4331). */
import { statfsSync, type StatsFs } from "node:fs";
import { basename } from "node:path";

import { escapeXml } from "../../../core/escape-xml.ts";
import { lockDiscovery } from "../../../net/dav/locking.ts";
import type { Lock } from "../../../net/dav/locks.ts";
import { davElement, SUPPORTED_LOCKS } from "../../../wire/dav/multistatus.ts";
import { DAV, type PropertyName } from "../../../wire/dav/property-name.ts";
import { formatDate } from "../../../wire/http/date.ts";
import type { DavContext } from "./context.ts";
import { etagOf, hrefOfKey, type Resource } from "./resource.ts";

/** What a listing knows of each resource. */
export type Described = Pick<Resource, "path" | "kind" | "key"> & {
  readonly stats: NonNullable<Resource["stats"]>;
  /** Reached through a symbolic link. */
  readonly linked: boolean;
};

/** XML of the value; undefined when this kind of resource has no such property. */
type Live = (dav: DavContext, resource: Described) => string | undefined;

const collection = (resource: Described): boolean => resource.kind === "collection";

const LIVE: Readonly<Record<string, Live>> = {
  resourcetype: (_, r) => (collection(r) ? "<D:collection/>" : ""),
  displayname: (_, r) => escapeXml(basename(r.path) || "/"),
  creationdate: (_, r) => new Date(r.stats.birthtimeMs || r.stats.ctimeMs).toISOString(),
  getlastmodified: (_, r) => formatDate(r.stats.mtimeMs),
  getcontentlength: (_, r) => (collection(r) ? undefined : String(r.stats.size)),
  getcontenttype: (dav, r) =>
    collection(r) ? undefined : escapeXml(dav.contentType(basename(r.path))),
  getetag: (_, r) => escapeOptional(etagOf(r.stats)),
  supportedlock: (dav) => (dav.config.locks ? SUPPORTED_LOCKS : undefined),
  lockdiscovery: (dav, r) => (dav.config.locks ? locksOn(dav, r.key) : undefined),
  "quota-available-bytes": (dav, r) => quota(dav, r, ({ bavail, bsize }) => bavail * bsize),
  "quota-used-bytes": (dav, r) => quota(dav, r, (fs) => (fs.blocks - fs.bfree) * fs.bsize),
};

/** Told only to who asks by name: each costs a system call (RFC 4331, 3 and 4 say so, too). */
const ON_REQUEST = new Set(["quota-available-bytes", "quota-used-bytes"]);
/** The server's default; PROPPATCH may put another one in its place (15.2). */
const WRITABLE = new Set(["displayname"]);

/** Names that `allprop` answers. */
export const ALL_LIVE: readonly string[] = Object.keys(LIVE).filter((n) => !ON_REQUEST.has(n));
/** Names that `propname` answers. */
export const EVERY_LIVE: readonly string[] = Object.keys(LIVE);

/** May PROPPATCH not touch it? */
export function isProtected({ ns, name }: PropertyName): boolean {
  return ns === DAV && Object.hasOwn(LIVE, name) && !WRITABLE.has(name);
}

/** The whole property element; undefined when the resource has no such live property. */
export function liveProperty(
  dav: DavContext,
  resource: Described,
  { ns, name }: PropertyName,
): string | undefined {
  const live = ns === DAV && Object.hasOwn(LIVE, name) ? LIVE[name] : undefined;
  const value = live?.(dav, resource);
  return value === undefined ? undefined : davElement(name, value);
}

/** The locks on a resource, for `lockdiscovery`. */
export function locksOn(dav: DavContext, key: string): string {
  const hrefOf = (lock: Lock): string => hrefOfKey(dav.tree, lock.path, lock.collection);
  return lockDiscovery({ locks: dav.store().locks, hrefOf }, key, dav.now());
}

function quota(
  dav: DavContext,
  resource: Described,
  value: (fs: StatsFs) => number,
): string | undefined {
  if (!collection(resource)) return undefined;
  try {
    return String(value(statfsSync(resource.key)));
  } catch (failed) {
    dav.log.debug("the file system does not tell its size", { path: resource.path, error: failed });
    return undefined;
  }
}

function escapeOptional(text: string | undefined): string | undefined {
  return text === undefined ? undefined : escapeXml(text);
}
