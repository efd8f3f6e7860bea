/** Fields of a message as they came: in their order, repeated ones apart, names as they were written. */
import type { ReplyFields } from "./stored.ts";

export type Field = readonly [name: string, value: string];

/** For decisions: names in lower case, repeated fields joined (RFC 9110, 5.3), but for Set-Cookie. */
export function byName(fields: readonly Field[]): ReplyFields {
  const map = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const before = map.get(lower);
    map.set(lower, before === undefined || lower === "set-cookie" ? value : `${before}, ${value}`);
  }
  return map;
}

/** One line each, as one text: what a stored response keeps of its fields. */
export function packFields(fields: readonly Field[]): string {
  let text = "";
  for (const [name, value] of fields) text += `${name}:${value}\n`;
  return text;
}

/** What `packFields` made. Values hold no line breaks: no parser lets them in. */
export function unpackFields(text: string): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < text.length;) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\n", at);
    if (colon < 0 || end < colon) return fields; // not made by packFields
    fields.push([text.slice(at, colon), text.slice(colon + 1, end)]);
    at = end + 1;
  }
  return fields;
}
