import type { Field } from "./field-list.ts";
import type { ReplyFields } from "./stored.ts";

/** Fields of one connection or one message, which no cache keeps (RFC 9111, 3.1; RFC 9110, 7.6.1). */
const OF_THE_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Fields that describe the stored bytes: a 304 must not change them (RFC 9111, 3.2). */
const OF_THE_BODY = new Set([
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "etag",
]);

/** What may be kept of a response's fields: not those of the hop, nor those `no-cache` or `private` name. */
export function keepable(fields: readonly Field[], named: readonly string[]): Field[] {
  const dropped = new Set([...OF_THE_HOP, ...named]);
  for (const [name, value] of fields)
    if (name.toLowerCase() === "connection")
      for (const option of value.split(",")) dropped.add(option.trim().toLowerCase());
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** The stored fields brought up to date by a 304 (RFC 9111, 4.3.4 and 3.2). */
export function renewed(stored: readonly Field[], notModified: readonly Field[]): Field[] {
  const news = keepable(notModified, []).filter(([name]) => !OF_THE_BODY.has(name.toLowerCase()));
  const replaced = new Set(news.map(([name]) => name.toLowerCase()));
  // An age that was told of the old one is not the new one's.
  replaced.add("age");
  return [...stored.filter(([name]) => !replaced.has(name.toLowerCase())), ...news];
}

/** Is a 304 about this stored response (RFC 9111, 4.3.4)? Its tag decides; without one it answers what was asked. */
export function isAbout(stored: ReplyFields, notModified: ReplyFields): boolean {
  const tag = notModified.get("etag");
  const ours = stored.get("etag");
  if (tag === undefined) return true;
  return ours !== undefined && opaque(tag) === opaque(ours);
}

/** Fields that ask the origin whether the stored response still holds: both validators (4.3.1). */
export function validators(stored: ReplyFields): [name: string, value: string][] {
  const fields: [string, string][] = [];
  const tag = stored.get("etag");
  const modified = stored.get("last-modified");
  if (tag !== undefined) fields.push(["If-None-Match", tag]);
  if (modified !== undefined) fields.push(["If-Modified-Since", modified]);
  return fields;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
