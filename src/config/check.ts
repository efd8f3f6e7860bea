/** `check:`, how a server is found to be alive: the same words wherever servers are listed. */
import * as v from "valibot";

import { count, duration } from "./quantities.ts";
import { scalar } from "./scalar.ts";

const STATUS = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

/** Status codes, both ends in it: `200`, `"200-399"`. */
const statuses = scalar('a status or a range such as "200" or "200-399"', (text) => {
  const [, first, last = first] = STATUS.exec(text) ?? [];
  if (first === undefined || Number(last) < Number(first)) return undefined;
  return { first: Number(first), last: Number(last) };
});

const port = v.pipe(
  v.number() as v.GenericSchema<unknown, number>,
  v.integer(),
  v.minValue(1),
  v.maxValue(65_535),
);

/** Keys of every kind. */
const rhythm = {
  interval: v.optional(v.pipe(duration, v.minValue(100)), "5s"), // between two probes of one target
  timeout: v.optional(v.pipe(duration, v.minValue(1)), "1s"), // longest wait for an answer
  rise: v.optional(count(1), 2), // good probes in a row that bring it back
  fall: v.optional(count(1), 2), // bad ones that take it out
};

/** Another port than the server's own. */
const other = { port: v.optional(port) };

const web = {
  ...rhythm,
  ...other,
  path: v.optional(
    v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'expected a path such as "/health"')),
    "/",
  ),
  method: v.optional(v.picklist(["GET", "HEAD"]), "GET"),
  /** Host field and, with https, the name in the TLS hello; the server's own when absent. */
  host: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.:[\]-]+$/, 'expected a name such as "www.example.net"')),
  ),
  expect: v.optional(
    v.pipe(
      v.union([v.array(statuses), statuses]),
      v.transform((one) => (Array.isArray(one) ? one : [one])),
    ),
    "200-399",
  ),
  /** Text that must be in the body. */
  body: v.optional(v.pipe(v.string(), v.minLength(1))),
};

/** Reads into a value that `net/health/check.ts` calls a Check. Durations are milliseconds. */
export const check = v.variant("kind", [
  v.strictObject({ kind: v.literal("icmp"), ...rhythm }),
  v.strictObject({ kind: v.literal("tcp"), ...rhythm, ...other }),
  v.strictObject({ kind: v.literal("http"), ...web }),
  v.strictObject({
    kind: v.literal("https"),
    ...web,
    /** Also judge the certificate: its time, its name (of `host`), who signed it. */
    verify: v.optional(v.boolean(), false),
  }),
  v.strictObject({
    kind: v.literal("dns"),
    ...rhythm,
    ...other,
    /** Asked for by name; without it any answer at all will do. */
    query: v.optional(
      v.pipe(v.string(), v.regex(/^[\w*.-]+$/, 'expected a name such as "example.net"')),
    ),
    type: v.optional(v.picklist(["A", "AAAA", "NS", "SOA", "MX", "TXT"]), "A"),
  }),
  v.strictObject({
    kind: v.literal("exec"),
    ...rhythm,
    /** Program and arguments; told the target by $TERN_HOST and $TERN_PORT. Exit 0 is good. */
    command: v.pipe(v.array(v.string()), v.minLength(1)),
  }),
]);
