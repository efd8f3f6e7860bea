import { describe, expect, test } from "bun:test";
import { mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";

import { Fixture, READER } from "./fixture.ts";

describe("MKCOL", () => {
  test.each([
    { story: "a free name", path: "/new", status: 201 },
    { story: "with slash", path: "/new/", status: 201 },
    { story: "a file", path: "/file", status: 405 },
    { story: "a collection", path: "/folder/", status: 405 },
    { story: "the root", path: "/", status: 405 },
    { story: "beneath nothing", path: "/none/new", status: 409 },
    { story: "beneath a file", path: "/file/new", status: 409 },
    { story: "a hidden name", path: "/.git", status: 403 },
    { story: "with a body", path: "/new", body: "<x/>", status: 415 },
  ])("$story: $status", async ({ path, status, body }) => {
    await using dav = await Fixture.make();
    await mkdir(dav.path("folder"));
    await writeFile(dav.path("file"), "");
    const ask = { method: "MKCOL", path };
    expect((await dav.ask(body === undefined ? ask : { ...ask, body })).status).toBe(status);
    if (status === 201) expect((await stat(dav.path("new"))).isDirectory()).toBe(true);
    expect(dav.changed).toEqual(status === 201 ? ["/new"] : []);
  });
});

describe("DELETE", () => {
  test.each([
    { story: "a file", path: "/file", status: 204, left: ["folder", "link"] },
    {
      story: "a collection with all it holds",
      path: "/folder/",
      status: 204,
      left: ["file", "link"],
    },
    { story: "a link, not what it leads to", path: "/link", status: 204, left: ["file", "folder"] },
    {
      story: "a file that is no collection",
      path: "/file/",
      status: 404,
      left: ["file", "folder", "link"],
    },
    { story: "nothing", path: "/none", status: 404, left: ["file", "folder", "link"] },
    { story: "the root", path: "/", status: 403, left: ["file", "folder", "link"] },
    {
      story: "a collection alone",
      path: "/folder",
      headers: { Depth: "0" },
      status: 400,
      left: ["file", "folder", "link"],
    },
    {
      story: "a file, with Depth 0",
      path: "/file",
      headers: { Depth: "0" },
      status: 204,
      left: ["folder", "link"],
    },
    {
      story: "another version",
      path: "/file",
      headers: { "If-Match": '"x"' },
      status: 412,
      left: ["file", "folder", "link"],
    },
  ] as {
    path: string;
    headers?: Record<string, string>;
    status: number;
    left: string[];
    story: string;
  }[])("$story: $status", async ({ path, headers, status, left }) => {
    await using dav = await Fixture.make();
    await mkdir(dav.path("folder/sub"), { recursive: true });
    await writeFile(dav.path("folder/sub/f"), "");
    await writeFile(dav.path("file"), "");
    await symlink("folder", dav.path("link"));
    expect((await dav.ask({ method: "DELETE", path, headers: headers ?? {} })).status).toBe(status);
    expect((await readdir(dav.root)).sort()).toEqual(left);
    if (path === "/link") expect(await readdir(dav.path("folder/sub"))).toEqual(["f"]);
  });

  test("who may only read deletes nothing", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("file"), "");
    expect((await dav.ask({ method: "DELETE", path: "/file", caller: READER })).status).toBe(403);
    expect(await readdir(dav.root)).toEqual(["file"]);
  });

  test("what cannot be deleted is named, and stays where it was", async () => {
    await using dav = await Fixture.make();
    await mkdir(dav.path("folder/sub"), { recursive: true });
    await writeFile(dav.path("folder/sub/stuck"), "");
    await writeFile(dav.path("folder/loose"), "");
    // Not even root deletes an immutable file; nobody else may make one.
    if (Bun.spawnSync(["chattr", "+i", dav.path("folder/sub/stuck")]).exitCode !== 0) {
      process.stderr.write("SKIPPED for want of chattr +i: DELETE of what cannot be deleted\n");
      return;
    }
    try {
      const answer = await dav.ask({ method: "DELETE", path: "/folder" });
      expect(answer.status).toBe(207);
      expect(answer.text).toContain(
        "<D:href>/folder/sub/stuck</D:href><D:status>HTTP/1.1 403 Forbidden",
      );
      expect(answer.text.match(/<D:response>/g)).toHaveLength(1);
      expect((await readdir(dav.root, { recursive: true })).sort()).toEqual([
        "folder",
        "folder/sub",
        "folder/sub/stuck",
      ]);
    } finally {
      Bun.spawnSync(["chattr", "-i", dav.path("folder/sub/stuck")]);
    }
  });
});

describe("OPTIONS", () => {
  test.each([
    { locks: true, classes: "1, 2, 3" },
    { locks: false, classes: "1, 3" },
  ])("with locks $locks says DAV: $classes", async ({ locks, classes }) => {
    await using dav = await Fixture.make({ locks });
    const { headers, status } = await dav.ask({ method: "OPTIONS", caller: READER });
    expect([status, headers.get("dav")]).toEqual([200, classes]);
    expect(headers.get("allow")?.includes("LOCK")).toBe(locks);
    expect(headers.get("ms-author-via")).toBe("DAV");
  });

  test("other methods are left to the site", async () => {
    await using dav = await Fixture.make({ locks: false });
    for (const method of ["GET", "POST", "LOCK", "toString", "put"])
      await expect(dav.ask({ method })).rejects.toThrow("none of WebDAV's");
  });
});
