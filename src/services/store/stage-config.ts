/** Who keeps files: the members of a stage, and what a stage is. It stays as it is for ever. */
import * as v from "valibot";

import { key, maybe, pathTo } from "../../config/key.ts";
import { count, hostRange, path, type Secret, secret } from "../../config/scalars.ts";
import { mostCopies } from "./placement/md5.ts";

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

/** By members, or an object store as a whole. */
export const stage = v.variant("s3", [placed, whole]);
export type StageConfig = v.InferOutput<typeof stage>;
