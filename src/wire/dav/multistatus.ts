import { escapeXml } from "../../core/escape-xml.ts";
import { DAV, type PropertyName } from "./property-name.ts";
/** XML that WebDAV answers with (RFC 4918, 13 and 14). The prefix D is bound on every root. */
import { emitTimeout } from "./timeout.ts";

export const PROLOGUE = '<?xml version="1.0" encoding="utf-8"?>\n';
export const XML_TYPE = "application/xml; charset=utf-8";

/** Around any number of `D:response` elements. */
export const MULTISTATUS_OPEN = `${PROLOGUE}<D:multistatus xmlns:D="${DAV}">\n`;
export const MULTISTATUS_CLOSE = "</D:multistatus>\n";

const REASONS: Record<number, string> = {
  200: "OK",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  412: "Precondition Failed",
  423: "Locked",
  424: "Failed Dependency",
  500: "Internal Server Error",
  507: "Insufficient Storage",
};

/** Properties that share a status. `props` are whole elements. */
export interface Propstat {
  readonly status: number;
  readonly props: readonly string[];
  /** Name of a precondition element (16), such as `cannot-modify-protected-property`. */
  readonly error?: string | undefined;
}

/** A resource and its properties, by status. Groups without properties are left out. */
export function propResponse(href: string, groups: readonly Propstat[]): string {
  const stats = groups
    .filter((g) => g.props.length > 0)
    .map((g) => {
      const error = g.error === undefined ? "" : `<D:error><D:${g.error}/></D:error>`;
      return `<D:propstat><D:prop>${g.props.join("")}</D:prop>${statusLine(g.status)}${error}</D:propstat>`;
    });
  // 14.24 wants at least one propstat, even when nothing was asked.
  const body = stats.join("") || `<D:propstat><D:prop/>${statusLine(200)}</D:propstat>`;
  return `<D:response>${hrefElement(href)}${body}</D:response>\n`;
}

/** A resource and what became of it. */
export function statusResponse(href: string, status: number, error = ""): string {
  const why = error === "" ? "" : `<D:error>${error}</D:error>`;
  return `<D:response>${hrefElement(href)}${statusLine(status)}${why}</D:response>\n`;
}

/** Body of a 4xx answer: which condition failed (16), and at which paths. */
export function errorBody(condition: string, hrefs: readonly string[] = []): string {
  return `${PROLOGUE}<D:error xmlns:D="${DAV}">${conditionElement(condition, hrefs)}</D:error>\n`;
}

/** `<D:lock-token-submitted><D:href>/a</D:href></D:lock-token-submitted>` */
export function conditionElement(condition: string, hrefs: readonly string[] = []): string {
  if (hrefs.length === 0) return `<D:${condition}/>`;
  return `<D:${condition}>${hrefs.map(hrefElement).join("")}</D:${condition}>`;
}

/** `<D:name>value</D:name>` of a live property; `value` is XML. */
export function davElement(name: string, value: string): string {
  return value === "" ? `<D:${name}/>` : `<D:${name}>${value}</D:${name}>`;
}

/** A property without its value. */
export function emptyProp(property: PropertyName): string {
  if (property.ns === DAV) return `<D:${property.name}/>`;
  return `<${property.name} xmlns="${escapeXml(property.ns)}"/>`;
}

/** A lock as `lockdiscovery` shows it (14.1). */
export interface ActiveLock {
  readonly token: string;
  readonly scope: "exclusive" | "shared";
  readonly depth: 0 | "infinity";
  /** XML of the D:owner element, or "". */
  readonly owner: string;
  readonly seconds: number;
  readonly rootHref: string;
}

export function activeLock(lock: ActiveLock): string {
  return (
    `<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:${lock.scope}/></D:lockscope>` +
    `<D:depth>${lock.depth}</D:depth>${lock.owner}<D:timeout>${emitTimeout(lock.seconds)}</D:timeout>` +
    `<D:locktoken>${hrefElement(lock.token)}</D:locktoken>` +
    `<D:lockroot>${hrefElement(lock.rootHref)}</D:lockroot></D:activelock>`
  );
}

/** The locks a resource takes (15.10). */
export const SUPPORTED_LOCKS = ["exclusive", "shared"]
  .map(
    (scope) =>
      `<D:lockentry><D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>`,
  )
  .join("");

function hrefElement(href: string): string {
  return `<D:href>${escapeXml(href)}</D:href>`;
}

function statusLine(status: number): string {
  return `<D:status>HTTP/1.1 ${status} ${REASONS[status] ?? ""}</D:status>`;
}
