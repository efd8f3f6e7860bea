import { expect, setDefaultTimeout, test } from "bun:test";

import { Secret } from "../../../../src/config/scalars.ts";
import { type Member, MemberError } from "../../../../src/services/store/members/member.ts";
import { S3Member } from "../../../../src/services/store/s3/member.ts";
import { served } from "../dav/served.ts";

setDefaultTimeout(60_000);

const MiB = 2 ** 20;
const users = { AKTEST: { secret: "sekrit", access: "full" } };

function memberOn(url: string, secret = "sekrit"): S3Member {
  return new S3Member("m", {
    kind: "s3",
    url,
    region: "eu-1",
    accessKey: "AKTEST",
    secretKey: new Secret(secret),
  });
}

async function bucket(url: string, member = memberOn(url)): Promise<S3Member> {
  await member.done("PUT", "", {}); // the bucket itself
  return member;
}

async function keep(member: Member, at: string, body: Uint8Array): Promise<void> {
  const upload = await member.put("/_3fs_0.new");
  for (let from = 0; from < body.length; from += 700_001)
    await upload.write(body.subarray(from, from + 700_001));
  await upload.finish();
  await upload.place(at);
}

async function readAll(member: Member, at: string, from = 0, to = Infinity) {
  const reading = await member.read(at, from, to);
  if (reading === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await reading.next()) !== undefined;) pieces.push(piece);
  reading.close();
  return { size: reading.size, bytes: Buffer.concat(pieces) };
}

test("a member on an object store does what members do", async () => {
  await using site = await served({ s3: { users } });
  const member = await bucket(`${site.url}/bucket`);
  await member.probe();
  const random = crypto.getRandomValues(new Uint8Array(60_000));
  const large = Buffer.concat(Array.from({ length: 300 }, () => random)); // in three parts
  expect(large.length).toBeGreaterThan(16 * MiB);
  expect(await member.facts("/_3fs_0/none")).toBeUndefined();
  expect(await readAll(member, "/_3fs_0/none")).toBeUndefined();
  for (const [at, body] of [
    ["/_3fs_0/empty", new Uint8Array()],
    ["/_3fs_0/a/b/small #1 ä%+ '*'.txt", random],
    ["/_3fs_0/a/large", large],
  ] as const) {
    await keep(member, at, body);
    expect(await member.facts(at)).toMatchObject({ size: body.length });
    expect((await readAll(member, at))?.bytes.equals(body)).toBe(true);
    const part = await readAll(member, at, 1000, 3000);
    expect(part?.bytes.equals(body.subarray(1000, 3000))).toBe(true);
    expect(part?.size).toBe(body.length);
  }
  await member.replace("/_3fs_0.records/abc/one", new Uint8Array([1]));
  await member.replace("/_3fs_0.records/abc/one", new Uint8Array([2]));
  expect((await readAll(member, "/_3fs_0.records/abc/one"))?.bytes[0]).toBe(2);

  const items = (await member.list("/_3fs_0/a")).map((i) => [i.name, i.directory] as const);
  expect(items).toEqual([
    ["large", false],
    ["b", true],
  ]);
  expect(await member.list("/_3fs_0/a/b")).toMatchObject([
    { name: "small #1 ä%+ '*'.txt", directory: false, size: random.length },
  ]);
  expect(await member.list("/_3fs_0/none")).toEqual([]);

  await member.remove("/_3fs_0/a/large");
  await member.remove("/_3fs_0/a/large");
  expect(await member.facts("/_3fs_0/a/large")).toBeUndefined();
  // Given up at any point, nothing stays.
  for (const finishes of [false, true]) {
    const upload = await member.put("/_3fs_0.new");
    for (let i = 0; i < 20; i++) await upload.write(large.subarray(0, MiB));
    if (finishes) await upload.finish();
    await upload.abort();
  }
  expect(await member.list("/_3fs_0.new")).toEqual([]);
  member.close();
});

test("lists go on over pages", async () => {
  await using site = await served({ s3: { users } });
  const member = await bucket(`${site.url}/bucket/folder`, memberOn(`${site.url}/bucket`));
  const inFolder = memberOn(`${site.url}/bucket/folder`);
  const names = Array.from({ length: 1005 }, (_, i) => `n${i}`);
  const rest = [...names];
  const next = async (): Promise<void> => {
    for (let name; (name = rest.pop()) !== undefined;)
      await inFolder.replace(`/_3fs_0/${name}`, new Uint8Array([1]));
  };
  await Promise.all(Array.from({ length: 4 }, next));
  const found = (await inFolder.list("/_3fs_0")).map(({ name }) => name);
  expect(found).toEqual(names.toSorted());
  member.close();
  inFolder.close();
});

test.each([
  { story: "a wrong secret", path: "bucket", secret: "other", trouble: "refused" },
  { story: "no such bucket", path: "other", secret: "sekrit", trouble: "failed" },
])("$story is $trouble", async ({ path, secret, trouble }) => {
  await using site = await served({ s3: { users } });
  (await bucket(`${site.url}/bucket`)).close();
  const member = memberOn(`${site.url}/${path}`, secret);
  const failure = await member.replace("/a", new Uint8Array([1])).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MemberError);
  expect((failure as MemberError).trouble).toBe(trouble as MemberError["trouble"]);
  member.close();
});

test("nobody there is away", async () => {
  const member = memberOn("http://127.0.0.1:1/bucket");
  const failure = await member.probe().catch((error: unknown) => error);
  expect((failure as MemberError).trouble).toBe("away");
});
