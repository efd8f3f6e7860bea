import { describe, expect, test } from "bun:test";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";

import { Fixture, READER, streamOf } from "./fixture.ts";

const put = { method: "PUT", path: "/f.txt" } as const;

describe("PUT", () => {
  test("makes a file, then replaces it, and tells the new tag and date", async () => {
    await using dav = await Fixture.make();
    const made = await dav.ask({ ...put, body: "one" });
    expect(made.status).toBe(201);
    expect(made.headers.get("etag")).toMatch(/^"[^"]+"$/);
    expect(Date.parse(made.headers.get("last-modified") ?? "")).toBeGreaterThan(0);

    const replaced = await dav.ask({ ...put, body: "two" });
    expect(replaced.status).toBe(204);
    expect(replaced.headers.get("etag")).not.toBe(made.headers.get("etag"));
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("two");
    expect(dav.changed).toEqual(["/f.txt", "/f.txt"]);
    expect(await readdir(dav.root)).toEqual(["f.txt"]);
  });

  test.each([
    { story: "a body of no bytes", sent: { body: "" }, kept: "" },
    { story: "no body at all", sent: {}, kept: "" },
    {
      story: "chunks of unknown length",
      sent: { body: streamOf(["he", "", "llo"]) },
      kept: "hello",
    },
    {
      story: "chunks of known length",
      sent: { body: streamOf(["he", "llo"]), contentLength: 5 },
      kept: "hello",
    },
  ])("takes $story", async ({ sent, kept }) => {
    await using dav = await Fixture.make();
    expect((await dav.ask({ ...put, ...sent })).status).toBe(201);
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe(kept);
  });

  test.each([
    { story: "shorter than announced", body: ["abc"], length: 10, status: 400 },
    { story: "longer than announced", body: ["abc"], length: 2, status: 400 },
    { story: "cut off", body: ["abc"], breaks: true, length: 10, status: 400 },
    {
      story: "cut off, of unknown length",
      body: ["abc"],
      breaks: true,
      length: undefined,
      status: 400,
    },
    { story: "larger than allowed, as announced", body: ["abc"], length: 101, status: 413 },
    {
      story: "larger than allowed, as it turns out",
      body: ["x".repeat(101)],
      length: undefined,
      status: 413,
    },
  ])("a body $story changes nothing: $status", async ({ body, length, breaks, status }) => {
    await using dav = await Fixture.make({ max_body: 100 });
    await writeFile(dav.path("f.txt"), "old");
    const answer = await dav.ask({ ...put, body: streamOf(body, breaks), contentLength: length });
    expect(answer.status).toBe(status);
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("old");
    expect(await readdir(dav.root)).toEqual(["f.txt"]);
    expect(dav.changed).toEqual([]);
  });

  test.each([
    { story: "a collection", path: "/folder", status: 405 },
    { story: "a collection, with slash", path: "/folder/", status: 405 },
    { story: "a place whose collection is missing", path: "/none/f", status: 409 },
    { story: "a place within a file", path: "/file/f", status: 409 },
    { story: "a hidden name", path: "/.htaccess", status: 403 },
    { story: "a name of our own", path: "/.tern-put-1-0123456789abcdef", status: 403 },
    { story: "a name too long", path: `/${"n".repeat(256)}`, status: 414 },
    { story: "a way out by a link", path: "/out/f", status: 403 },
  ])("$story is refused: $status", async ({ path, status }) => {
    await using dav = await Fixture.make();
    await mkdir(dav.path("folder"));
    await writeFile(dav.path("file"), "");
    await symlink("/tmp", dav.path("out"));
    expect((await dav.ask({ method: "PUT", path, body: "x" })).status).toBe(status);
  });

  test("who may not write hears 403, or how to log in", async () => {
    await using dav = await Fixture.make();
    expect((await dav.ask({ ...put, body: "x", caller: READER })).status).toBe(403);
    const stranger = { ...READER, challenge: 'Basic realm="staff"' };
    const answer = await dav.ask({ ...put, body: "x", caller: stranger });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Basic realm="staff"');
    expect(await readdir(dav.root)).toEqual([]);
  });

  test.each([
    {
      story: "only if absent, but there",
      headers: { "If-None-Match": "*" },
      old: "x",
      status: 412,
    },
    { story: "only if absent, and absent", headers: { "If-None-Match": "*" }, status: 201 },
    { story: "only if there, but absent", headers: { "If-Match": "*" }, status: 412 },
    { story: "only if there, and there", headers: { "If-Match": "*" }, old: "x", status: 204 },
    { story: "another version is there", headers: { "If-Match": '"v0"' }, old: "x", status: 412 },
    {
      story: "changed since",
      headers: { "If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT" },
      old: "x",
      status: 412,
    },
    { story: "coded", headers: { "Content-Encoding": "gzip" }, status: 415 },
    { story: "identity", headers: { "Content-Encoding": "identity" }, status: 201 },
  ] as { story: string; headers: Record<string, string>; old?: string; status: number }[])(
    "$story: $status",
    async ({ headers, old, status }) => {
      await using dav = await Fixture.make();
      if (old !== undefined) await writeFile(dav.path("f.txt"), old);
      let read = false;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            read = true;
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      expect((await dav.ask({ ...put, headers, body })).status).toBe(status);
      expect(read).toBe(status < 300); // a body in vain is not even read
    },
  );

  test.each([
    { story: "made from it", suffix: "-g" },
    { story: "found beside it", suffix: "-hoec8jhlmw-3-g" },
  ])("the tag of the compressed form $story names the same version", async ({ suffix }) => {
    await using dav = await Fixture.make();
    const { headers } = await dav.ask({ ...put, body: "1" });
    const gzipped = `${headers.get("etag")?.slice(0, -1)}${suffix}"`;
    const absent = { ...put, body: "2", headers: { "If-None-Match": gzipped } };
    expect((await dav.ask(absent)).status).toBe(412);
    const same = { ...put, body: "2", headers: { "If-Match": `"x", ${gzipped}` } };
    expect((await dav.ask(same)).status).toBe(204);
    expect((await dav.ask(same)).status).toBe(412);
  });

  test("a version that came while the body was on its way is not lost", async () => {
    await using dav = await Fixture.make();
    const { headers } = await dav.ask({ ...put, body: "mine" });
    let resume = (): void => {};
    const paused = new Promise<void>((resolve) => (resume = resolve));
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await paused;
        controller.close();
      },
    });
    const answer = dav.ask({
      ...put,
      headers: { "If-Match": headers.get("etag") ?? "" },
      body: slow,
    });
    await dav.ask({ ...put, body: "theirs" });
    resume();
    expect((await answer).status).toBe(412);
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("theirs");
    expect(await readdir(dav.root)).toEqual(["f.txt"]);
  });

  test("no two versions of one size share a tag, however fast they come", async () => {
    await using dav = await Fixture.make();
    const tags = new Set<string>();
    for (let i = 0; i < 50; i++)
      tags.add((await dav.ask({ ...put, body: String(i % 2) })).headers.get("etag") ?? "");
    expect(tags.size).toBe(50);
  });

  test("a file from the future does not drag its successor there", async () => {
    await using dav = await Fixture.make();
    await dav.ask({ ...put, body: "1" });
    const future = Date.now() / 1000 + 1e6;
    await utimes(dav.path("f.txt"), future, future);
    await dav.ask({ ...put, body: "2" });
    expect((await stat(dav.path("f.txt"))).mtimeMs).toBeLessThan(Date.now() + 1000);
  });

  test("permissions stay, and so does a link's target", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("f.txt"), "old");
    await chmod(dav.path("f.txt"), 0o640);
    await symlink("f.txt", dav.path("link"));
    await dav.ask({ ...put, body: "new" });
    expect((await stat(dav.path("f.txt"))).mode & 0o777).toBe(0o640);
    await dav.ask({ method: "PUT", path: "/link", body: "of its own" });
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("new");
  });

  test("properties stay with a replaced file, but not with a name that was free", async () => {
    await using dav = await Fixture.make();
    const body =
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="u">1</a></D:prop></D:set></D:propertyupdate>';
    const find = '<D:propfind xmlns:D="DAV:"><D:prop><a xmlns="u"/></D:prop></D:propfind>';
    const seen = async () =>
      (await dav.ask({ method: "PROPFIND", path: "/f.txt", headers: { Depth: "0" }, body: find }))
        .text;
    await dav.ask({ ...put, body: "1" });
    expect((await dav.ask({ method: "PROPPATCH", path: "/f.txt", body })).status).toBe(207);
    await dav.ask({ ...put, body: "2" });
    expect(await seen()).toContain(">1</a>");
    await Bun.file(dav.path("f.txt")).delete(); // behind our back
    await dav.ask({ ...put, body: "3" });
    expect(await seen()).not.toContain(">1</a>");
  });
});

describe("PUT of a part", () => {
  const part = (range: string, body: string) =>
    ({ ...put, headers: { "Content-Range": range }, body }) as const;

  test.each([
    {
      story: "in the middle",
      range: "bytes 2-3/6",
      body: "XY",
      old: "abcdef",
      status: 204,
      now: "abXYef",
    },
    {
      story: "over the end",
      range: "bytes 4-7/8",
      body: "WXYZ",
      old: "abcdef",
      status: 204,
      now: "abcdWXYZ",
    },
    {
      story: "at the end",
      range: "bytes 6-7/*",
      body: "YZ",
      old: "abcdef",
      status: 204,
      now: "abcdefYZ",
    },
    {
      story: "of a file that is not there yet",
      range: "bytes 0-1/6",
      body: "ab",
      status: 201,
      now: "ab",
    },
    {
      story: "behind a hole",
      range: "bytes 7-8/*",
      body: "YZ",
      old: "abcdef",
      status: 416,
      now: "abcdef",
    },
    {
      story: "of another length than sent",
      range: "bytes 0-1/6",
      body: "XYZ",
      old: "abc",
      status: 400,
      now: "abc",
    },
    {
      story: "that cannot be read",
      range: "lines 0-1/6",
      body: "XY",
      old: "abc",
      status: 400,
      now: "abc",
    },
  ] as { range: string; body: string; old?: string; status: number; now: string; story: string }[])(
    "$story: $range",
    async ({ range, body, old, status, now }) => {
      await using dav = await Fixture.make();
      if (old !== undefined) await writeFile(dav.path("f.txt"), old);
      const answer = await dav.ask(part(range, body));
      expect(answer.status).toBe(status);
      expect(await readFile(dav.path("f.txt"), "utf8")).toBe(now);
      expect(await readdir(dav.root)).toEqual(["f.txt"]);
      if (status === 416) expect(answer.headers.get("content-range")).toBe("bytes */6");
    },
  );

  test("a short part changes nothing", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("f.txt"), "abcdef");
    const short = { ...part("bytes 0-3/6", ""), body: streamOf(["XY"]), contentLength: undefined };
    expect((await dav.ask(short)).status).toBe(400);
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("abcdef");
  });

  test("a part of a version that is gone is refused", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("f.txt"), "abcdef");
    let resume = (): void => {};
    const paused = new Promise<void>((resolve) => (resume = resolve));
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await paused;
        controller.enqueue(new TextEncoder().encode("XY"));
        controller.close();
      },
    });
    const answer = dav.ask({ ...part("bytes 0-1/6", ""), body: slow, contentLength: 2 });
    await Bun.sleep(20); // the copy to be patched is being made
    await dav.ask({ ...put, body: "ABCDEF" });
    resume();
    expect((await answer).status).toBe(409);
    expect(await readFile(dav.path("f.txt"), "utf8")).toBe("ABCDEF");
  });
});
