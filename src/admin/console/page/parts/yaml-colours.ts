/** A stretch of a line of YAML, for the eye only. */
export interface Stretch {
  readonly kind: "key" | "comment" | "text" | "value" | "mark" | "plain";
  readonly text: string;
}

const KEY = /^(\s*(?:- +)*)((?:"[^"]*"|'[^']*'|[^\s#"'{[-][^:#]*?)\s*)(:)(?=\s|$)/;
const PART =
  /(?<comment>(?:^|(?<=\s))#.*$)|(?<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?<mark>[{}[\],]|^\s*-(?=\s)|:(?=\s))|(?<key>[\w.-]+(?=:\s))|(?<value>(?<![\w.:-])(?:true|false|null|\d+(?:\.\d+)?)(?![\w.:-]))/g;

/** Split a line so that the stretches put together are the line again. */
export function colours(line: string): Stretch[] {
  const out: Stretch[] = [];
  let rest = line;
  const head = KEY.exec(line);
  if (head) {
    const [whole, indent = "", name = ""] = head;
    if (indent) out.push({ kind: "mark", text: indent });
    out.push({ kind: "key", text: name }, { kind: "mark", text: ":" });
    rest = line.slice(whole.length);
  }
  let at = 0;
  for (const match of rest.matchAll(PART)) {
    if (match.index > at) out.push({ kind: "plain", text: rest.slice(at, match.index) });
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
    out.push({ kind: (kind ?? "plain") as Stretch["kind"], text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < rest.length) out.push({ kind: "plain", text: rest.slice(at) });
  return out;
}
