import { expect, test } from "bun:test";

import fc from "fast-check";

import { readAutoindex, readMultistatus } from "../../../src/services/store/members/dav-list.ts";

/** As Apache writes it: prefixes of its own, entities, the collection itself first. */
const APACHE = `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:">
<D:response xmlns:lp1="DAV:"><D:href>/root/a/</D:href><D:propstat><D:prop>
<lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
<D:response xmlns:lp1="DAV:"><D:href>/root/a/b%20%26%20c/</D:href><D:propstat><D:prop>
<lp1:resourcetype><D:collection/></lp1:resourcetype><lp1:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</lp1:getlastmodified></D:prop></D:propstat></D:response>
<D:response xmlns:lp1="DAV:"><D:href>http://h:80/root/a/x&amp;y</D:href><D:propstat><D:prop>
<lp1:resourcetype/><lp1:getcontentlength>42</lp1:getcontentlength></D:prop></D:propstat></D:response>
</D:multistatus>`;

test("a 207 is read, whatever its prefixes, and the collection itself is not in it", () => {
  expect(readMultistatus(APACHE, "/root/a/")).toEqual([
    { name: "b & c", directory: true, size: 0, mtime: 784_111_777_000 },
    { name: "x&y", directory: false, size: 42, mtime: 0 },
  ]);
});

test("nginx's autoindex in JSON is read, and pages for people are not", () => {
  const json = JSON.stringify([
    { name: "d", type: "directory", mtime: "Sun, 06 Nov 1994 08:49:37 GMT" },
    { name: "f", type: "file", mtime: "Sun, 06 Nov 1994 08:49:37 GMT", size: 7 },
  ]);
  expect(readAutoindex(json)).toEqual([
    { name: "d", directory: true, size: 0, mtime: 784_111_777_000 },
    { name: "f", directory: false, size: 7, mtime: 784_111_777_000 },
  ]);
  for (const text of ["<html>", "{}", '[{"name":1}]', ""])
    expect(readAutoindex(text)).toBeUndefined();
});

test("noise is read as something, or nothing, and never throws", () => {
  const soup = fc
    .array(fc.constantFrom("<D:response>", "</D:response>", "<href>", "/a%", "&amp;", "<a", ">"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string(), soup), (text) => {
      readMultistatus(text, "/a/");
      readAutoindex(text);
    }),
  );
});
