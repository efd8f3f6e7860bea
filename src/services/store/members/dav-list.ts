/** What is in a directory of a server: by PROPFIND (RFC 4918, 9.1), or as nginx's autoindex lists it. */
import * as v from "valibot";

import { parseDate } from "../../../wire/http/date.ts";
import type { Item } from "./member.ts";

/** Asks for what an `Item` is made of. */
export const PROPFIND_BODY =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
  "<resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>";

const RESPONSE = /<(?:[\w-]+:)?response[\s>]([\s\S]*?)<\/(?:[\w-]+:)?response>/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

const COLLECTION = /<(?:[\w-]+:)?collection\s*\/?>/;

/** Is what a 207 of depth 0 tells of a collection? */
export function saysCollection(text: string): boolean {
  return COLLECTION.test(text);
}

/** The members of a 207; `path` is the collection, which names itself too. */
export function readMultistatus(text: string, path: string): Item[] {
  const items: Item[] = [];
  for (const [, response = ""] of text.matchAll(RESPONSE)) {
    const at = pathOf(element(response, "href") ?? "");
    if (at === undefined || trimmed(at) === trimmed(path) || /\/\.{1,2}\/?$/.test(at)) continue;
    const directory = COLLECTION.test(response);
    items.push({
      name: nameOf(at),
      directory,
      size: Number(element(response, "getcontentlength") ?? 0),
      mtime: parseDate(element(response, "getlastmodified") ?? "") ?? 0,
    });
  }
  return items;
}

const autoindex = v.array(
  v.object({
    name: v.string(),
    type: v.string(),
    mtime: v.string(),
    size: v.optional(v.number(), 0),
  }),
);

/** `autoindex_format json` of nginx; undefined when it is something else. */
export function readAutoindex(text: string): Item[] | undefined {
  try {
    const read = v.safeParse(autoindex, JSON.parse(text));
    if (!read.success) return undefined;
    return read.output.map(({ name, type, mtime, size }) => ({
      name,
      directory: type === "directory",
      size,
      mtime: parseDate(mtime) ?? 0,
    }));
  } catch {
    return undefined; // a page for people
  }
}

/** The text of the first element of this local name, whatever its prefix. */
function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml);
  return found?.[1]?.trim().replaceAll(/&(amp|lt|gt|quot|apos);/g, (e) => ENTITIES[e] ?? e);
}

/** A reference, or a whole URL, as a decoded path. */
function pathOf(href: string): string | undefined {
  try {
    return decodeURIComponent(href.replace(/^https?:\/\/[^/]*/i, ""));
  } catch {
    return undefined; // bytes that are no UTF-8: no name of ours
  }
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, "");
}

function nameOf(path: string): string {
  const bare = trimmed(path);
  return bare.slice(bare.lastIndexOf("/") + 1);
}
