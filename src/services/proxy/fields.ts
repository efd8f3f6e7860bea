import { currentDate } from "../../net/http1/http-date.ts";
import type { Answer } from "../../net/upstream/answer.ts";
import type { HttpRequest } from "../../wire/http/message.ts";
import type { FieldChanges } from "./config.ts";
import { authorityOf } from "./target.ts";

type Field = readonly [name: string, value: string];

/** Fields of one connection (RFC 9110, 7.6.1), and those whose meaning is the next hop's to give. */
const OF_THE_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
]);
/** Fields a request must not bring to servers: a CGI would take `Proxy` for its environment. */
const NEVER_TO_SERVERS = new Set(["expect", "host", "proxy"]);
/** What proxies before us say of the client. */
const OF_THE_CLIENT = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]);

/** Lists that we add ourselves to. */
const JOINED = new Set(["x-forwarded-for", "via"]);

/** What a request needs before it goes to a server. */
export interface RequestRules {
  readonly changes: FieldChanges;
  /** Host that the server sees. */
  readonly host: string;
  /** The peer is a proxy whose word counts. */
  readonly trusted: boolean;
  /** What the connection may change to, or null. */
  readonly change: string | null;
  /** Say who the client is by Forwarded (RFC 7239), too. */
  readonly forwarded?: boolean;
  /** What we are called in Via. */
  readonly via?: string;
}

/** Our name. */
export const NAME = "tern";

/** The fields of a request as a server is to see them. */
export function requestFields(request: HttpRequest, rules: RequestRules): readonly Field[] {
  const { changes, host, trusted, change, forwarded = false, via = NAME } = rules;
  const { headers, client, secure } = request;
  const named = connectionOptions(headers.get("connection"));
  const fields: Field[] = [["Host", host]];
  const ours = namesOf(changes);
  headers.forEach((value, name) => {
    if (name.includes("_") && isTwin(name, ours)) return;
    if (OF_THE_HOP.has(name) || NEVER_TO_SERVERS.has(name) || named?.has(name)) return;
    if (
      JOINED.has(name) ||
      (forwarded && name === "forwarded") ||
      (OF_THE_CLIENT.has(name) && !trusted)
    )
      return;
    fields.push([name, value]);
  });
  const before = trusted ? headers.get("x-forwarded-for") : null;
  fields.push(["X-Forwarded-For", joined(before, client.address)]);
  if (!trusted || !headers.has("x-forwarded-host"))
    fields.push(["X-Forwarded-Host", authorityOf(request)]);
  if (!trusted || !headers.has("x-forwarded-proto"))
    fields.push(["X-Forwarded-Proto", secure ? "https" : "http"]);
  if (forwarded)
    fields.push([
      "Forwarded",
      joined(trusted ? headers.get("forwarded") : null, forwardedElement(request)),
    ]);
  const hop = `${request.protocol.slice("HTTP/".length)} ${via}`;
  fields.push(["Via", joined(headers.get("via"), hop)]);
  if (change !== null) fields.push(["Connection", "Upgrade"], ["Upgrade", change]);
  return changedFields(fields, changes);
}

/**
 * Some servers (CGI and its heirs) read "_" in a name as "-": a field that only they would take for
 * one that is ours to say, or for framing, goes no further.
 */
function isTwin(name: string, ours: ReadonlySet<string>): boolean {
  const read = name.replaceAll("_", "-");
  return (
    OF_THE_CLIENT.has(read) || OF_THE_HOP.has(read) || NEVER_TO_SERVERS.has(read) || ours.has(read)
  );
}

/** The fields of a response as a client is to see them. */
export function responseFields(
  method: string,
  { status, headers: sent, contentLength }: Pick<Answer, "status" | "headers" | "contentLength">,
  changes: FieldChanges,
): readonly Field[] {
  const connection = sent
    .filter(([name]) => name.toLowerCase() === "connection")
    .map(([, value]) => value)
    .join(",");
  const named = connectionOptions(connection === "" ? null : connection);
  const fields = sent.filter(([name]) => {
    const lower = name.toLowerCase();
    return !OF_THE_HOP.has(lower) && !named?.has(lower);
  });
  // There the length is that of a body that does not come.
  if (contentLength !== undefined && (method === "HEAD" || status === 304))
    fields.push(["Content-Length", String(contentLength)]);
  // Who forwards a response without a Date says when it came (RFC 9110, 6.6.1).
  if (!sent.some(([name]) => name.toLowerCase() === "date"))
    fields.push(["Date", currentDate().text]);
  const protocol = sent.find(([name]) => name.toLowerCase() === "upgrade")?.[1];
  if (status === 101) fields.push(["Connection", "Upgrade"], ["Upgrade", protocol ?? ""]);
  return changedFields(fields, changes);
}

/** The operator's changes to fields that may go on otherwise. */
export function changedFields(fields: readonly Field[], changes: FieldChanges): readonly Field[] {
  const names = namesOf(changes);
  if (names.size === 0) return fields;
  const changed = fields.filter(([name]) => !names.has(name.toLowerCase()));
  for (const [name, value] of Object.entries(changes))
    if (value !== null) changed.push([name, value]);
  return changed;
}

/** RFC 7239, 4: what is no token is quoted. */
function forwardedElement(request: HttpRequest): string {
  const { client, secure } = request;
  const host = authorityOf(request);
  const node = client.address.includes(":") ? `"[${client.address}]"` : client.address;
  const name = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(host)
    ? host
    : `"${host.replace(/["\\]/g, "")}"`;
  return `for=${node};host=${name};proto=${secure ? "https" : "http"}`;
}

function joined(before: string | null, last: string): string {
  return before === null || before === "" ? last : `${before}, ${last}`;
}

/** Names of `changes` in lower case, made once for each. */
const lowered = new WeakMap<FieldChanges, ReadonlySet<string>>();
function namesOf(changes: FieldChanges): ReadonlySet<string> {
  let names = lowered.get(changes);
  if (names === undefined) {
    names = new Set(Object.keys(changes).map((key) => key.toLowerCase()));
    lowered.set(changes, names);
  }
  return names;
}

/** Fields that the Connection field names: they go no further. */
function connectionOptions(value: string | null): ReadonlySet<string> | undefined {
  if (value === null) return undefined;
  return new Set(value.split(",").map((option) => option.trim().toLowerCase()));
}
