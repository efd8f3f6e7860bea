/** Words of sections that speak HTTP. */
import * as v from "valibot";

import { key } from "./key.ts";
import { count, duration, rate, size } from "./quantities.ts";

/** The path of a URL, as it is asked for. */
export const urlPath = v.pipe(
  v.string(),
  v.regex(/^\/[^?#\s]*$/, 'expected a path such as "/private/"'),
);

export const headerName = v.pipe(
  v.string(),
  v.regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected a field name such as "X-Frame-Options"'),
);

/** A value may hold no control characters: a line break would be a second field. */
export const headerValue = v.pipe(
  v.string(),
  v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, "expected printable text on one line"),
);

/** Requests of one client. */
export const limit = v.strictObject({
  rate: key(rate, "100/s", "Steady requests per client."),
  burst: key(count(1), 200, "Requests at once."),
  by: key(v.picklist(["ip"]), "ip", "What tells clients apart; IPv6 by /64."),
});

/** How much, and how slowly, one client may send. */
export const limits = {
  head: key(size, "16k", "Bytes of request line and fields."),
  head_timeout: key(duration, "15s", "Longest wait for a whole request head."),
  body_timeout: key(duration, "60s", "Longest silence within a body, either way."),
  keep_alive: key(duration, "75s", "Longest idle time between requests."),
};
