/** Errors of S3: what they are called, and which status they come with ("Error responses"). */
import { emitS3 } from "./xml.ts";

export const S3_ERRORS = {
  AccessDenied: [403, "You may not do this."],
  BadDigest: [400, "The body is not what its checksum says."],
  BucketAlreadyOwnedByYou: [409, "The bucket is there already."],
  BucketNotEmpty: [409, "The bucket has objects in it."],
  EntityTooLarge: [400, "The body is larger than it may be."],
  IncompleteBody: [400, "The body is not as long as announced."],
  InternalError: [500, "Something went wrong here."],
  InvalidAccessKeyId: [403, "There is no such access key."],
  InvalidArgument: [400, "An argument cannot be used."],
  InvalidPart: [400, "A part is not there, or is another one."],
  InvalidPartOrder: [400, "The parts are not in ascending order."],
  InvalidRequest: [400, "The field x-amz-content-sha256 is missing; UNSIGNED-PAYLOAD is a value."],
  InvalidRange: [416, "There are no such bytes."],
  KeyTooLongError: [400, "The key is longer than the members take."],
  MalformedXML: [400, "The body is not the XML that this wants."],
  MethodNotAllowed: [405, "Not here."],
  NoSuchBucketPolicy: [404, "The bucket has none."],
  NoSuchCORSConfiguration: [404, "The bucket has none."],
  NoSuchLifecycleConfiguration: [404, "The bucket has none."],
  NoSuchTagSet: [404, "The bucket has none."],
  NoSuchVersion: [404, "There is no such version."],
  NoSuchWebsiteConfiguration: [404, "The bucket has none."],
  ObjectLockConfigurationNotFoundError: [404, "The bucket has none."],
  ReplicationConfigurationNotFoundError: [404, "The bucket has none."],
  ServerSideEncryptionConfigurationNotFoundError: [404, "The bucket has none."],
  NoSuchBucket: [404, "There is no such bucket."],
  NoSuchKey: [404, "There is no such object."],
  NoSuchUpload: [404, "There is no such upload."],
  NotImplemented: [501, "This is not done here."],
  PreconditionFailed: [412, "A condition of the request does not hold."],
  QuotaExceeded: [403, "The quota of this folder is used up."],
  RequestTimeTooSkewed: [403, "The request's clock and ours are too far apart."],
  ServiceUnavailable: [503, "Too few of the members that keep this can be reached."],
  SignatureDoesNotMatch: [403, "The signature is not that of this request."],
  StorageFull: [507, "There is no room left for that."],
  XAmzContentSHA256Mismatch: [400, "The body is not the one that was signed."],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

export type S3ErrorCode = keyof typeof S3_ERRORS;

/** The body of an error's answer. */
export function emitError(code: string, message: string, resource: string): string {
  return emitS3("Error", { Code: code, Message: message, Resource: resource }, "");
}
