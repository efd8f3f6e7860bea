/** The `store:` section: named stores, each with its own listeners, stages and rules. */
import * as v from "valibot";

import { limits as httpLimits } from "../../config/http.ts";
import { maybe } from "../../config/key.ts";
import {
  addressList,
  bandwidth,
  cidrList,
  count,
  duration,
  hostRange,
  key,
  passwordHash,
  path,
  pathTo,
  type Secret,
  secret,
  size,
  socketOptions,
} from "../../config/scalars.ts";
import { mostCopies } from "./placement/md5.ts";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();
/** A share of a whole, from 0 to 1, written as a percentage. */
const percent = v.pipe(
  v.string(),
  v.regex(/^\d{1,2}(\.\d+)?%$/, 'expected a percentage such as "5%"'),
  v.transform((text) => Number.parseFloat(text) / 100),
);

/** Where a member keeps its files. */
export type Where =
  | { readonly kind: "webdav"; readonly url: string }
  | { readonly kind: "dir"; readonly path: string }
  | S3Where;

/** A bucket of an object store, or a part of it. */
export interface S3Where {
  readonly kind: "s3";
  readonly url: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
}

export interface MemberConfig {
  readonly id: string;
  readonly where: Where;
  readonly weight: number;
  readonly zone: string | undefined;
}

const s3Keys = {
  s3: v.pipe(
    v.string(),
    v.url('expected a URL such as "http://10.0.0.1:9000/bucket"'),
    v.regex(/^https?:\/\/[^/]+\/[^/]/i, "expected a URL with a bucket as its path"),
    v.description("URL of a bucket, by path, or of a folder in it."),
  ),
  region: key(v.string(), "us-east-1", "What the object store calls its region."),
  access_key: v.pipe(v.string(), v.minLength(1), v.description("Its access key.")),
  secret_key: v.pipe(secret, v.description("Its secret key.")),
};

function s3Where(keys: v.InferOutput<v.ObjectSchema<typeof s3Keys, undefined>>): S3Where {
  const { s3, region, access_key, secret_key } = keys;
  return { kind: "s3", url: s3, region, accessKey: access_key, secretKey: secret_key };
}

const s3Member = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.minLength(1)),
    ...s3Keys,
    weight: key(v.pipe(v.number(), v.gtValue(0)), 1, "Share of the files, of hrw-1."),
    zone: maybe(v.pipe(v.string(), v.minLength(1)), "As of other members."),
  }),
  v.transform(({ id, weight, zone, ...keys }): MemberConfig => {
    return { id, where: s3Where(keys), weight, zone };
  }),
);

const memberKeys = v.pipe(
  v.strictObject({
    id: v.pipe(
      v.string(),
      v.minLength(1),
      v.description("Stays for ever: it decides which files are here. The address may change."),
    ),
    webdav: maybe(
      v.pipe(
        v.string(),
        v.url('expected a URL such as "http://10.0.0.1:8080"'),
        v.regex(/^https?:/i, 'expected a URL such as "http://10.0.0.1:8080"'),
      ),
      "URL of a server that understands PUT, DELETE and, better, MOVE and MKCOL.",
    ),
    dir: maybe(path, "Directory of this machine; it has to be there."),
    weight: key(v.pipe(v.number(), v.gtValue(0)), 1, "Share of the files, of hrw-1."),
    zone: maybe(
      v.pipe(v.string(), v.minLength(1)),
      "Copies go to distinct zones while there are enough, with hrw-1.",
    ),
  }),
  v.check(
    ({ webdav, dir }) => (webdav === undefined) !== (dir === undefined),
    "a member is either webdav, dir or s3",
  ),
  v.transform(({ id, webdav, dir, weight, zone }): MemberConfig => {
    const where: Where =
      webdav === undefined ? { kind: "dir", path: dir ?? "" } : { kind: "webdav", url: webdav };
    return { id, where, weight, zone };
  }),
);

/** `127.0.0.1:8101`, or a range of them: servers whose ids are their addresses, as in 3fsd. */
const servers = v.pipe(
  hostRange,
  v.transform((hosts): MemberConfig[] =>
    hosts.map(({ host, port }) => {
      const bracketed = host.includes(":") ? `[${host}]` : host;
      const id = `${bracketed}:${port ?? 80}`;
      return { id, where: { kind: "webdav", url: `http://${id}` }, weight: 1, zone: undefined };
    }),
  ),
);

const members = v.pipe(
  v.array(v.union([servers, memberKeys, s3Member])),
  v.transform((list): readonly MemberConfig[] => list.flat()),
  v.minLength(1, "a stage has a member at least"),
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const seen = new Set<string>();
    for (const { id } of dataset.value) {
      if (seen.has(id)) addIssue({ message: `there are two members "${id}"` });
      seen.add(id);
    }
  }),
);

const placed = v.pipe(
  v.strictObject({
    s3: v.exactOptional(v.never()), // that is the other form
    placement: key(
      v.picklist(["hrw-1", "md5-paper", "md5-2to3"]),
      "hrw-1",
      "How names find their members: hrw-1, 3fsd's white paper, or what 3fsd itself did.",
    ),
    region: key(
      v.pipe(
        count(1),
        v.check((n) => Number.isInteger(Math.log2(n) / 4), "expected a power of 16"),
      ),
      256,
      "Partitions of md5-*: a power of 16, and never fewer than members.",
    ),
    redundancy: key(count(1), 2, "Copies of each file."),
    write_quorum: maybe(
      count(1),
      "Copies on disk before a client hears that its file is kept; the rest follow. More than half when absent.",
    ),
    members: v.pipe(members, v.description("Who keeps the files. They stay as they are for ever.")),
  }),
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { placement, region, redundancy, write_quorum, members: all } = dataset.value;
    const md5 = placement !== "hrw-1";
    const say = (message: string, at: string): void =>
      addIssue({ message, path: pathTo(dataset.value, at) });
    if (md5 && all.length > region)
      say(`${all.length} members share a region of ${region}: some would have no part`, "region");
    if (md5 && redundancy > mostCopies(region))
      say(`a region of ${region} has digits for ${mostCopies(region)} copies`, "redundancy");
    // An old 3fsd took more copies than servers, and kept as many as there were.
    if (!md5 && redundancy > all.length)
      say(`there are ${all.length} members for ${redundancy} copies`, "redundancy");
    if (write_quorum !== undefined && write_quorum > redundancy)
      say(`there are ${redundancy} copies in all`, "write_quorum");
  }),
);

/** The only member of a stage that is one object store. It is in its records: it stays as it is. */
const WHOLE = "s3";

/** `{ s3: ... }`: an object store as a stage. It has redundancy inside, so we keep one copy there. */
const whole = v.pipe(
  // A text is what tells the forms apart; which text comes behind it.
  v.strictObject({ ...s3Keys, s3: v.pipe(v.string(), v.description("URL of its bucket.")) }),
  v.forward(
    v.check(({ s3 }) => v.is(s3Keys.s3, s3), "expected a URL with a bucket as its path"),
    ["s3"],
  ),
  v.transform((keys) => ({
    placement: "hrw-1" as const,
    region: 256,
    redundancy: 1,
    write_quorum: undefined,
    members: [{ id: WHOLE, where: s3Where(keys), weight: 1, zone: undefined }],
  })),
);

const stage = v.variant("s3", [placed, whole]);

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
export type StageConfig = StoreConfig["stages"][string];
