import { describe, expect, setDefaultTimeout, test } from "bun:test";

import fc from "fast-check";

import { Secret } from "../../../../src/config/scalars.ts";
import { S3Client } from "../../../../src/services/store/s3/client.ts";
import { hashes } from "../../../../src/services/store/s3/hashes.ts";
import { canonicalQuery, type Pair } from "../../../../src/wire/s3/canonical.ts";
import { emitAuthorization } from "../../../../src/wire/s3/credential.ts";
import { showTime, signChunk, signingKey, signRequest } from "../../../../src/wire/s3/signature.ts";
import { childrenOf, childText, emitS3, parseS3 } from "../../../../src/wire/s3/xml.ts";
import { served } from "../dav/served.ts";

setDefaultTimeout(60_000);

const users = {
  FULL: { secret: "full", access: "full" },
  READ: { secret: "read" },
  PART: { secret: "part", access: "full", prefix: "/bucket/mine/" },
};
const utf8 = new TextEncoder();

function client(url: string, user: keyof typeof users = "FULL"): S3Client {
  const secretKey = new Secret(users[user].secret);
  return new S3Client({ kind: "s3", url, region: "eu-1", accessKey: user, secretKey });
}

async function codeOf(response: Response): Promise<string | number> {
  const body = await response.bytes();
  return childText(parseS3(body, "Error") ?? [], "Code") ?? response.status;
}

describe("objects", () => {
  test("come back as they were brought, with what was said of them", async () => {
    await using site = await served({ s3: { users } });
    const s3 = client(site.url);
    expect((await s3.ask("PUT", "/bucket/key", { body: utf8.encode("x") })).status).toBe(404);
    await s3.ask("PUT", "/bucket");
    const put = await s3.ask("PUT", "/bucket/a b/key", {
      body: utf8.encode("hello"),
      headers: {
        "content-type": "text/x-own",
        "cache-control": "max-age=5",
        "content-encoding": "aws-chunked,own",
        "x-amz-meta-color": "red",
        "content-md5": new Bun.CryptoHasher("md5").update("hello").digest("base64"),
      },
    });
    const etag = `"${new Bun.CryptoHasher("md5").update("hello").digest("hex")}"`;
    expect([put.status, put.headers.get("etag")]).toEqual([200, etag]);
    const got = await s3.ask("GET", "/bucket/a b/key", { headers: { range: "bytes=1-2" } });
    expect([got.status, await got.text()]).toEqual([206, "el"]);
    const headers = Object.fromEntries(got.headers);
    expect(headers).toMatchObject({
      etag,
      "content-type": "text/x-own",
      "cache-control": "max-age=5",
      "content-encoding": "own",
      "x-amz-meta-color": "red",
    });
    const none = { headers: { "if-none-match": "*" }, body: utf8.encode("y") };
    expect(await codeOf(await s3.ask("PUT", "/bucket/a b/key", none))).toBe("PreconditionFailed");
    const named = { query: [["response-content-type", "a/b"]] as Pair[] };
    const other = await s3.ask("GET", "/bucket/a b/key", named);
    expect(other.headers.get("content-type")).toBe("a/b");
    // One metadata for another, in place.
    await s3.ask("PUT", "/bucket/a b/key", {
      headers: {
        "x-amz-copy-source": "/bucket/a%20b/key",
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-meta-color": "blue",
      },
    });
    const head = await s3.ask("HEAD", "/bucket/a b/key");
    expect([head.headers.get("x-amz-meta-color"), head.headers.get("etag")]).toEqual([
      "blue",
      etag,
    ]);
  });

  test("a body of another MD5 than it says is refused, and nothing stays", async () => {
    await using site = await served({ s3: { users } });
    const s3 = client(site.url);
    await s3.ask("PUT", "/bucket");
    const headers = { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
    const asked = await s3.ask("PUT", "/bucket/f", { body: utf8.encode("hello"), headers });
    expect(await codeOf(asked)).toBe("BadDigest");
    expect((await s3.ask("HEAD", "/bucket/f")).status).toBe(404);
  });

  test.each(["a//b", "/a", "a/./b", "../a", "_tern.multipart/x/upload"])(
    "a key that no path can be is refused: %s",
    async (key) => {
      await using site = await served({ s3: { users } });
      const s3 = client(site.url);
      await s3.ask("PUT", "/bucket");
      // Clients for people make such paths shorter before they send them.
      const path = `/bucket/${key}`;
      const response = await s3.ask("PUT", path, { body: utf8.encode("x") });
      expect(response.status).toBeGreaterThanOrEqual(400);
    },
  );
});

describe("who may do what", () => {
  test.each([
    { user: "READ", method: "GET", path: "/bucket/mine/a", is: 200 },
    { user: "READ", method: "PUT", path: "/bucket/mine/a", is: "AccessDenied" },
    { user: "READ", method: "DELETE", path: "/bucket/mine/a", is: "AccessDenied" },
    { user: "PART", method: "PUT", path: "/bucket/mine/a", is: 200 },
    { user: "PART", method: "GET", path: "/bucket/other", is: "AccessDenied" },
    { user: "PART", method: "PUT", path: "/bucket/minefield", is: "AccessDenied" },
    { user: "PART", method: "DELETE", path: "/bucket", is: "AccessDenied" },
  ] as const)("$user: $method $path: $is", async ({ user, method, path, is }) => {
    await using site = await served({ s3: { users } });
    const full = client(site.url);
    await full.ask("PUT", "/bucket");
    for (const key of ["mine/a", "other"])
      await full.ask("PUT", `/bucket/${key}`, { body: utf8.encode("x") });
    const body = method === "PUT" ? { body: utf8.encode("y") } : {};
    expect(await codeOf(await client(site.url, user).ask(method, path, body))).toBe(is);
  });

  test("a part is not copied out of what may not be read", async () => {
    await using site = await served({ s3: { users } });
    const full = client(site.url);
    await full.ask("PUT", "/bucket");
    await full.ask("PUT", "/bucket/other", { body: utf8.encode("x") });
    const copy = { headers: { "x-amz-copy-source": "/bucket/other" } };
    const part = client(site.url, "PART");
    expect(await codeOf(await part.ask("PUT", "/bucket/mine/b", copy))).toBe("AccessDenied");
  });

  const now = Date.now();
  test.each([
    { story: "fresh", at: now, expires: 60, is: 200 },
    { story: "run out", at: now - 61_000, expires: 60, is: "AccessDenied" },
    { story: "of tomorrow", at: now + 86_400_000, expires: 60, is: "AccessDenied" },
    {
      story: "for another path",
      at: now,
      expires: 60,
      path: "/bucket/other",
      is: "SignatureDoesNotMatch",
    },
  ])("a link that is $story: $is", async ({ at, expires, path, is }) => {
    await using site = await served({ s3: { users } });
    const s3 = client(site.url);
    await s3.ask("PUT", "/bucket");
    await s3.ask("PUT", "/bucket/f", { body: utf8.encode("x") });
    const time = showTime(at);
    const scope = { date: time.slice(0, 8), region: "eu-1", service: "s3" };
    const query: Pair[] = [
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", `FULL/${scope.date}/eu-1/s3/aws4_request`],
      ["X-Amz-Date", time],
      ["X-Amz-Expires", String(expires)],
      ["X-Amz-SignedHeaders", "host"],
    ];
    const signature = signRequest(hashes, signingKey(hashes, "full", scope), scope, time, {
      method: "GET",
      path: "/bucket/f",
      query,
      headers: [["host", new URL(site.url).host]],
      payload: "UNSIGNED-PAYLOAD",
    });
    const search = canonicalQuery([...query, ["X-Amz-Signature", signature]]);
    expect(await codeOf(await fetch(`${site.url}${path ?? "/bucket/f"}?${search}`))).toBe(is);
  });
});

/** PUT what `make` makes of the request's signature, where `payload` is what was signed for it. */
async function send(
  url: string,
  payload: string,
  make: (sign: (chunk: Uint8Array) => string) => Uint8Array,
): Promise<Response> {
  const time = showTime(Date.now());
  const scope = { date: time.slice(0, 8), region: "eu-1", service: "s3" };
  const key = signingKey(hashes, "full", scope);
  const headers: Pair[] = [
    ["host", new URL(url).host],
    ["x-amz-content-sha256", payload],
    ["x-amz-date", time],
  ];
  const request = { method: "PUT", path: "/bucket/f", query: [], headers, payload };
  let signature = signRequest(hashes, key, scope, time, request);
  const signedHeaders = headers.map(([name]) => name);
  const authorization = emitAuthorization({ accessKey: "FULL", scope, signedHeaders, signature });
  const body = make((chunk) => (signature = signChunk(hashes, key, scope, time, signature, chunk)));
  return fetch(`${url}/bucket/f`, {
    method: "PUT",
    body: body as BodyInit,
    headers: { ...Object.fromEntries(headers), authorization },
  });
}

const CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

test.each([
  { story: "in chunks as they were signed", payload: CHUNKS, from: "hello", to: "hello", is: 200 },
  {
    story: "with a chunk changed",
    payload: CHUNKS,
    from: "hello",
    to: "hallo",
    is: "SignatureDoesNotMatch",
  },
  {
    story: "without its last chunk",
    payload: CHUNKS,
    from: /0;.*\r\n\r\n/,
    to: "",
    is: "IncompleteBody",
  },
  { story: "that is no chunks", payload: CHUNKS, from: /^/, to: "zz", is: "IncompleteBody" },
  {
    story: "of another SHA-256",
    payload: hashes.sha256("hello"),
    from: /^/,
    to: "",
    is: "XAmzContentSHA256Mismatch",
  },
])("a body $story: $is", async ({ payload, from, to, is }) => {
  await using site = await served({ s3: { users } });
  const s3 = client(site.url);
  await s3.ask("PUT", "/bucket");
  const response = await send(site.url, payload, (sign) => {
    const chunks = ["hello", " ", "world", ""].map(
      (text) =>
        `${text.length.toString(16)};chunk-signature=${sign(utf8.encode(text))}\r\n${text}\r\n`,
    );
    return utf8.encode(chunks.join("").replace(from, to));
  });
  expect(await codeOf(response)).toBe(is);
  const got = await s3.ask("GET", "/bucket/f");
  if (is === 200) expect(await got.text()).toBe("hello world");
  else expect(got.status).toBe(404);
});

test("parts: listed, wrong ones refused, given up, made one", async () => {
  await using site = await served({ s3: { users } });
  const s3 = client(site.url);
  await s3.ask("PUT", "/bucket");
  const begin = async () => {
    const begun = await s3.ask("POST", "/bucket/f", { query: [["uploads", ""]] });
    return (
      childText(parseS3(await begun.bytes(), "InitiateMultipartUploadResult") ?? [], "UploadId") ??
      ""
    );
  };
  const put = async (id: string, number: number, text: string) => {
    const query: Pair[] = [
      ["partNumber", String(number)],
      ["uploadId", id],
    ];
    const done = await s3.ask("PUT", "/bucket/f", { query, body: utf8.encode(text) });
    return done.headers.get("etag") ?? "";
  };
  const complete = (id: string, parts: readonly (readonly [number, string])[]) => {
    const Part = parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
    const body = utf8.encode(emitS3("CompleteMultipartUpload", { Part }));
    return s3.ask("POST", "/bucket/f", { query: [["uploadId", id]], body });
  };
  const given = await begin();
  await put(given, 1, "x");
  const listed = async () =>
    childrenOf(
      parseS3(
        await (await s3.ask("GET", "/bucket", { query: [["uploads", ""]] })).bytes(),
        "ListMultipartUploadsResult",
      ) ?? [],
      "Upload",
    ).length;
  expect(await listed()).toBe(1);
  expect((await s3.ask("DELETE", "/bucket/f", { query: [["uploadId", given]] })).status).toBe(204);
  expect(await listed()).toBe(0);
  expect(await codeOf(await complete(given, [[1, "x"]]))).toBe("NoSuchUpload");

  const id = await begin();
  const [second, first] = [await put(id, 2, " world"), await put(id, 1, "hello")];
  expect(await codeOf(await complete(id, [[1, second]]))).toBe("InvalidPart");
  expect(
    await codeOf(
      await complete(id, [
        [2, second],
        [1, first],
      ]),
    ),
  ).toBe("InvalidPartOrder");
  expect(
    (
      await complete(id, [
        [1, first],
        [2, second],
      ])
    ).status,
  ).toBe(200);
  const got = await s3.ask("GET", "/bucket/f");
  expect([await got.text(), got.headers.get("etag")?.slice(-3)]).toEqual(["hello world", '-2"']);
});

test("lists are those of a sorted list of keys, however they are cut into pages", async () => {
  await using site = await served({ s3: { users } });
  const s3 = client(site.url);
  await s3.ask("PUT", "/bucket");
  const keys = [
    "a",
    "a!",
    "a0",
    "b/c",
    "b/d/e",
    "b/d/f",
    "b!",
    "b0/x",
    "ü/ö",
    "z z",
    "z/😀",
    "z/\uffee",
  ];
  for (const key of keys) await s3.ask("PUT", `/bucket/${key}`, { body: utf8.encode("x") });
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const list = async (prefix: string, delimiter: string, most: number, second: boolean) => {
    const found: string[] = [];
    for (let token: string | undefined; ;) {
      const query: Pair[] = [
        ["prefix", prefix],
        ["encoding-type", "url"],
        ["max-keys", String(most)],
        ...(delimiter === "" ? [] : [["delimiter", delimiter] as const]),
        ...(second ? [["list-type", "2"] as const] : []),
        ...(token === undefined
          ? []
          : [[second ? "continuation-token" : "marker", token] as const]),
      ];
      const read =
        parseS3(await (await s3.ask("GET", "/bucket", { query })).bytes(), "ListBucketResult") ??
        [];
      const page = [
        ...childrenOf(read, "Contents").map((one) => childText(one, "Key") ?? ""),
        ...childrenOf(read, "CommonPrefixes").map((one) => childText(one, "Prefix") ?? ""),
      ].map(decodeURIComponent);
      expect(page.length).toBeLessThanOrEqual(most);
      found.push(...page);
      token = childText(read, second ? "NextContinuationToken" : "NextMarker");
      if (childText(read, "IsTruncated") !== "true") return found.toSorted();
    }
  };
  const model = (prefix: string, delimiter: string): string[] => {
    const told = sorted
      .filter((key) => key.startsWith(prefix))
      .map((key) => {
        const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
        return end < 0 ? key : key.slice(0, end + delimiter.length);
      });
    return [...new Set(told)].toSorted();
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("", "a", "b", "b/", "b/d", "b/d/", "z", "z/", "ü", "none/"),
      fc.constantFrom("", "/", "d", "!"),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      async (prefix, delimiter, most, second) => {
        expect(await list(prefix, delimiter, most, second)).toEqual(model(prefix, delimiter));
      },
    ),
    { numRuns: 40 },
  );
});
