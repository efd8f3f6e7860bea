import { expect, setDefaultTimeout } from "bun:test";

import { needs } from "../../../sys/needs.ts";
import { served } from "../dav/served.ts";

setDefaultTimeout(60_000);

const hasBoto = Bun.spawnSync(["python3", "-c", "import boto3"], { stderr: "ignore" }).success;
const withBoto = needs(hasBoto, "boto3, Amazon's own client (pip install boto3)");

const users = { AK: { secret: "secretsecret", access: "full", prefix: "/" } };

/** Prints what each call gave that matters, or the code of its error. */
const SCRIPT = `
import base64, hashlib, io, json, sys, urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})
s3 = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id="AK",
                  aws_secret_access_key="secretsecret", region_name="us-east-1", config=config)

def told(call):
    try:
        return call()
    except ClientError as error:
        return error.response["Error"]["Code"]

def bucket(what, **words):
    return told(lambda: getattr(s3, what)(Bucket="b", **words))

def put(key, body=b"hello", **words):
    return bucket("put_object", Key=key, Body=body, **words)

def url(what, key, **words):
    return s3.generate_presigned_url(what, Params={"Bucket": "b", "Key": key, **words}, ExpiresIn=60)

def fetched(request):
    with urllib.request.urlopen(request) as answer:
        return [answer.status, answer.read().decode(), answer.headers["content-type"]]

s3.create_bucket(Bucket="b")
out = {}
for kind in ["CRC32", "SHA1", "SHA256"]:
    out["put " + kind] = put("a", ChecksumAlgorithm=kind)["ETag"]
sums = {kind: base64.b64encode(hashlib.new(kind, b"hullo").digest()).decode() for kind in ["sha1", "sha256"]}
out["wrong"] = [put("wrong", ChecksumSHA1=sums["sha1"]), put("wrong", ChecksumSHA256=sums["sha256"]),
                put("wrong", ChecksumCRC32="AAAAAA=="), bucket("head_object", Key="wrong")]
about = bucket("get_object_attributes", Key="a", ObjectAttributes=["ETag", "ObjectSize"])
out["attributes"] = [about["ETag"], about["ObjectSize"]]
out["versions"] = [[v["Key"], v["VersionId"]] for v in bucket("list_object_versions")["Versions"]]
out["version null"] = bucket("get_object", Key="a", VersionId="null")["ContentLength"]
out["version x"] = bucket("get_object", Key="a", VersionId="x")
out["none"] = [bucket(what) for what in [
    "get_bucket_lifecycle_configuration", "get_bucket_policy", "get_bucket_cors", "get_bucket_tagging",
    "get_bucket_encryption", "get_object_lock_configuration", "get_bucket_acl"]]
out["tags"] = bucket("get_object_tagging", Key="a")["TagSet"]
out["put tags"] = bucket("put_object_tagging", Key="a", Tagging={"TagSet": []})
out["signed get"] = fetched(url("get_object", "a", ResponseContentType="text/x"))
out["signed put"] = fetched(urllib.request.Request(url("put_object", "signed"), data=b"x", method="PUT"))[0]
body = b"what is large goes in parts, " * 700000
s3.upload_fileobj(io.BytesIO(body), "b", "large")
s3.copy({"Bucket": "b", "Key": "large"}, "b", "copy")
out["large"] = [bucket("get_object", Key=key)["Body"].read() == body for key in ["large", "copy"]]
upload = bucket("create_multipart_upload", Key="in/a")["UploadId"]
bucket("upload_part", Key="in/a", UploadId=upload, PartNumber=1, Body=b"x")
out["uploads"] = ["Uploads" in bucket("list_multipart_uploads", Prefix=prefix) for prefix in ["in/", "on/"]]
bucket("abort_multipart_upload", Key="in/a", UploadId=upload)
out["aborted"] = bucket("list_parts", Key="in/a", UploadId=upload)
keys = [{"Key": one["Key"]} for one in bucket("list_objects_v2")["Contents"]]
out["deleted"] = sorted(one["Key"] for one in bucket("delete_objects", Delete={"Objects": keys})["Deleted"])
s3.delete_bucket(Bucket="b")
out["buckets"] = s3.list_buckets()["Buckets"]
print(json.dumps(out))
`;

withBoto("Amazon's client: checksums, parts, versions, links, and what is not here", async () => {
  await using site = await served({ s3: { users } });
  const child = Bun.spawn(["python3", "-c", SCRIPT, site.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  const hello = "5d41402abc4b2a76b9719d911017c592";
  expect(JSON.parse(text)).toEqual({
    "put CRC32": `"${hello}"`,
    "put SHA1": `"${hello}"`,
    "put SHA256": `"${hello}"`,
    wrong: ["BadDigest", "BadDigest", "BadDigest", "404"],
    attributes: [hello, 5],
    versions: [["a", "null"]],
    "version null": 5,
    "version x": "NoSuchVersion",
    none: [
      "NoSuchLifecycleConfiguration",
      "NoSuchBucketPolicy",
      "NoSuchCORSConfiguration",
      "NoSuchTagSet",
      "ServerSideEncryptionConfigurationNotFoundError",
      "ObjectLockConfigurationNotFoundError",
      "NotImplemented",
    ],
    tags: [],
    "put tags": "NotImplemented",
    "signed get": [200, "hello", "text/x"],
    "signed put": 200,
    large: [true, true],
    uploads: [true, false],
    aborted: "NoSuchUpload",
    deleted: ["a", "copy", "large", "signed"],
    buckets: [],
  });
});
