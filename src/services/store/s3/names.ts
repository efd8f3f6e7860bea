/** Buckets and keys as paths: a bucket is a collection at the top. */
import { isReserved } from "../tree/tree.ts";
import { Refusal } from "./refusal.ts";

/** What a request is about. */
export interface Subject {
  /** "": all buckets. */
  readonly bucket: string;
  /** "": the bucket itself. */
  readonly key: string;
}

/** `/photos/2024/a.jpg` is the key `2024/a.jpg` of the bucket `photos`. */
export function readSubject(path: string): Subject {
  const slash = path.indexOf("/", 1);
  return slash < 0
    ? { bucket: path.slice(1), key: "" }
    : { bucket: path.slice(1, slash), key: path.slice(slash + 1) };
}

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** The collection of a bucket. Throws a `Refusal`. */
export function bucketPath(bucket: string): string {
  if (!BUCKET.test(bucket)) throw new Refusal("NoSuchBucket");
  return `/${bucket}`;
}

/**
 * Where an object is. Keys that no path can be, with empty segments or with dots for one, are refused:
 * the other doors could not reach them.
 */
export function objectPath({ bucket, key }: Subject): string {
  const path = `${bucketPath(bucket)}/${key}`;
  const segments = key.split("/");
  if (segments.some((one) => one === "" || one === "." || one === ".." || one.includes("\0")))
    throw new Refusal("InvalidArgument");
  if (isReserved(path)) throw new Refusal("AccessDenied");
  return path;
}
