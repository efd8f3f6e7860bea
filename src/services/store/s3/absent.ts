/** Parts of S3 that a client may ask after and that are not here. */
import type { HttpResponse } from "../../../wire/http/message.ts";
import type { S3ErrorCode } from "../../../wire/s3/error.ts";
import { emitS3 } from "../../../wire/s3/xml.ts";
import { Refusal, xml } from "./refusal.ts";

/** What S3 says of a bucket without them. */
const MISSING: Readonly<Record<string, S3ErrorCode>> = {
  cors: "NoSuchCORSConfiguration",
  encryption: "ServerSideEncryptionConfigurationNotFoundError",
  lifecycle: "NoSuchLifecycleConfiguration",
  "object-lock": "ObjectLockConfigurationNotFoundError",
  policy: "NoSuchBucketPolicy",
  replication: "ReplicationConfigurationNotFoundError",
  tagging: "NoSuchTagSet",
  website: "NoSuchWebsiteConfiguration",
};
const OTHERS = ["acl", "logging", "notification", "requestPayment", "retention", "legal-hold"];
const ALL = [...Object.keys(MISSING), ...OTHERS];

/**
 * The answer to a request about one of them; undefined: it is about something else. Whoever reads
 * hears that there is none, where S3 has words for it; all else is refused.
 */
export function absent(
  method: string,
  query: ReadonlyMap<string, string>,
  of: "bucket" | "object",
): HttpResponse | undefined {
  const asked = ALL.find((name) => query.has(name));
  if (asked === undefined) return undefined;
  if (method !== "GET") throw new Refusal("NotImplemented");
  // Clients that copy large objects ask after their tags.
  if (of === "object" && asked === "tagging") return xml(200, emitS3("Tagging", { TagSet: "" }));
  const code = of === "bucket" ? MISSING[asked] : undefined;
  throw new Refusal(code ?? "NotImplemented");
}
