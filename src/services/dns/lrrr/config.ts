/** `lrrr:`, the left-right range resolve: two servers find out which of them a resolver is nearer to. */
import * as v from "valibot";

import { duration, secret } from "../../../config/scalars.ts";
import { parseName } from "../../../wire/dns/name.ts";

/** The rest of a measuring label takes 54 of its 63 bytes. */
const MAX_PREFIX = 8;

const domain = v.pipe(
  v.string(),
  v.check(
    (name) => parseName(name.replace(/\.?$/, ".")) !== undefined,
    'expected a name such as "l.example.net"',
  ),
);

export const lrrr = v.pipe(
  v.strictObject({
    side: v.pipe(v.picklist(["left", "right"]), v.description("Which of the two this server is.")),
    left: v.pipe(domain, v.description("Names below it are the left server's.")),
    right: v.pipe(domain, v.description("Names below it are the right server's.")),
    suffix: v.pipe(
      domain,
      v.description("Public names, served by both: sent on to the nearer side."),
    ),
    secret: v.pipe(
      secret,
      v.description("The same on both sides: nobody else can say how far a resolver is."),
    ),
    prefix: v.optional(
      v.pipe(
        v.string(),
        v.toLowerCase(),
        v.regex(/^[a-z0-9]+$/, "expected letters and digits"),
        v.maxLength(MAX_PREFIX),
        v.description("How the first label of measuring names begins."),
      ),
      "lr",
    ),
    ttl: v.optional(v.pipe(duration, v.description("How long a measured pair is good.")), "1h"),
  }),
  v.check(
    ({ left, right, suffix }) =>
      new Set([left, right, suffix].map((name) => name.toLowerCase().replace(/\.$/, ""))).size ===
      3,
    "left, right and suffix are three different names",
  ),
);
export type LrrrConfig = v.InferOutput<typeof lrrr>;
