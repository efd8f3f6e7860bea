import { expect, test } from "bun:test";

import fc from "fast-check";

import { LATER, SECTIONS } from "../../../src/app/services.ts";
import { import3xsd } from "../../../src/config/import/three-xsd.ts";
import { load } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/config/problem.ts";

/** The site that an imported text gives; throws when the loader refuses it. */
function site(yaml: string): Record<string, unknown> {
  const options = { file: "/etc/tern/tern.yaml", sections: SECTIONS, later: LATER };
  const loaded = load(yaml, options);
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  const web = loaded.sections["web"] as { site: Record<string, unknown> } | undefined;
  return web?.site ?? {};
}

// A file of the kind that runs in the wild: every service, with what people write into it.
const WHOLE = `
; the office's box
[3wsd]
root = /srv/www
index = home.html,index.html
mime_types = md:text/markdown,wasm:application/wasm
writers = 127.0.0.1,192.0.2.10-20
xcache_ttl = 10
GZIP = on
gzip_size = 2k
gzip_max_size = 20m
gzip_types = svg,json,-xml
server_pipelining = on
expire_types = html:5m,png:1w,css:1y,ico:30
homedir = /old

[3nsd]
www.office.example = 60,192.0.2.1,192.0.2.2
[3zsd]
* = 100,127.0.0.1:8080
[3wdd]
mode = client
office = 10.1.0.1:10.1.0.2:1380:1000:s3cret-token:aes-128-cbc:vpn.example::10.0.0.0/8
[mine]
x = 1
`;

test("all of [3wsd] arrives", () => {
  const { yaml } = import3xsd(WHOLE, "/etc/3xsd.conf");
  expect(site(yaml)).toMatchObject({
    listen: [{ kind: "tcp", host: "", port: 8000 }],
    root: "/srv/www",
    index: ["home.html", "index.html"],
    mime_types: { md: "text/markdown", wasm: "application/wasm" },
    gzip: {
      enabled: true,
      min: 2000,
      max: 20_000_000,
      types: ["html", "htm", "js", "css", "txt", "svg", "json"],
    },
    webdav: { enabled: true, writers: ["127.0.0.1", "192.0.2.10-20"] },
    cache: { ttl: 10_000 },
    pipelining: true,
    expires: { html: 300_000, png: 7 * 86_400_000, css: 365 * 86_400_000, ico: 30_000 },
  });
});

test("each line that could not be carried has its note", () => {
  const { notes } = import3xsd(WHOLE, "/etc/3xsd.conf");
  expect(notes.map(({ line, message }) => `${line}: ${message}`)).toEqual([
    '15: 3wsd has no setting "homedir": left out',
    "23: office: is carried with `legacy: true`, which protects nobody; make keys for both ends",
    "24: [mine] is no section of 3xsd: left out",
    "25: x: left out with [mine]",
  ]);
});

test("an empty [3wsd] is what 3wsd did by default", () => {
  const { yaml, notes } = import3xsd("[3wsd]\nroot =\n", "3xsd.conf");
  expect(notes).toEqual([]);
  expect(site(yaml)).toMatchObject({
    listen: [{ port: 8000 }],
    root: "/etc/tern",
    gzip: { enabled: false },
    webdav: { enabled: false },
  });
});

test.each([
  ["no section at all", "root = /x\n", ["1: not an INI line: left out"]],
  [
    "set twice",
    "[3wsd]\nroot = /a\nroot = /b\n",
    ["2: root is set again further down in [3wsd]: left out"],
  ],
  [
    "a relative root",
    "[3wsd]\nroot = www\n",
    ["2: root is relative: from the new file's directory, not where it is started"],
  ],
  ["a wrong size", "[3wsd]\ngzip_size = big\n", ["2: gzip_size = big is no size: left out"]],
  [
    "gzip without types",
    "[3wsd]\ngzip = on\n",
    ["2: without gzip_types 3wsd compressed nothing; here the usual types are"],
  ],
  [
    "gzip neither on nor off",
    "[3wsd]\ngzip = yes\n",
    ["2: gzip = yes is neither on nor off; 3wsd took it for off"],
  ],
  [
    "a type to take away that is not there",
    "[3wsd]\ngzip_types = -svg\n",
    ['2: "-svg" is no file type to add or to take away: left out'],
  ],
  [
    "a writer with a name",
    "[3wsd]\nwriters = localhost,127.0.0.1\n",
    ['2: "localhost" is no address or range: left out'],
  ],
  [
    "a ttl in words",
    "[3wsd]\nxcache_ttl = ten\n",
    ["2: xcache_ttl = ten is no number of seconds: left out"],
  ],
  [
    "a time without its type",
    "[3wsd]\nexpire_types = 5m,png:never\n",
    [
      '2: "5m" is not of the form extension:time: left out',
      '2: "png:never" is not of the form extension:time: left out',
    ],
  ],
  [
    "a type without its extension",
    "[3wsd]\nmime_types = text/plain\n",
    ['2: "text/plain" is not of the form extension:type: left out'],
  ],
  [
    "an index with a path",
    "[3wsd]\nindex = a/b.html\n",
    ['2: "a/b.html" is a path, and no index file: left out'],
  ],
])("%s", (_, text, expected) => {
  const { yaml, notes } = import3xsd(text, "3xsd.conf");
  expect(notes.map(({ line, message }) => `${line}: ${message}`)).toEqual(expected);
  site(yaml);
});

const NAMES =
  "root index mime_types gzip gzip_size gzip_max_size gzip_types writers xcache_ttl " +
  "server_pipelining expire_types other";

test("whatever the old file says, the new one loads", () => {
  const name = fc.constantFrom(...NAMES.split(" "));
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc
      .array(
        fc.constantFrom(
          ..."abz019:,.-/ *&!#'\"[]{}|>%@\t\0",
          "10.0.0.1",
          "-9",
          "on",
          "5m",
          "constructor:1",
          "__proto__:1m",
          "\ud800",
          "\n ",
        ),
      )
      .map((parts) => parts.join("")),
  );
  const section = fc.constantFrom("3wsd", "3nsd", "3zsd", "3wdd", "x");
  const line = fc.oneof(
    fc.tuple(name, value).map(([name, value]) => `${name} = ${value}`),
    section.map((section) => `[${section}]`),
    value,
  );
  fc.assert(
    fc.property(fc.array(line), fc.string(), (lines, file) => {
      const { yaml, notes } = import3xsd(`[3wsd]\n${lines.join("\n")}`, file);
      site(yaml);
      for (const { line, message } of notes) expect(line >= 1 && message !== "").toBe(true);
    }),
    { numRuns: 300 },
  );
});
