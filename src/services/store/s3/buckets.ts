import { type HttpResponse, respond } from "../../../wire/http/message.ts";
/** Buckets: collections at the top. */
import { emitS3 } from "../../../wire/s3/xml.ts";
import { keys } from "../tree/keys.ts";
import type { CollectionNode, Tree } from "../tree/tree.ts";
import { bucketPath } from "./names.ts";
import { Refusal, xml } from "./refusal.ts";

/** `may`: may who asks see this one? */
export async function listBuckets(
  tree: Tree,
  may: (path: string) => boolean,
): Promise<HttpResponse> {
  const found: { Name: string; CreationDate: string }[] = [];
  for await (const batch of tree.members("any", "/"))
    for (const node of batch)
      if (node.kind === "collection" && may(node.path))
        found.push({
          Name: node.path.slice(1),
          CreationDate: new Date(node.mtime).toISOString(),
        });
  const told = { Owner: { ID: "tern", DisplayName: "tern" }, Buckets: { Bucket: found } };
  return xml(200, emitS3("ListAllMyBucketsResult", told));
}

/** Throws a `Refusal` when there is none. */
export async function bucketOf(tree: Tree, bucket: string): Promise<CollectionNode> {
  const there = await tree.collection("any", bucketPath(bucket));
  if (there === undefined) throw new Refusal("NoSuchBucket");
  return there;
}

/** One that is there already is as good as made: so do clients that upload first ask. */
export async function createBucket(tree: Tree, bucket: string): Promise<HttpResponse> {
  const path = bucketPath(bucket);
  if ((await tree.collection("any", path)) === undefined) await tree.makeCollection("any", path);
  return respond(200, [["Location", path]]);
}

/** Folders without a file in them go with it. */
export async function deleteBucket(tree: Tree, bucket: string): Promise<HttpResponse> {
  const { path } = await bucketOf(tree, bucket);
  const any = keys(tree, path, { prefix: "", after: "", fold: false });
  if ((await any.next()).done !== true) throw new Refusal("BucketNotEmpty");
  await unmake(tree, path);
  return respond(204);
}

async function unmake(tree: Tree, path: string): Promise<void> {
  for await (const batch of tree.members("any", path))
    for (const node of batch) await unmake(tree, node.path);
  await tree.unmakeCollection("any", path);
}
