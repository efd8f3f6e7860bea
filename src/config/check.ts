/** `check:`, how a server is found to be alive: the same words wherever servers are listed. */
import * as v from "valibot";

import { key, maybe } from "./key.ts";
import { count, duration } from "./quantities.ts";
import { oneOrMany, scalar } from "./scalar.ts";

const STATUS = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

interface Statuses {
  readonly first: number;
  readonly last: number;
}

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

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

/** Keys of every kind. */
const rhythm = {
  interval: key(v.pipe(duration, v.minValue(100)), "5s", "Time between two probes of one target."),
  timeout: key(v.pipe(duration, v.minValue(1)), "1s", "Longest wait for an answer."),
  rise: key(count(1), 2, "Good probes in a row that bring it back."),
  fall: key(count(1), 2, "Bad ones that take it out."),
};

const other = { port: maybe(port, "Another port than the server's own.") };

const hostName = v.pipe(
  v.string(),
  v.regex(/^[\w.:[\]-]+$/, 'expected a name such as "www.example.net"'),
);
const domain = v.pipe(v.string(), v.regex(/^[\w*.-]+$/, 'expected a name such as "example.net"'));
const urlPath = v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'expected a path such as "/health"'));

const web = {
  ...rhythm,
  ...other,
  path: key(urlPath, "/", "What is asked for."),
  method: key(v.picklist(["GET", "HEAD"]), "GET", "How."),
  host: maybe(hostName, "Host field and name in the TLS hello; the server's own when absent."),
  expect: key(oneOrMany<Statuses>(statuses), "200-399", "Good statuses."),
  body: maybe(v.pipe(v.string(), v.minLength(1)), "Text that must be in the body."),
};

/** Reads into a value that `net/health/check.ts` calls a Check. Durations are milliseconds. */
export const check = v.variant("kind", [
  v.strictObject({ kind: v.literal("icmp"), ...rhythm }),
  v.strictObject({ kind: v.literal("tcp"), ...rhythm, ...other }),
  v.strictObject({ kind: v.literal("http"), ...web }),
  v.strictObject({
    kind: v.literal("https"),
    ...web,
    verify: key(bool, false, "Also judge the certificate: its time, its name, who signed it."),
  }),
  v.strictObject({
    kind: v.literal("dns"),
    ...rhythm,
    ...other,
    query: maybe(domain, "Asked for by name; without it any answer at all will do."),
    type: key(v.picklist(["A", "AAAA", "NS", "SOA", "MX", "TXT"]), "A", "Its type."),
  }),
  v.strictObject({
    kind: v.literal("exec"),
    ...rhythm,
    command: v.pipe(
      v.array(v.string()),
      v.minLength(1),
      v.description("Program and arguments; it is told $TERN_HOST and $TERN_PORT. Exit 0 is good."),
    ),
  }),
]);
