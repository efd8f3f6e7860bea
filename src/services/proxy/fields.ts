import type { Answer } from "../../net/upstream/exchange.ts";
import type { HttpRequest } from "../../wire/http/message.ts";
import type { FieldChanges } from "./config.ts";

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
  /** The connection may change to another protocol. */
  readonly upgrades: boolean;
  /** Say who the client is by Forwarded (RFC 7239), too. */
  readonly forwarded?: boolean;
  /** What we are called in Via. */
  readonly via?: string;
}

/** Our name. */
export const NAME = "tern";

/** The fields of a request as a server is to see them. */
export function requestFields(request: HttpRequest, rules: RequestRules): readonly Field[] {
  const { changes, host, trusted, upgrades, forwarded = false, via = NAME } = rules;
  const { headers, client, secure } = request;
  const named = connectionOptions(headers.get("connection"));
  const fields: Field[] = [["Host", host]];
  headers.forEach((value, name) => {
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
  if (!trusted || !headers.has("x-forwarded-host")) fields.push(["X-Forwarded-Host", request.host]);
  if (!trusted || !headers.has("x-forwarded-proto"))
    fields.push(["X-Forwarded-Proto", secure ? "https" : "http"]);
  if (forwarded)
    fields.push([
      "Forwarded",
      joined(trusted ? headers.get("forwarded") : null, forwardedElement(request, host)),
    ]);
  const hop = `${request.protocol.slice("HTTP/".length)} ${via}`;
  fields.push(["Via", joined(headers.get("via"), hop)]);
  const protocol = upgrades && named?.has("upgrade") ? headers.get("upgrade") : null;
  if (protocol !== null) fields.push(["Connection", "Upgrade"], ["Upgrade", protocol]);
  return changedFields(fields, changes);
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
function forwardedElement({ client, secure }: HttpRequest, host: string): string {
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
