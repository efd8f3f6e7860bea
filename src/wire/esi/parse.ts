/** Pages with holes in them: the part of ESI 1.0 that includes, leaves out and says nothing (https://www.w3.org/TR/esi-lang). */

/** `<esi:include>`: what stands at `src`, else at `alt`; else, where it is `optional`, nothing. */
export interface Include {
  readonly src: string;
  readonly alt: string | undefined;
  readonly optional: boolean;
}

/** Bytes as Latin-1 text, or what is to stand there. */
export type Part = string | Include;

/** A page cannot be put together. The message says why, for the log. */
export class EsiFault extends Error {
  override name = "EsiFault";
}

const MARK = /<!--esi(?=\s)|-->|<\/?esi:/g;
const NAME = /[a-z]*/y;
const ATTRIBUTE = /\s+([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
const CLOSE = /\s*(\/?)>/y;
const REMOVED = "</esi:remove>";

/**
 * The parts of a page, given as Latin-1 text: so any encoding that has ASCII's bytes for ASCII goes
 * through unharmed. `<!--esi` and its `-->` go, what is between them stays. Throws `EsiFault` for what
 * is broken off, and for elements of ESI that are not understood: half a page would be worse.
 */
export function parse(page: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let shown = false;
  const mark = new RegExp(MARK);
  for (let found = mark.exec(page); found !== null; found = mark.exec(page)) {
    const [said] = found;
    if (said === "-->" && !shown) continue;
    if (found.index > at) parts.push(page.slice(at, found.index));
    at = mark.lastIndex;
    if (said === "-->") shown = false;
    else if (said === "<!--esi") {
      if (shown) throw new EsiFault("<!--esi inside of another");
      shown = true;
    } else if (said === "</esi:") throw new EsiFault("an end of an ESI element that did not begin");
    else mark.lastIndex = at = element(page, at, parts);
  }
  if (shown) throw new EsiFault("<!--esi without its end");
  if (at < page.length) parts.push(page.slice(at));
  return parts;
}

/** The element whose name begins at `at`: adds what it stands for, answers where it ends. */
function element(page: string, at: number, parts: Part[]): number {
  const name = sticky(NAME, page, at)?.[0] ?? "";
  const attributes = new Map<string, string>();
  let end = at + name.length;
  for (;;) {
    const found = sticky(ATTRIBUTE, page, end);
    if (found === null) break;
    const [all, key = "", double, single = ""] = found;
    attributes.set(key, decoded(double ?? single));
    end += all.length;
  }
  const close = sticky(CLOSE, page, end);
  if (close === null) throw new EsiFault(`esi:${name} is broken`);
  end += close[0].length;
  const empty = close[1] === "/";
  if (name === "remove") {
    if (empty) return end;
    const over = page.indexOf(REMOVED, end);
    if (over < 0) throw new EsiFault("esi:remove without its end");
    return over + REMOVED.length;
  }
  if (name !== "include" && name !== "comment")
    throw new EsiFault(`esi:${name} is not understood here`);
  if (name === "include") parts.push(includeOf(attributes));
  if (empty) return end;
  const over = `</esi:${name}>`;
  if (!page.startsWith(over, end)) throw new EsiFault(`esi:${name} is not empty`);
  return end + over.length;
}

function includeOf(attributes: ReadonlyMap<string, string>): Include {
  const src = attributes.get("src");
  if (src === undefined) throw new EsiFault("esi:include without src");
  const optional = attributes.get("onerror") === "continue";
  return { src, alt: attributes.get("alt"), optional };
}

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

/** An attribute's value as XML has it; what else begins with "&" is text. */
function decoded(value: string): string {
  return value.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);
}
