/** Which answers are pages with holes, and what is said of them once these are filled. */
import type { HttpResponse } from "../../../wire/http/message.ts";

type Fields = HttpResponse["headers"];

/** https://www.w3.org/TR/edge-arch, 2.2 */
const HAS_HOLES = /(?:^|[,;\s])content\s*=\s*"(?:[^"]*\s)?ESI\/1\.0[\s"]/i;

/** Of the page with its holes; or for caches behind us, which know nothing of what fills them. */
const OF_THE_TEMPLATE: ReadonlySet<string> = new Set([
  "accept-ranges",
  "age",
  "cache-control",
  "cdn-cache-control",
  "content-digest",
  "content-length",
  "content-md5",
  "digest",
  "etag",
  "expires",
  "last-modified",
  "repr-digest",
  "surrogate-control",
]);
/** What a page may ask beyond what all of them are sent with. */
const STRICTER = ["no-store", "no-transform"];

/** A server says that there is ESI in its answer. */
export function isTemplate({ headers, named, status }: HttpResponse): boolean {
  const whole = status === 200 || (status >= 400 && status < 600);
  return named === true && whole && HAS_HOLES.test(valueOf(headers, "surrogate-control"));
}

/**
 * The fields of a page that was put together. It is nobody's to keep: each of its fragments has rules
 * of its own.
 */
export function fieldsOfMade(fields: Fields): Fields {
  const said = valueOf(fields, "cache-control").toLowerCase();
  const control = ["private", "no-cache", ...STRICTER.filter((word) => said.includes(word))];
  const kept = fields.filter(([name]) => !OF_THE_TEMPLATE.has(name.toLowerCase()));
  return [...kept, ["Cache-Control", control.join(", ")]];
}

function valueOf(fields: Fields, wanted: string): string {
  const values = fields.filter(([name]) => name.toLowerCase() === wanted);
  return values.map(([, value]) => value).join(", ");
}
