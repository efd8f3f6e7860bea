/** The `store:` section: named stores, each with its own listeners, stages and rules. */
import * as v from "valibot";

import { limits as httpLimits } from "../../config/http.ts";
import { key, maybe, pathTo } from "../../config/key.ts";
import {
  addressList,
  bandwidth,
  cidrList,
  count,
  duration,
  passwordHash,
  path,
  secret,
  size,
  socketOptions,
} from "../../config/scalars.ts";
import { stage } from "./stage-config.ts";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();
/** A share of a whole, from 0 to 1, written as a percentage. */
const percent = v.pipe(
  v.string(),
  v.regex(/^\d{1,2}(\.\d+)?%$/, 'expected a percentage such as "5%"'),
  v.transform((text) => Number.parseFloat(text) / 100),
);

const pathPrefix = v.pipe(v.string(), v.regex(/^\//, 'expected a path such as "/photos/"'));

const user = v.strictObject({
  password: passwordHash,
  access: key(v.picklist(["read", "full"]), "read", "What the user may do."),
  prefix: key(pathPrefix, "/", "Only files whose path begins so."),
});

const s3User = v.strictObject({
  secret: v.pipe(secret, v.description("Its secret key.")),
  access: key(v.picklist(["read", "full"]), "read", "What the key may do."),
  prefix: key(pathPrefix, "/", "Only objects whose path, with the bucket in front, begins so."),
});

const stageNumber = v.pipe(
  v.string(),
  v.regex(/^(0|[1-9]\d{0,8})$/, "expected a whole number as the stage's name"),
);

const keys = v.strictObject({
  listen: key(addressList, ":8082", "Addresses to listen on."),
  socket: v.optional(socketOptions, {}),
  hosts: key(
    v.array(v.pipe(v.string(), v.toLowerCase())),
    ["*"],
    'Names: exact, "*.example.net" or "*".',
  ),
  prefix: key(
    v.pipe(v.string(), v.regex(/^[\w.-]+$/, "expected letters, digits, dots and dashes")),
    "_3fs",
    "Files of stage 0 are asked for under /_3fs_0/.",
  ),
  stage: key(count(), 0, "The stage that new files are written to."),
  stages: v.pipe(
    v.record(stageNumber, stage),
    v.description(
      "By number. What is stored stays where its stage says: add stages, never change.",
    ),
  ),
  raw_paths: key(
    bool,
    false,
    "Names are as they are sent, escapes and query included, as 3fsd had them.",
  ),
  write_permit: key(cidrList, ["127.0.0.1", "::1"], "Who may change files without a user."),
  read_permit: key(cidrList, ["0.0.0.0/0", "::/0"], "Who may read without a user."),
  users: key(v.record(v.string(), user), {}, "Who may do what from elsewhere."),
  webdav: key(bool, true, "WebDAV over all that is stored: folders, locks, properties."),
  s3: v.optional(
    v.strictObject({
      users: key(
        v.record(v.string(), s3User),
        {},
        "S3 clients by access key. Buckets are the folders at the top.",
      ),
    }),
    {},
  ),
  cache: v.optional(
    v.strictObject({
      memory: key(
        size,
        "64MiB",
        "Bytes of small files that each worker remembers, as they were verified; 0 is off.",
      ),
      disk: maybe(
        path,
        "Directory for blocks that came from members elsewhere, shared by all workers.",
      ),
      disk_max: key(size, "1GiB", "Bytes of them; the longest unused go first."),
    }),
    {},
  ),
  fsync: key(bool, true, "Wait for the disk before a dir is said to keep something."),
  free_floor: key(percent, "5%", "A dir with less room takes no more files; it is read as ever."),
  scrub: v.optional(
    v.strictObject({
      interval: key(duration, "30d", "Every copy is read and verified once in so long."),
      rate: key(bandwidth, "20MiB/s", "How fast it may read."),
    }),
    {},
  ),
  quotas: key(
    v.record(pathPrefix, size),
    {},
    "Most bytes of files whose path begins so; beyond it 507. Copies do not count.",
  ),
  ttl: key(
    v.record(pathPrefix, duration),
    {},
    "Files whose path begins so are gone after so long, where the client does not say otherwise.",
  ),
  longest_outage: key(
    duration,
    "30d",
    "A member that was away for longer comes back empty: deletions are remembered for so long.",
  ),
  max_body: key(size, "1t", "Largest file."),
  limits: v.optional(v.strictObject(httpLimits), {}),
  tls: key(bool, false, "TLS on every listener of this store."),
  http2: key(bool, true, "HTTP/2, over TLS."),
});

const store = v.pipe(
  keys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { stage: current, stages } = dataset.value;
    if (Object.keys(stages).length > 0 && !Object.hasOwn(stages, String(current)))
      addIssue({
        message: `there is no stage ${current}`,
        path: pathTo(dataset.value, "stage"),
      });
  }),
);

/** The whole section. */
export const storeSchema = v.record(v.string(), store);
export type StoreSection = v.InferOutput<typeof storeSchema>;
/** One store. Durations are milliseconds, sizes bytes, shares from 0 to 1. */
export type StoreConfig = v.InferOutput<typeof store>;
