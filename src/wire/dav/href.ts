/** URL paths in XML bodies. */

/** RFC 3986, 3.3: what encodeURIComponent escapes although a path segment may hold it. */
const ALLOWED = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

/** `/a b/ü` as `/a%20b/%C3%BC`; a collection ends in "/" (RFC 4918, 5.2). */
export function href(path: string, collection: boolean): string {
  const slash = collection && !path.endsWith("/") ? "/" : "";
  return path.split("/").map(segment).join("/") + slash;
}

function segment(text: string): string {
  // A file name from disk may hold a lone surrogate, which encodeURIComponent refuses.
  return encodeURIComponent(text.toWellFormed()).replace(ALLOWED, decodeURIComponent);
}
