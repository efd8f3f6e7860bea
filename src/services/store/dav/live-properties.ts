/** Properties the store itself knows (RFC 4918, 15), and what sync clients want to know. */
import { escapeXml } from "../../../core/escape-xml.ts";
import { lockDiscovery } from "../../../net/dav/locking.ts";
import { davElement, SUPPORTED_LOCKS } from "../../../wire/dav/multistatus.ts";
import { DAV, type PropertyName } from "../../../wire/dav/property-name.ts";
import { formatDate } from "../../../wire/http/date.ts";
import { typeOf } from "../../../wire/http/mime.ts";
import { etagOf } from "../answer.ts";
import { stampOf } from "../record.ts";
import type { Node } from "../tree/tree.ts";
import { type Call, type DavContext, viewOf } from "./context.ts";

/** XML of the value; undefined when this kind of resource has no such property. */
type Live = (dav: DavContext, call: Call, node: Node) => string | undefined;

const LIVE: Readonly<Record<string, Live>> = {
  resourcetype: (_, __, { kind }) => (kind === "collection" ? "<D:collection/>" : ""),
  displayname: (_, __, { path }) => escapeXml(path.slice(path.lastIndexOf("/") + 1) || "/"),
  creationdate: (_, __, node) => new Date(createdAt(node)).toISOString(),
  getlastmodified: (_, __, node) => formatDate(changedAt(node)),
  getcontentlength: (_, __, node) => (node.kind === "file" ? String(node.version.size) : undefined),
  getcontenttype: (_, __, node) => (node.kind === "file" ? escapeXml(mediaType(node)) : undefined),
  getetag: (_, __, node) =>
    node.kind === "file" ? escapeXml(etagOf(node.version) ?? "") : undefined,
  supportedlock: () => SUPPORTED_LOCKS,
  lockdiscovery: (dav, call, { path }) => lockDiscovery(viewOf(dav, call), path, dav.now()),
};

/** The server's default; PROPPATCH may put another one in its place (15.2). */
const WRITABLE = new Set(["displayname"]);
/** Namespace of ownCloud's and Nextcloud's clients, and of rclone for them. */
const OWNCLOUD = "http://owncloud.org/ns";

/** Names in DAV: that `allprop` answers. */
export const ALL_LIVE: readonly string[] = Object.keys(LIVE);
/** Names in DAV: that `propname` answers. */
export const EVERY_LIVE: readonly string[] = ALL_LIVE;

/** May PROPPATCH not touch it? */
export function isProtected({ ns, name }: PropertyName): boolean {
  return ns === DAV ? Object.hasOwn(LIVE, name) && !WRITABLE.has(name) : isSums({ ns, name });
}

/** The whole property element; undefined when the resource has no such live property. */
export function liveProperty(
  dav: DavContext,
  call: Call,
  node: Node,
  property: PropertyName,
): string | undefined {
  const { ns, name } = property;
  if (isSums(property)) return sumsOf(node);
  const live = ns === DAV && Object.hasOwn(LIVE, name) ? LIVE[name] : undefined;
  const value = live?.(dav, call, node);
  return value === undefined ? undefined : davElement(name, value);
}

function isSums({ ns, name }: PropertyName): boolean {
  return ns === OWNCLOUD && name === "checksums";
}

/** What the client said of the body, once it was found to be true, and what we know of it. */
function sumsOf(node: Node): string | undefined {
  if (node.kind !== "file" || node.version.kind !== "file") return undefined;
  const { sha256, meta } = node.version;
  const given = meta?.["oc"];
  const sums = [...(given === undefined ? [] : [given]), `SHA256:${sha256}`];
  const text = escapeXml([...new Set(sums)].join(" "));
  return `<oc:checksums xmlns:oc="${OWNCLOUD}"><oc:checksum>${text}</oc:checksum></oc:checksums>`;
}

function changedAt(node: Node): number {
  return node.kind === "file" ? node.version.mtime : node.mtime;
}

/** Of a file the time of its version; of what an old 3fsd stored only one time is known. */
function createdAt(node: Node): number {
  return node.kind === "file" ? stampOf(node.version).time || node.version.mtime : node.mtime;
}

function mediaType(node: Node & { readonly kind: "file" }): string {
  const said = node.version.kind === "file" ? node.version.type : undefined;
  return said ?? typeOf(node.path, {});
}
