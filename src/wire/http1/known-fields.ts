import { FieldTable } from "./field-table.ts";

/** Request fields the server itself looks at, found by hash while their name is read. */
export const Slot = {
  host: 0,
  connection: 1,
  contentLength: 2,
  transferEncoding: 3,
  expect: 4,
  upgrade: 5,
  range: 6,
  ifNoneMatch: 7,
  ifModifiedSince: 8,
  ifMatch: 9,
  ifUnmodifiedSince: 10,
  ifRange: 11,
  acceptEncoding: 12,
  authorization: 13,
  userAgent: 14,
  referer: 15,
} as const;
export type Slot = (typeof Slot)[keyof typeof Slot];

/** Every `Slot` by name, in their order. */
export const REQUEST_FIELDS = new FieldTable([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "range",
  "if-none-match",
  "if-modified-since",
  "if-match",
  "if-unmodified-since",
  "if-range",
  "accept-encoding",
  "authorization",
  "user-agent",
  "referer",
]);
