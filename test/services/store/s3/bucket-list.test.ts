import { describe, expect, setDefaultTimeout, test } from "bun:test";

import fc from "fast-check";

import { Secret } from "../../../../src/config/scalars.ts";
import { MemberError } from "../../../../src/services/store/members/member.ts";
import { BucketList } from "../../../../src/services/store/s3/bucket-list.ts";
import { S3Member } from "../../../../src/services/store/s3/member.ts";
import { emitS3 } from "../../../../src/wire/s3/xml.ts";

setDefaultTimeout(60_000);

interface Page {
  readonly keys?: readonly string[];
  readonly folders?: readonly string[];
  /** Truncated: the token of the next page, or none. */
  readonly next?: string;
  readonly truncated?: boolean;
}

function text({ keys = [], folders = [], next, truncated = next !== undefined }: Page): string {
  return emitS3("ListBucketResult", {
    IsTruncated: truncated,
    NextContinuationToken: next,
    Contents: keys.map((key) => ({ Key: encodeURIComponent(key), Size: 1 })),
    CommonPrefixes: folders.map((folder) => ({ Prefix: encodeURIComponent(folder) })),
  });
}

const bytes = (page: Page): Uint8Array => new TextEncoder().encode(text(page));

describe("what is read of pages", () => {
  test("names without their prefix; a folder and a file may be called the same", () => {
    const list = new BucketList("f/");
    expect(list.add(bytes({ keys: ["f/", "f/ä +"], next: "1" }))).toBe("1");
    expect(list.add(bytes({ keys: ["f/b"], folders: ["f/b/"] }))).toBeUndefined();
    expect(list.items.map(({ name, directory }) => [name, directory])).toEqual([
      ["ä +", false],
      ["b", false],
      ["b", true],
    ]);
  });

  test("whatever the pages are cut to, every name is there once", () => {
    const pages = fc.array(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,2}$/)), { minLength: 1 });
    fc.assert(
      fc.property(pages, (cut) => {
        const list = new BucketList("");
        for (const [i, keys] of cut.entries()) {
          const last = i === cut.length - 1;
          list.add(bytes({ keys, ...(!last && { next: `${i}` }) }));
        }
        const names = list.items.map(({ name }) => name);
        expect(names.toSorted()).toEqual([...new Set(cut.flat())].toSorted());
      }),
    );
  });

  test.each([
    { story: "another document", page: "<Error/>", why: "no list of S3" },
    { story: "no document", page: "hello", why: "no list of S3" },
    {
      story: "a key that is not coded",
      page: "<ListBucketResult><Contents><Key>100%</Key></Contents></ListBucketResult>",
      why: "a list with a key that is not coded as it says: 100%",
    },
    {
      story: "more, and nothing that leads there",
      page: text({ keys: ["a"], truncated: true }),
      why: "a list that goes on, and does not say where",
    },
  ])("$story is refused", ({ page, why }) => {
    expect(() => new BucketList("").add(new TextEncoder().encode(page))).toThrow(why);
  });
});

describe("a bucket that lies, over HTTP", () => {
  test.each([
    { story: "the same page, the same token", page: (): Page => ({ keys: ["a"], next: "t" }) },
    { story: "the same page, another token", page: (n): Page => ({ keys: ["a"], next: `${n}` }) },
    {
      story: "pages in a circle",
      page: (n): Page => ({ folders: [`${n % 7}/`], next: `${n % 7}` }),
    },
    { story: "empty pages", page: (n): Page => ({ next: `${n}` }) },
  ] as { story: string; page: (n: number) => Page }[])(
    "$story: the list ends",
    async ({ page }) => {
      let asked = 0;
      using server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: () => new Response(text(page(asked++))),
      });
      const member = new S3Member("m", {
        kind: "s3",
        url: `${server.url.origin}/bucket`,
        region: "eu-1",
        accessKey: "AKTEST",
        secretKey: new Secret("sekrit"),
      });
      const failure = await member.list("/_3fs_0").catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(MemberError);
      expect((failure as MemberError).message).toEndWith(
        "list /_3fs_0: a list that goes on, with nothing new in it",
      );
      expect(asked).toBeLessThan(200);
      member.close();
    },
  );
});

test("what was removed may leave empty pages behind", () => {
  const list = new BucketList("");
  for (let i = 0; i < 50; i++) list.add(bytes({ next: `${i}` }));
  list.add(bytes({ keys: ["a"], next: "50" }));
  for (let i = 0; i < 100; i++) list.add(bytes({ next: `more ${i}` }));
  list.add(bytes({ keys: ["b"] }));
  expect(list.items.map(({ name }) => name)).toEqual(["a", "b"]);
});
