/** The `If` header of WebDAV (RFC 4918, 10.4): lists of state tokens and entity tags. */

/** One thing that must hold of a resource, or with `not` must not. */
export type Condition =
  | { readonly kind: "token"; readonly not: boolean; readonly token: string }
  | { readonly kind: "etag"; readonly not: boolean; readonly etag: string };

/** All conditions of a list must hold of one resource. */
export interface ConditionList {
  /** URI of the resource as sent, without its "<>"; undefined is the one the request names. */
  readonly resource: string | undefined;
  readonly conditions: readonly Condition[];
}

/** It holds when any of its lists does. */
export type IfHeader = readonly ConditionList[];

/** What a resource is like now, for the judging of an If header. */
export interface ResourceState {
  /** Of every coding it may be sent in; none when nothing is there, or it is a collection. */
  readonly etags: readonly string[];
  /** Tokens of all locks on it, those of collections above included. */
  readonly tokens: readonly string[];
}

/** A header is at most some tens of kilobytes; more conditions than this only cost time. */
const MAX_CONDITIONS = 1000;

/** Read the header's value. Undefined when it breaks the grammar of 10.4.2: answer 400. */
export function parseIf(text: string): IfHeader | undefined {
  const lists: ConditionList[] = [];
  let at = spaces(text, 0);
  let resource: string | undefined;
  let tagged: boolean | undefined; // lists with and without a resource may not be mixed
  let hungry = false; // a resource must have a list behind it
  let count = 0;

  while (at < text.length) {
    if (text[at] === "<") {
      const uri = bracketed(text, at);
      if (!uri || hungry || tagged === false) return undefined;
      tagged = true;
      hungry = true;
      resource = uri.inside;
      at = spaces(text, uri.end);
      continue;
    }
    const list = parseList(text, at);
    if (!list) return undefined;
    tagged ??= false;
    hungry = false;
    count += list.conditions.length;
    if (count > MAX_CONDITIONS) return undefined;
    lists.push({ resource, conditions: list.conditions });
    at = spaces(text, list.end);
  }
  return lists.length === 0 || hungry ? undefined : lists;
}

/** Write the header's value. */
export function emitIf(header: IfHeader): string {
  let resource: string | undefined;
  const words: string[] = [];
  for (const list of header) {
    if (list.resource !== resource) words.push(`<${list.resource}>`);
    resource = list.resource;
    const inside = list.conditions.map(
      (c) => `${c.not ? "Not " : ""}${c.kind === "token" ? `<${c.token}>` : `[${c.etag}]`}`,
    );
    words.push(`(${inside.join(" ")})`);
  }
  return words.join(" ");
}

/**
 * Does the header hold? `stateOf` tells the state of a list's resource; undefined for one that is
 * not ours, of which no token and no tag is known.
 */
export function holds(
  header: IfHeader,
  stateOf: (resource: string | undefined) => ResourceState | undefined,
): boolean {
  return header.some((list) => {
    const state = stateOf(list.resource) ?? { etags: [], tokens: [] };
    return list.conditions.every((c) => {
      const is = c.kind === "token" ? state.tokens.includes(c.token) : state.etags.includes(c.etag);
      return is !== c.not;
    });
  });
}

/** Every token the header names. Naming a lock's token is what submits it (10.4.1). */
export function submitted(header: IfHeader): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (const list of header)
    for (const c of list.conditions) if (c.kind === "token") tokens.add(c.token);
  return tokens;
}

function parseList(
  text: string,
  from: number,
): { conditions: readonly Condition[]; end: number } | undefined {
  if (text[from] !== "(") return undefined;
  const conditions: Condition[] = [];
  let at = spaces(text, from + 1);
  while (text[at] !== ")") {
    const not = /^not(?![a-z])/i.test(text.slice(at, at + 4));
    if (not) at = spaces(text, at + 3);
    if (text[at] === "<") {
      const uri = bracketed(text, at);
      if (!uri) return undefined;
      conditions.push({ kind: "token", not, token: uri.inside });
      at = uri.end;
    } else if (text[at] === "[") {
      const end = text.indexOf("]", tagEnd(text, at + 1));
      const etag = end < 0 ? "" : text.slice(at + 1, end);
      if (!ETAG.test(etag)) return undefined;
      conditions.push({ kind: "etag", not, etag });
      at = end + 1;
    } else return undefined; // the text ends within the list, too
    at = spaces(text, at);
  }
  return conditions.length === 0 ? undefined : { conditions, end: at + 1 };
}

/** RFC 9110, 8.8.3, and spaces too: the examples in RFC 4918, 10.4 have them. The quoted part may hold "]". */
const ETAG = /^(W\/)?"[\x20\x21\x23-\x7e\x80-\xff]*"$/;

/** Where the quoted part of a tag ends, so that a "]" within it is not taken for the bracket. */
function tagEnd(text: string, from: number): number {
  const open = text.indexOf('"', from);
  const close = open < 0 ? -1 : text.indexOf('"', open + 1);
  return close < 0 ? from : close;
}

/** `<absolute URI or path>`: not empty, no spaces, no brackets within. */
function bracketed(text: string, at: number): { inside: string; end: number } | undefined {
  const end = text.indexOf(">", at);
  const inside = text.slice(at + 1, Math.max(end, at + 1));
  return end < 0 || !/^[^\s<>]+$/.test(inside) ? undefined : { inside, end: end + 1 };
}

function spaces(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}
