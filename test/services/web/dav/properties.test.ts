import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";

import fc from "fast-check";

import { MAX_XML } from "../../../../src/net/dav/read-xml.ts";
import { MAX_INFINITE } from "../../../../src/services/web/dav/listing.ts";
import { etagOf } from "../../../../src/services/web/dav/resource.ts";
import { parseXml } from "../../../../src/wire/dav/xml.ts";
import { type Ask, Fixture } from "./fixture.ts";

const propfind = (inside: string) =>
  `<?xml version="1.0"?><D:propfind xmlns:D="DAV:">${inside}</D:propfind>`;
const update = (inside: string) =>
  `<D:propertyupdate xmlns:D="DAV:" xmlns:u="u">${inside}</D:propertyupdate>`;
const set = (inside: string) => `<D:set><D:prop>${inside}</D:prop></D:set>`;
const unset = (inside: string) => `<D:remove><D:prop>${inside}</D:prop></D:remove>`;

async function find(dav: Fixture, path: string, depth: string, body?: string): Promise<string> {
  const ask = { method: "PROPFIND", path, headers: { Depth: depth } };
  const answer = await dav.ask(body === undefined ? ask : { ...ask, body });
  expect(answer.status).toBe(207);
  expect(parseXml(new TextEncoder().encode(answer.text))).toBeDefined();
  return answer.text;
}

const hrefs = (text: string) =>
  [...text.matchAll(/<D:response><D:href>([^<]*)/g)]
    .map(([, href = ""]) => href)
    .sort((a, b) => (a < b ? -1 : 1));

describe("PROPFIND", () => {
  test("tells of a file what GET would", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("a b.txt"), "hello");
    const text = await find(dav, "/a b.txt", "0");
    const stats = statSync(dav.path("a b.txt"));
    expect(hrefs(text)).toEqual(["/a%20b.txt"]);
    expect(text).toContain("<D:getcontentlength>5</D:getcontentlength>");
    expect(text).toContain("<D:getcontenttype>text/plain</D:getcontenttype>");
    expect(text).toContain(`<D:getetag>${etagOf(stats)?.replaceAll('"', "&quot;")}</D:getetag>`);
    expect(text).toContain(`<D:getlastmodified>${stats.mtime.toUTCString()}</D:getlastmodified>`);
    expect(text).toMatch(/<D:creationdate>\d{4}-\d\d-\d\dT[\d:.]+Z<\/D:creationdate>/);
    expect(text).toContain("<D:displayname>a b.txt</D:displayname>");
    expect(text).toContain("<D:resourcetype/>");
    expect(text).toContain("<D:supportedlock><D:lockentry>");
    expect(text).toContain("<D:lockdiscovery/>");
    expect(text).not.toContain("quota");
    expect(text).not.toContain("404");
  });

  test("tells of a collection what it is, and its room only when asked", async () => {
    await using dav = await Fixture.make();
    const body = propfind(
      "<D:prop><D:resourcetype/><D:quota-available-bytes/><D:quota-used-bytes/><D:getetag/></D:prop>",
    );
    const text = await find(dav, "/", "0", body);
    expect(text).toContain("<D:resourcetype><D:collection/></D:resourcetype>");
    expect(text).toMatch(/<D:quota-available-bytes>\d+<\/D:quota-available-bytes>/);
    expect(text).toMatch(/<D:quota-used-bytes>\d+<\/D:quota-used-bytes>/);
    expect(text).toMatch(/<D:prop><D:getetag\/><\/D:prop><D:status>HTTP\/1.1 404 Not Found/);
  });

  test.each([
    { depth: "0", seen: ["/"] },
    { depth: "1", seen: ["/", "/f", "/inside", "/sub/"] },
    { depth: "infinity", seen: ["/", "/f", "/inside", "/sub/", "/sub/g", "/sub/up/"] },
  ])("Depth $depth shows $seen", async ({ depth, seen }) => {
    await using dav = await Fixture.make();
    await mkdir(dav.path("sub"));
    for (const name of ["f", "sub/g", ".hidden", ".tern-put-1-0123456789abcdef"])
      await writeFile(dav.path(name), "");
    await symlink("f", dav.path("inside"));
    await symlink("/etc/passwd", dav.path("outside"));
    await symlink("nothing", dav.path("dangling"));
    await symlink("..", dav.path("sub/up")); // round and round
    Bun.spawnSync(["mkfifo", dav.path("pipe")]);
    expect(hrefs(await find(dav, "/", depth))).toEqual([...seen]);
  });

  test("a tree too large for Depth infinity has to be walked", async () => {
    await using dav = await Fixture.make();
    await Promise.all(
      Array.from({ length: MAX_INFINITE }, (_, i) => writeFile(dav.path(`f${i}`), "")),
    );
    const answer = await dav.ask({ method: "PROPFIND", headers: { Depth: "infinity" } });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<D:propfind-finite-depth/>");
    const body = propfind("<D:prop><D:resourcetype/></D:prop>");
    expect(hrefs(await find(dav, "/", "1", body))).toHaveLength(MAX_INFINITE + 1);
  });

  test.each([
    { story: "nothing there", path: "/none", status: 404 },
    { story: "hidden", path: "/.hidden", status: 404 },
    { story: "no XML", body: "<a", status: 400 },
    { story: "an entity", body: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', status: 400 },
    { story: "another body", body: "<a/>", status: 400 },
    { story: "an unknown depth", headers: { Depth: "2" }, status: 400 },
    { story: "a body too large", body: " ".repeat(MAX_XML + 1), status: 413 },
    {
      story: "a body too large, unannounced",
      body: " ".repeat(MAX_XML + 1),
      contentLength: undefined,
      status: 413,
    },
  ] as (Partial<Ask> & { story: string; status: number })[])(
    "$story: $status",
    async ({ status, story: _story, ...ask }) => {
      await using dav = await Fixture.make();
      await writeFile(dav.path(".hidden"), "");
      expect((await dav.ask({ method: "PROPFIND", ...ask })).status).toBe(status);
    },
  );

  test("names alone, and names beyond all", async () => {
    await using dav = await Fixture.make();
    await dav.ask({ method: "PROPPATCH", body: update(set("<u:mine>1</u:mine>")) });
    const names = await find(dav, "/", "0", propfind("<D:propname/>"));
    expect(names).toContain('<mine xmlns="u"/>');
    expect(names).toContain("<D:quota-used-bytes/>");
    expect(names).not.toContain("getetag");
    const more = propfind(
      "<D:allprop/><D:include><D:quota-used-bytes/><D:getetag/><D:resourcetype/></D:include>",
    );
    const all = await find(dav, "/", "0", more);
    expect(all).toContain(">1</u:mine>");
    expect(all).toMatch(/<D:quota-used-bytes>\d/);
    expect(all.match(/<D:resourcetype>/g)).toHaveLength(1);
  });
});

describe("PROPPATCH", () => {
  test("keeps what it is given across a restart, and forgets what it is told to", async () => {
    await using before = await Fixture.make();
    await writeFile(before.path("f"), "");
    const value = '<u:p xml:lang="en" a="1">some <b xmlns="v">bold</b> &amp; text</u:p>';
    const body = update(set(`${value}<u:q/>`));
    expect((await before.ask({ method: "PROPPATCH", path: "/f", body })).text).toContain("200 OK");
    before.dav.stop();
    await using dav = await Fixture.make({ root: before.root, state: before.state });
    const asked = propfind('<D:prop><p xmlns="u"/><q xmlns="u"/></D:prop>');
    const text = await find(dav, "/f", "0", asked);
    expect(text).toContain('a="1"');
    expect(text).toContain('xml:lang="en"');
    expect(text).toContain('<b xmlns="v">bold</b> &amp; text');
    expect(text).not.toContain("404");
    await dav.ask({ method: "PROPPATCH", path: "/f", body: update(unset("<u:p/>")) });
    expect(await find(dav, "/f", "0", asked)).toContain(
      '<D:prop><p xmlns="u"/></D:prop><D:status>HTTP/1.1 404',
    );
  });

  test("removing what is not there succeeds; the last word on a name counts", async () => {
    await using dav = await Fixture.make();
    const body = update(
      unset("<u:none/>") + set("<u:p>1</u:p>") + unset("<u:p/>") + set("<u:p>2</u:p>"),
    );
    const { status, text } = await dav.ask({ method: "PROPPATCH", body });
    expect([status, text.includes("200 OK"), text.includes("40")]).toEqual([207, true, false]);
    expect(await find(dav, "/", "0")).toContain(">2</u:p>");
  });

  test.each(["getetag", "resourcetype", "lockdiscovery", "getlastmodified", "quota-used-bytes"])(
    "D:%s is the server's own: nothing is changed at all",
    async (name) => {
      await using dav = await Fixture.make();
      const body = update(set("<u:p>1</u:p>") + set(`<D:${name}>x</D:${name}>`) + unset("<u:q/>"));
      const { status, text } = await dav.ask({ method: "PROPPATCH", body });
      expect(status).toBe(207);
      expect(text).toMatch(
        new RegExp(
          `<D:${name}/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/>`,
        ),
      );
      expect(text).toMatch(/<p xmlns="u"\/><q xmlns="u"\/><\/D:prop><D:status>HTTP\/1.1 424/);
      expect(await find(dav, "/", "0")).not.toContain("u:p");
    },
  );

  test("a display name of one's own, until it is removed", async () => {
    await using dav = await Fixture.make();
    await writeFile(dav.path("f"), "");
    const name = propfind("<D:prop><D:displayname/></D:prop>");
    await dav.ask({
      method: "PROPPATCH",
      path: "/f",
      body: update(set("<D:displayname>Mine</D:displayname>")),
    });
    expect(await find(dav, "/f", "0", name)).toContain(">Mine</D:displayname>");
    expect((await find(dav, "/f", "0")).match(/<D:displayname/g)).toHaveLength(1);
    await dav.ask({ method: "PROPPATCH", path: "/f", body: update(unset("<D:displayname/>")) });
    expect(await find(dav, "/f", "0", name)).toContain(">f</D:displayname>");
  });

  test.each([
    { story: "nothing there", path: "/none", body: update(set("<u:p/>")), status: 404 },
    { story: "no body", status: 400 },
    { story: "another body", body: "<a/>", status: 400 },
    { story: "nothing to do", body: update(""), status: 400 },
  ])("$story: $status", async ({ status, story: _story, ...ask }) => {
    await using dav = await Fixture.make();
    expect((await dav.ask({ method: "PROPPATCH", ...ask })).status).toBe(status);
  });

  test("whatever text is kept comes back the same", async () => {
    await using dav = await Fixture.make();
    const text = fc
      .stringMatching(/^[ -;=?-~é☃\u{1f600}]{0,20}$/u)
      .filter((t) => !t.includes("&") && !t.includes("]]>"));
    await fc.assert(
      fc.asyncProperty(text, async (t) => {
        await dav.ask({ method: "PROPPATCH", body: update(set(`<u:p>${t}</u:p>`)) });
        expect((await find(dav, "/", "0")).replaceAll("&quot;", '"')).toContain(
          t === "" ? "u:p" : `>${t}</u:p>`,
        );
      }),
      { numRuns: 30 },
    );
  });
});
