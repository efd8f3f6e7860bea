import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, renameSync, rmSync } from "node:fs";

import { served } from "./served.ts";

setDefaultTimeout(30_000);

type Headers = Record<string, string>;

async function ask(url: string, method: string, headers: Headers = {}, body?: string) {
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function statusOf(url: string, method: string, headers: Headers = {}, body?: string) {
  return (await ask(url, method, headers, body)).status;
}

/** Paths that PROPFIND with Depth 1 tells, in its order. */
async function list(url: string): Promise<string[]> {
  const { text } = await ask(url, "PROPFIND", { depth: "1" });
  return [...text.matchAll(/<D:response><D:href>([^<]*)</g)].map(([, href = ""]) => href);
}

describe("collections", () => {
  test("are what somebody made, or what holds something; what is gone is not listed", async () => {
    await using site = await served();
    const { url } = site;
    expect(await statusOf(`${url}/a/b`, "PUT", {}, "x")).toBe(409);
    expect(await statusOf(`${url}/a`, "MKCOL")).toBe(201);
    expect(await statusOf(`${url}/a`, "MKCOL")).toBe(405);
    expect(await list(`${url}/a/`)).toEqual(["/a/"]);
    expect(await statusOf(`${url}/a/b`, "PUT", {}, "x")).toBe(201);
    expect(await statusOf(`${url}/a`, "PUT", {}, "x")).toBe(405);
    // Under its stage's name parents are made by themselves.
    expect(await statusOf(`${url}/_3fs_0/a/c/d`, "PUT", {}, "x")).toBe(201);
    expect(await list(`${url}/a`)).toEqual(["/a/", "/a/b", "/a/c/"]);
    expect(await list(`${url}/_3fs_0/a`)).toEqual(["/_3fs_0/a/", "/_3fs_0/a/b", "/_3fs_0/a/c/"]);
    expect(await statusOf(`${url}/a/c/d`, "DELETE")).toBe(204);
    expect(await list(`${url}/a`)).toEqual(["/a/", "/a/b"]);
    expect(await statusOf(`${url}/a`, "DELETE")).toBe(204);
    expect(await list(`${url}/`)).toEqual(["/"]);
    // A file may have the name of a collection that is gone.
    expect(await statusOf(`${url}/a`, "PUT", {}, "x")).toBe(201);
    expect(await statusOf(`${url}/a/`, "PROPFIND", { depth: "0" })).toBe(404);
  });

  test("the marks of those that were made are nobody's to see or to write", async () => {
    await using site = await served();
    const mark = `${site.url}/a/_tern.collection`;
    await statusOf(`${site.url}/a`, "MKCOL");
    for (const method of ["GET", "PUT", "DELETE", "PROPFIND"])
      expect(await statusOf(mark, method)).toBe(404);
    expect(await statusOf(`${site.url}/a`, "COPY", { destination: mark })).toBe(403);
  });
});

test("a listing is whole while one member of two is away, and none while it could lack something", async () => {
  await using site = await served();
  const { url, roots } = site;
  for (let i = 0; i < 20; i++) await statusOf(`${url}/f${i}`, "PUT", {}, String(i));
  const names = await list(`${url}/`);
  expect(names.length).toBe(21);
  const [first = ""] = roots;
  renameSync(first, `${first}.away`);
  // Of two copies both had to be kept: so one of four members that is away hides nothing.
  expect(await list(`${url}/`)).toEqual(names);
  for (const root of roots.slice(1)) renameSync(root, `${root}.away`);
  expect(await statusOf(`${url}/`, "PROPFIND", { depth: "1" })).toBe(503);
});

test("a file deleted while a member is away does not come back with it", async () => {
  await using site = await served();
  const { url, roots } = site;
  await statusOf(`${url}/gone`, "PUT", {}, "x");
  const holder = roots.find((root) => existsSync(`${root}/_3fs_0/gone`)) ?? "";
  const kept = await Bun.file(`${holder}/_3fs_0/gone`).bytes();
  expect(await statusOf(`${url}/gone`, "DELETE")).toBe(204);
  // As if the member had been away: its data are there again.
  await Bun.write(`${holder}/_3fs_0/gone`, kept);
  expect(await list(`${url}/`)).toEqual(["/"]);
});

test("stages are one tree: the newest that knows a name decides", async () => {
  await using site = await served();
  const { roots } = site;
  const members = (from: number) =>
    roots.slice(from, from + 2).map((dir, i) => ({ id: `${from + i}`, dir }));
  await using both = await served({
    stage: 1,
    stages: {
      0: { redundancy: 2, members: members(0) },
      1: { redundancy: 2, members: members(2) },
    },
  });
  const { url } = both;
  expect(await statusOf(`${url}/_3fs_0/old`, "PUT", {}, "0")).toBe(201);
  expect(await statusOf(`${url}/_3fs_0/both`, "PUT", {}, "0")).toBe(201);
  expect(await statusOf(`${url}/_3fs_1/both`, "PUT", {}, "1")).toBe(201);
  expect(await statusOf(`${url}/new`, "PUT", {}, "1")).toBe(201);
  expect(existsSync(`${roots[2]}/_3fs_1/new`)).toBe(true);
  expect(await list(`${url}/`)).toEqual(["/", "/both", "/new", "/old"]);
  expect(await list(`${url}/_3fs_0/`)).toEqual(["/_3fs_0/", "/_3fs_0/both", "/_3fs_0/old"]);
  expect((await ask(`${url}/both`, "GET")).text).toBe("1");
  // What is written again stays where it is.
  expect(await statusOf(`${url}/old`, "PUT", {}, "again")).toBe(204);
  expect((await ask(`${url}/_3fs_0/old`, "GET")).text).toBe("again");
  expect(await statusOf(`${url}/both`, "DELETE")).toBe(204);
  expect(await list(`${url}/`)).toEqual(["/", "/new", "/old"]);
});

describe("PUT", () => {
  test.each([
    { story: "in the middle", range: "bytes 1-2/*", body: "XY", status: 204, text: "0XY3456789" },
    { story: "at the end", range: "bytes 10-11/*", body: "XY", status: 204, text: "0123456789XY" },
    { story: "over the end", range: "bytes 9-10/*", body: "XY", status: 204, text: "012345678XY" },
    { story: "with a hole", range: "bytes 11-12/*", body: "XY", status: 416, text: "0123456789" },
    { story: "of no range", range: "bytes 2-1/*", body: "XY", status: 400, text: "0123456789" },
    {
      story: "of another length",
      range: "bytes 1-5/*",
      body: "XY",
      status: 400,
      text: "0123456789",
    },
  ])("a part $story: $status", async ({ range, body, status, text }) => {
    await using site = await served();
    const at = `${site.url}/f`;
    await statusOf(at, "PUT", {}, "0123456789");
    expect(await statusOf(at, "PUT", { "content-range": range }, body)).toBe(status);
    expect((await ask(at, "GET")).text).toBe(text);
  });

  const sha1 = new Bun.CryptoHasher("sha1").update("hello").digest("hex");
  test.each([
    { story: "right", sum: `SHA1:${sha1}`, status: 201 },
    { story: "right, in capitals", sum: `sha1:${sha1.toUpperCase()}`, status: 201 },
    { story: "wrong", sum: `SHA1:${"0".repeat(40)}`, status: 400 },
    { story: "of no known kind", sum: "ADLER32:1", status: 400 },
  ])("an OC-Checksum that is $story: $status", async ({ sum, status }) => {
    await using site = await served();
    const at = `${site.url}/f`;
    expect(await statusOf(at, "PUT", { "oc-checksum": sum }, "hello")).toBe(status);
    expect(await statusOf(at, "GET")).toBe(status === 201 ? 200 : 404);
    if (status !== 201) return;
    const query =
      '<propfind xmlns="DAV:"><prop><checksums xmlns="http://owncloud.org/ns"/></prop></propfind>';
    expect((await ask(at, "PROPFIND", { depth: "0" }, query)).text).toContain(
      `SHA1:${sha1} SHA256:`,
    );
  });

  test("X-OC-Mtime is kept, by copies and moves too", async () => {
    await using site = await served();
    const { url } = site;
    const put = await ask(`${url}/f`, "PUT", { "x-oc-mtime": "1000000000" }, "x");
    expect(put.headers.get("x-oc-mtime")).toBe("accepted");
    expect(await statusOf(`${url}/f`, "COPY", { destination: `${url}/g` })).toBe(201);
    expect(await statusOf(`${url}/g`, "MOVE", { destination: `${url}/h` })).toBe(201);
    for (const name of ["f", "h"])
      expect((await ask(`${url}/${name}`, "HEAD")).headers.get("last-modified")).toBe(
        "Sun, 09 Sep 2001 01:46:40 GMT",
      );
    expect(await statusOf(`${url}/g`, "HEAD")).toBe(404);
  });

  test("a lock keeps others out, whatever door or stage they come by", async () => {
    await using site = await served();
    const { url } = site;
    await statusOf(`${url}/f`, "PUT", {}, "x");
    const info =
      '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';
    const token = (await ask(`${url}/f`, "LOCK", {}, info)).headers.get("lock-token") ?? "";
    expect(await statusOf(`${url}/f`, "PUT", {}, "y")).toBe(423);
    expect(await statusOf(`${url}/_3fs_0/f`, "PUT", {}, "y")).toBe(423);
    expect(await statusOf(`${url}/f`, "DELETE")).toBe(423);
    expect(await statusOf(`${url}/f`, "PUT", { if: `(${token})` }, "y")).toBe(204);
  });
});

test("another process that writes locks or properties down keeps nobody from making files", async () => {
  await using site = await served();
  const { url, scratch } = site;
  expect(await statusOf(`${url}/first`, "PUT", {}, "x")).toBe(201);
  const [file = ""] = new Bun.Glob("**/dav.sqlite").scanSync({ cwd: scratch });
  using other = new Database(`${scratch}/${file}`);
  const lockInfo =
    "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>";
  const titled = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><t xmlns="urn:x">old</t></D:prop></D:set></D:propertyupdate>`;
  // Names of files that went by another door, of which something is still remembered.
  for (const name of ["a", "c", "l"]) {
    expect(await statusOf(`${url}/${name}`, "PUT", {}, "x")).toBe(201);
    expect(await statusOf(`${url}/${name}`, "PROPPATCH", {}, titled)).toBe(207);
    for (const root of site.roots) rmSync(`${root}/_3fs_0/${name}`, { force: true });
    for (const root of site.roots)
      for (const record of new Bun.Glob("_3fs_0.records/*/*").scanSync({ cwd: root }))
        if ((await Bun.file(`${root}/${record}`).text()).includes(`"/${name}"`))
          rmSync(`${root}/${record}`);
  }
  other.run("BEGIN IMMEDIATE");
  const asked = [
    statusOf(`${url}/a`, "PUT", {}, "new"),
    statusOf(`${url}/b`, "PUT", {}, "new"),
    statusOf(`${url}/c`, "MKCOL"),
    statusOf(`${url}/l`, "LOCK", {}, lockInfo),
  ];
  await Bun.sleep(200);
  other.run("COMMIT");
  expect(await Promise.all(asked)).toEqual([201, 201, 201, 201]);
  for (const name of ["a", "c", "l"])
    expect((await ask(`${url}/${name}`, "PROPFIND", { depth: "0" })).text).not.toContain("urn:x");
});
