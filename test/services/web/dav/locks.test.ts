import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";

import { type Answer, type Ask, Fixture, WRITER } from "./fixture.ts";

const info = (scope = "exclusive", owner = "<D:owner>me</D:owner>") =>
  `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope>` +
  `<D:locktype><D:write/></D:locktype>${owner}</D:lockinfo>`;

interface LockAsk extends Partial<Ask> {
  readonly scope?: string;
  readonly depth?: string;
}

async function lock(
  dav: Fixture,
  path: string,
  ask: LockAsk = {},
): Promise<Answer & { token: string }> {
  const { scope, depth, headers, ...rest } = ask;
  const answer = await dav.ask({
    method: "LOCK",
    path,
    body: info(scope),
    headers: { ...(depth === undefined ? {} : { Depth: depth }), ...headers },
    ...rest,
  });
  return { ...answer, token: answer.headers.get("lock-token")?.slice(1, -1) ?? "" };
}

/** `/a` `/a/f` `/a/sub` `/a/sub/g` `/file` */
async function made(): Promise<Fixture> {
  const dav = await Fixture.make();
  await mkdir(dav.path("a/sub"), { recursive: true });
  for (const name of ["a/f", "a/sub/g", "file"]) await writeFile(dav.path(name), name);
  return dav;
}

const patch =
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><p xmlns="u"/></D:prop></D:set></D:propertyupdate>';

describe("LOCK", () => {
  test("tells of the lock what it is", async () => {
    await using dav = await made();
    const { status, text, token } = await lock(dav, "/a", { headers: { Timeout: "Second-600" } });
    expect(status).toBe(200);
    expect(token).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    for (const part of [
      "<D:locktype><D:write/></D:locktype>",
      "<D:lockscope><D:exclusive/></D:lockscope>",
      "<D:depth>infinity</D:depth>",
      ">me</D:owner>",
      "<D:timeout>Second-600</D:timeout>",
      `<D:locktoken><D:href>${token}</D:href></D:locktoken>`,
      "<D:lockroot><D:href>/a/</D:href></D:lockroot>",
    ])
      expect(text).toContain(part);
    const seen = await dav.ask({ method: "PROPFIND", path: "/a/sub/g", headers: { Depth: "0" } });
    expect(seen.text).toContain(`<D:locktoken><D:href>${token}`);
  });

  test.each([
    { wish: "Infinite", seconds: 86_400 },
    { wish: "Second-4100000000", seconds: 86_400 },
    { wish: "Second-0", seconds: 1 },
    { wish: "whenever", seconds: 3600 },
    { wish: undefined, seconds: 3600 },
  ])("a wish of $wish gives $seconds s", async ({ wish, seconds }) => {
    await using dav = await made();
    const { text } = await lock(dav, "/file", {
      headers: wish === undefined ? {} : { Timeout: wish },
    });
    expect(text).toContain(`<D:timeout>Second-${seconds}</D:timeout>`);
  });

  test("of a free name makes an empty file there", async () => {
    await using dav = await made();
    expect((await lock(dav, "/new")).status).toBe(201);
    expect(await readFile(dav.path("new"), "utf8")).toBe("");
    expect(dav.changed).toEqual(["/new"]);
    expect((await dav.ask({ method: "PUT", path: "/new", body: "x" })).status).toBe(423);
    expect((await lock(dav, "/none/new")).status).toBe(409);
  });

  test.each([
    { first: "exclusive", second: "exclusive", status: 423 },
    { first: "exclusive", second: "shared", status: 423 },
    { first: "shared", second: "exclusive", status: 423 },
    { first: "shared", second: "shared", status: 200 },
  ])("$first, then $second: $status", async ({ first, second, status }) => {
    await using dav = await made();
    expect((await lock(dav, "/a", { scope: first })).status).toBe(200);
    const answer = await lock(dav, "/a/f", { scope: second });
    expect(answer.status).toBe(status);
    if (status === 423)
      expect(answer.text).toContain(
        "<D:no-conflicting-lock><D:href>/a/</D:href></D:no-conflicting-lock>",
      );
  });

  test("a member's lock stands in the way of one on the whole tree", async () => {
    await using dav = await made();
    await lock(dav, "/a/sub/g");
    const whole = await lock(dav, "/a");
    expect(whole.status).toBe(207);
    expect(whole.text).toContain("<D:href>/a/sub/g</D:href><D:status>HTTP/1.1 423 Locked");
    expect(whole.text).toContain("<D:href>/a/</D:href><D:status>HTTP/1.1 424 Failed Dependency");
    expect((await lock(dav, "/a", { depth: "0" })).status).toBe(200);
  });

  test.each([
    { story: "Depth 1", ask: { depth: "1" }, status: 400 },
    { story: "no lockinfo", ask: { body: "<a/>" }, status: 400 },
    { story: "no XML", ask: { body: "<a" }, status: 400 },
    { story: "no body and no token", ask: { body: "" }, status: 400 },
    { story: "another scope", ask: { scope: "secret" }, status: 400 },
    { story: "a condition that fails", ask: { headers: { "If-Match": '"x"' } }, status: 412 },
    { story: "read-only", ask: { caller: { ...WRITER, mayWrite: false } }, status: 403 },
  ])("with $story: $status", async ({ ask, status }) => {
    await using dav = await made();
    expect((await lock(dav, "/file", ask)).status).toBe(status);
  });

  test("a refreshed lock lives longer; a forgotten one ends", async () => {
    await using dav = await made();
    const { token } = await lock(dav, "/file", { headers: { Timeout: "Second-10" } });
    dav.now += 9000;
    const again = await dav.ask({
      method: "LOCK",
      path: "/file",
      headers: { If: `(<${token}>)`, Timeout: "Second-20" },
    });
    expect([again.status, again.headers.get("lock-token")]).toEqual([200, null]);
    expect(again.text).toContain("Second-20");
    dav.now += 19_000;
    expect((await dav.ask({ method: "DELETE", path: "/file" })).status).toBe(423);
    dav.now += 1001;
    const late = await dav.ask({ method: "LOCK", path: "/file", headers: { If: `(<${token}>)` } });
    expect(late.status).toBe(412);
    expect((await dav.ask({ method: "DELETE", path: "/file" })).status).toBe(204);
  });

  test("survives a restart, and is known to the process beside", async () => {
    await using dav = await made();
    await using other = await Fixture.make({ root: dav.root, state: dav.state });
    const { token } = await lock(dav, "/a");
    expect((await other.ask({ method: "PUT", path: "/a/f", body: "x" })).status).toBe(423);
    dav.dav.stop();
    await using next = await Fixture.make({ root: dav.root, state: dav.state });
    expect((await next.ask({ method: "PUT", path: "/a/f", body: "x" })).status).toBe(423);
    const If = `</a/> (<${token}>)`;
    expect(
      (await other.ask({ method: "PUT", path: "/a/f", body: "x", headers: { If } })).status,
    ).toBe(204);
  });
});

describe("a locked resource", () => {
  const destination = { Destination: "/a/f" };
  // `a` is locked with all beneath it; every way to change it needs the token.
  test.each([
    { method: "PUT", path: "/a/f", body: "x", status: 204 },
    { method: "PUT", path: "/a/new", body: "x", status: 201 },
    { method: "PROPPATCH", path: "/a/sub/g", body: patch, status: 207 },
    { method: "PROPPATCH", path: "/a", body: patch, status: 207 },
    { method: "MKCOL", path: "/a/new", status: 201 },
    { method: "DELETE", path: "/a/f", status: 204 },
    { method: "DELETE", path: "/a", status: 204 },
    { method: "MOVE", path: "/a/f", headers: { Destination: "/out" }, status: 201 },
    { method: "MOVE", path: "/a", headers: { Destination: "/b" }, status: 201 },
    { method: "MOVE", path: "/file", headers: destination, status: 204 },
    { method: "COPY", path: "/file", headers: destination, status: 204 },
    { method: "COPY", path: "/file", headers: { Destination: "/a/new" }, status: 201 },
    { method: "LOCK", path: "/a/new", body: info("shared"), status: 423 },
    { method: "PROPFIND", path: "/a", status: 207, without: 207 },
  ] as (Ask & { status: number; without?: number })[])(
    "$method $path $headers needs the token",
    async ({ status, without = 423, ...ask }) => {
      await using dav = await made();
      const { token } = await lock(dav, "/a");
      expect((await dav.ask(ask)).status).toBe(without);
      const If = `</a> (<${token}>)`;
      const stranger = { ...ask.headers, If: "</a> (<urn:uuid:0>) (Not <DAV:no-lock>)" };
      expect((await dav.ask({ ...ask, headers: stranger })).status).toBe(without);
      expect((await dav.ask({ ...ask, headers: { ...ask.headers, If } })).status).toBe(status);
    },
  );

  test("may be copied from without", async () => {
    await using dav = await made();
    await lock(dav, "/a");
    const copy = { method: "COPY", path: "/a", headers: { Destination: "/b" } };
    expect((await dav.ask(copy)).status).toBe(201);
    expect((await dav.ask({ method: "PUT", path: "/b/f", body: "x" })).status).toBe(204);
  });

  test("a collection locked with Depth 0 keeps its members' names, not their content", async () => {
    await using dav = await made();
    await lock(dav, "/a", { depth: "0" });
    expect((await dav.ask({ method: "PUT", path: "/a/f", body: "x" })).status).toBe(204);
    expect((await dav.ask({ method: "PUT", path: "/a/new", body: "x" })).status).toBe(423);
    expect((await dav.ask({ method: "DELETE", path: "/a/f" })).status).toBe(423);
    expect((await dav.ask({ method: "MKCOL", path: "/a/sub/new" })).status).toBe(201);
  });

  test("a locked member keeps the whole collection, and is named", async () => {
    await using dav = await made();
    const { token } = await lock(dav, "/a/sub/g");
    for (const ask of [
      { method: "DELETE", path: "/a" },
      { method: "MOVE", path: "/a", headers: { Destination: "/b" } },
      { method: "COPY", path: "/file", headers: { Destination: "/a" } },
    ]) {
      const answer = await dav.ask(ask);
      expect(answer.status).toBe(207);
      expect(answer.text).toContain("<D:href>/a/sub/g</D:href><D:status>HTTP/1.1 423 Locked");
      expect(answer.text).toContain("<D:lock-token-submitted>");
    }
    expect((await readdir(dav.root, { recursive: true })).sort()).toEqual([
      "a",
      "a/f",
      "a/sub",
      "a/sub/g",
      "file",
    ]);
    const If = `</a/sub/g> (<${token}>)`;
    expect((await dav.ask({ method: "DELETE", path: "/a", headers: { If } })).status).toBe(204);
  });

  test("one of several shared locks opens it", async () => {
    await using dav = await made();
    await lock(dav, "/file", { scope: "shared" });
    const { token } = await lock(dav, "/file", { scope: "shared" });
    const put = { method: "PUT", path: "/file", body: "x" };
    expect((await dav.ask(put)).status).toBe(423);
    expect((await dav.ask({ ...put, headers: { If: `(<${token}>)` } })).status).toBe(204);
  });

  test("another user's token opens nothing", async () => {
    await using dav = await made();
    const kim = { ...WRITER, user: "kim" };
    const { token } = await lock(dav, "/file", { caller: kim });
    const put = { method: "PUT", path: "/file", body: "x", headers: { If: `(<${token}>)` } };
    expect((await dav.ask({ ...put, caller: { ...WRITER, user: "eve" } })).status).toBe(423);
    const unlock = { method: "UNLOCK", path: "/file", headers: { "Lock-Token": `<${token}>` } };
    expect((await dav.ask(unlock)).status).toBe(403);
    expect((await dav.ask({ ...put, caller: kim })).status).toBe(204);
    expect((await dav.ask({ ...unlock, caller: kim })).status).toBe(204);
  });

  test("a move leaves the lock's end behind; the lock of the destination stays", async () => {
    await using dav = await made();
    const source = await lock(dav, "/file");
    const target = await lock(dav, "/a/f");
    const If = `</file> (<${source.token}>) </a/f> (<${target.token}>)`;
    const move = { method: "MOVE", path: "/file", headers: { Destination: "/a/f", If } };
    expect((await dav.ask(move)).status).toBe(204);
    expect((await dav.ask({ method: "PUT", path: "/file", body: "x" })).status).toBe(201);
    expect((await dav.ask({ method: "PUT", path: "/a/f", body: "x" })).status).toBe(423);
  });

  test("a deleted one is locked no more", async () => {
    await using dav = await made();
    const { token } = await lock(dav, "/file");
    await dav.ask({ method: "DELETE", path: "/file", headers: { If: `(<${token}>)` } });
    expect((await dav.ask({ method: "PUT", path: "/file", body: "x" })).status).toBe(201);
  });
});

describe("UNLOCK", () => {
  test.each([
    { story: "its token", path: "/a", status: 204 },
    { story: "a member, too", path: "/a/f", status: 204 },
    { story: "another resource", path: "/file", status: 409 },
    { story: "nothing", path: "/none", status: 404 },
    { story: "an unknown token", path: "/a", token: "<urn:uuid:0>", status: 409 },
    { story: "no token", path: "/a", token: "urn:uuid:0", status: 400 },
  ])("by $story: $status", async ({ path, token, status }) => {
    await using dav = await made();
    const held = await lock(dav, "/a");
    const headers = { "Lock-Token": token ?? `<${held.token}>` };
    expect((await dav.ask({ method: "UNLOCK", path, headers })).status).toBe(status);
    const put = await dav.ask({ method: "PUT", path: "/a/f", body: "x" });
    expect(put.status).toBe(status === 204 ? 204 : 423);
  });
});

describe("If", () => {
  test.each([
    { story: "a grammar of its own", If: "<x>", status: 400 },
    { story: "no lock", If: "(<DAV:no-lock>)", status: 412 },
    { story: "surely not no lock", If: "(Not <DAV:no-lock>)", status: 204 },
    { story: "another version", If: '(["x"])', status: 412 },
    { story: "this version", If: "([ETAG])", status: 204 },
    { story: "this version of another file", If: "</a/f> ([ETAG])", status: 412 },
    { story: "this version, by URI", If: "<http://files.example/file> ([ETAG])", status: 204 },
    { story: "this version, elsewhere", If: "<http://other.example/file> ([ETAG])", status: 412 },
    { story: "one of two", If: '(["x"]) ([ETAG])', status: 204 },
  ])("$story: $If is $status", async ({ If, status }) => {
    await using dav = await made();
    const { headers } = await dav.ask({ method: "PUT", path: "/file", body: "1" });
    const tag = headers.get("etag") ?? "";
    const answer = await dav.ask({
      method: "PUT",
      path: "/file",
      body: "2",
      headers: { If: If.replace("ETAG", tag) },
    });
    expect(answer.status).toBe(status);
  });
});

test("without locks in the config there are none to respect", async () => {
  await using dav = await made();
  await lock(dav, "/a");
  await using free = await Fixture.make({ root: dav.root, state: dav.state, locks: false });
  expect((await free.ask({ method: "PUT", path: "/a/f", body: "x" })).status).toBe(204);
  const seen = await free.ask({ method: "PROPFIND", path: "/a", headers: { Depth: "0" } });
  expect(seen.text).not.toContain("lockdiscovery");
});
