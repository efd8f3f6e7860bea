import { expect, test } from "bun:test";
import { join } from "node:path";

import fc from "fast-check";

import { LATER, SECTIONS } from "../../../../src/app/services.ts";
import { emitDirector } from "../../../../src/config/export/pydir/emit.ts";
import { directorYaml, importPydir } from "../../../../src/config/import/pydir/pydir.ts";
import { readDirector } from "../../../../src/config/import/pydir/read.ts";
import { load } from "../../../../src/config/load.ts";
import { ConfigError, showProblem } from "../../../../src/config/problem.ts";
import { director } from "./director-gen.ts";

const FILES = join(import.meta.dir, "files");
const file = (name: string): Promise<string> => Bun.file(join(FILES, name)).text();

/** The sections that an imported text gives; throws when the loader refuses it. */
function loaded(yaml: string) {
  const it = load(yaml, { file: "/etc/tern/tern.yaml", sections: SECTIONS, later: LATER });
  if (!it.ok) throw new ConfigError(it.problems);
  return it;
}

/** A service that is well, with something in front of `<enable>`, and something behind it all. */
function around(inside: string, behind = ""): string {
  return `<pdconfig>
<service name="web"><listen ip="*:80"/>
<group name="main" scheduler="random"><host name="a" ip="10.0.0.1:80"/></group>
${inside}<enable group="main"/></service>${behind}
</pdconfig>`;
}

test("all of a file arrives", async () => {
  const imported = importPydir(await file("sample.xml"), "sample.xml");
  if (!imported.ok) throw new ConfigError(imported.problems);
  expect(imported.yaml).toBe(await file("sample.yaml"));
  expect(imported.notes).toEqual([
    { line: 22, column: 20, message: "localhost is 127.0.0.1 here" },
  ]);
});

test("what is imported loads", async () => {
  const { root, sections, warnings } = loaded(await file("sample.yaml"));
  expect(root.admin.users.map(({ password }) => password.reveal())).toEqual([
    "iya2/im3qjwhU",
    "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
  ]);
  expect(root.admin.listen).toEqual([{ kind: "tcp", host: "127.0.0.1", port: 7001 }]);
  expect(root.log.file).toBe("/var/log/pydir.log");
  expect(Object.keys(sections)).toEqual(["pools", "balance"]);
  expect(sections["pools"]).toMatchObject({
    "mail-all": { scheduler: "roundrobin", eject: { errors: 1, for: 60_000 } },
  });
  expect(warnings.map(({ line }) => line)).toEqual([7, 8]);
});

test.each([
  ["an empty text", "", ["1:1: this is no XML: document must contain a root element"]],
  ["no XML", "[3wsd]", ["1:7: this is no XML: text data outside of root node"]],
  [
    "a tag that is not closed",
    "<pdconfig>\n<admin>\n",
    ["3:1: this is no XML: unclosed tag: admin"],
  ],
  ["another root", "<config/>", ["1:1: expected <pdconfig> at the top, got <config>"]],
  [
    "an unknown child of all",
    around("", "\n<cache/>"),
    ["5:1: expected <service>, <admin>, <logging> or <checktime>, got <cache>"],
  ],
  [
    "an unknown child of a service",
    around("<client/>"),
    ["4:1: service web: expected <listen>, <group> or <enable>, got <client>"],
  ],
  [
    "an empty service",
    "<pdconfig><service/></pdconfig>",
    [
      "1:11: service: it has no name",
      "1:11: service: it has no <listen>",
      "1:11: service: it has no <group>",
      "1:11: service: no group is enabled",
    ],
  ],
  [
    "a group that is not there is enabled",
    around("").replace('enable group="main"', 'enable group="mian"'),
    ['4:16: service web: the enabled group "mian" is not defined; did you mean "main"?'],
  ],
  [
    "a group without anything",
    around("<group/>"),
    [
      "4:1: service web.group: it has no name",
      "4:1: service web.group: it has no hosts",
      "4:1: service web.group: it has no scheduler",
    ],
  ],
  [
    "an unknown child of a group",
    around('<group name="b" scheduler="random"><client/></group>'),
    [
      "4:1: service web.group b: it has no hosts",
      "4:36: service web.group b: expected <host>, got <client>",
    ],
  ],
  [
    "an unknown scheduler",
    around("").replace("random", "leastcon"),
    ['3:31: service web.group main: unknown scheduler "leastcon"; did you mean "leastconns"?'],
  ],
  [
    "a listener of a name",
    around("").replace("*:80", "www:80"),
    [
      '2:33: service web.listen: expected an IPv4 address, or "*" for all, and a port: "127.0.0.1:80", got "www:80"',
    ],
  ],
  [
    "a listener of IPv6, which pythondirector splits at its colons",
    around("").replace("*:80", "[::1]:80"),
    [
      '2:33: service web.listen: expected an IPv4 address, or "*" for all, and a port: "127.0.0.1:80", got "[::1]:80"',
    ],
  ],
  [
    "a host without its port",
    around("").replace("10.0.0.1:80", "10.0.0.1"),
    [
      '3:58: service web.group main.host: expected an IPv4 address or a name, and a port: "10.0.0.1:80", got "10.0.0.1"',
    ],
  ],
  [
    "a host that is a range, which pythondirector did not know",
    around("").replace("10.0.0.1:80", "10.0.0.1-1:80"),
    [
      '3:58: service web.group main.host: expected an IPv4 address or a name, and a port: "10.0.0.1:80", got "10.0.0.1-1:80"',
    ],
  ],
  [
    "two <admin>",
    around("", '<admin listen="127.0.0.1:1"/><admin listen="127.0.0.1:1"/>'),
    ["4:62: admin: only one <admin> is allowed"],
  ],
  [
    "something else in <admin>",
    around("", '<admin listen="127.0.0.1:1"><group/></admin>'),
    ["4:61: admin: expected <user>, got <group>"],
  ],
  [
    "an <admin> nowhere",
    around("", "<admin/>"),
    [
      '4:33: admin.listen: expected an IPv4 address, or "*" for all, and a port: "127.0.0.1:7001", got ""',
    ],
  ],
  [
    "a checktime in words",
    around("", '<checktime time="soon"/>'),
    ['4:50: checktime: expected a number of seconds, got "soon"'],
  ],
  [
    "a name longer than any",
    around("").replace('"a"', `"${"a".repeat(101)}"`),
    [
      "3:51: service web.group main.host: a name has at most 100 characters, and no control characters",
    ],
  ],
])("%s is refused", (_story, xml, expected) => {
  const imported = importPydir(xml, "p.xml");
  const said = imported.ok
    ? imported.yaml
    : imported.problems.map((p) => (showProblem(p).split("\n")[0] ?? "").replace("p.xml:", ""));
  expect(said).toEqual(expected);
});

test.each([
  ["nothing strange", around(""), []],
  [
    "the same group twice: the last is in force",
    around('<group name="main" scheduler="random"><host name="b" ip="10.0.0.2:80"/></group>'),
    ["3:1: group main is given again further down: left out"],
  ],
  [
    "the same host twice",
    around("").replace("<host ", '<host name="a" ip="10.0.0.9:80"/><host '),
    ["3:39: host a is given again further down: left out"],
  ],
  [
    "one address with two names",
    around("").replace("<host ", '<host name="z" ip="10.0.0.1:80"/><host '),
    ["3:39: host z: 10.0.0.1:80 is given again further down: left out"],
  ],
  [
    "a host named like another's address",
    around("").replace("<host ", '<host name="10.0.0.1:80" ip="10.0.0.2:80"/><host '),
    ["3:39: host 10.0.0.1:80 has the address of another as its name: it is named 10.0.0.2:80 here"],
  ],
  [
    "the same service twice",
    `${around("").replace("</pdconfig>", "")}${around("").replace("<pdconfig>", "")}`,
    ["2:1: service web is given again further down: left out"],
  ],
  [
    "names that cannot be spoken in a path",
    around('<group name="m&#228;n" scheduler="random"><host ip="10.0.0.2:80"/></group>').replace(
      'name="web"',
      'name="prod http"',
    ),
    ['2:1: service "prod http" is named prod-http here', '4:1: group "män" is named m-n here'],
  ],
  [
    "a name that is no key",
    around("").replace('name="web"', 'name="__proto__"'),
    ['2:1: service "__proto__" is named __proto__-2 here'],
  ],
  [
    "text, attributes and elements that mean nothing",
    around('hello<listen ip="*:81" port="1"><x/></listen>'),
    [
      "4:6: text in <service> means nothing: left out",
      "4:30: port means nothing on <listen>: left out",
      "4:33: <x> in <listen> means nothing: left out",
    ],
  ],
  [
    "a password in clear, a user without rights, one with a space",
    around(
      "",
      '<admin listen="127.0.0.1:1">\n<user name="a" password="geheim" access="full"/>\n<user name="b" password="iya2/im3qjwhU" access="none"/>\n<user name="c d" password="iya2/im3qjwhU" access="full"/></admin>',
    ),
    [
      "4:33: no users: nobody could log in; here, everybody on this machine may look",
      '5:26: user "a" has no password made by crypt(3), so that nobody could log in: left out',
      '6:49: user "b" may do nothing, as access is neither "full" nor "readonly": left out',
      '7:13: user "c d" has no name that one can log in by: left out',
    ],
  ],
  [
    "an open <admin> without users is not opened",
    around("", '<admin listen="*:1"/>'),
    ["4:33: no users: nobody could log in, so it is not opened here"],
  ],
  [
    "a checktime below the manager's round",
    around("", '<checktime time="0"/>'),
    ["4:50: pythondirector looked every 15 s only, whatever is written here"],
  ],
  [
    "a log without a name",
    around("", "<logging/>"),
    ["4:33: <logging> names no file: the log goes to standard error"],
  ],
  [
    "a scheduler of later",
    around("").replace("random", "maglev"),
    ["3:31: pythondirector has no scheduler maglev; tern has"],
  ],
])("%s", (_story, xml, expected) => {
  const imported = importPydir(xml, "p.xml");
  if (!imported.ok) throw new ConfigError(imported.problems);
  loaded(imported.yaml);
  expect(imported.notes.map((n) => `${n.line}:${n.column}: ${n.message}`)).toEqual(expected);
});

test("a password never stands in an excerpt", () => {
  const xml = '<pdconfig><admin listen="x"><user password="geheim" name="a"/></admin></pdconfig>';
  const imported = importPydir(xml, "p.xml");
  const [problem] = imported.ok ? [] : imported.problems;
  expect(problem?.excerpt).toContain("<user password=******** name");
  expect(problem?.excerpt.split("\n")[1]?.indexOf("^")).toBe(2 + xml.indexOf('x"'));
});

test("names that would be the same pool are two", () => {
  const group = { scheduler: "random", hosts: [{ name: "a", ip: "10.0.0.1:80" }] };
  const service = (name: string, group_: string) => ({
    name,
    listen: [`*:${80 + name.length}`],
    groups: [{ ...group, name: group_ }],
    enable: group_,
  });
  const yaml = directorYaml({
    services: [service("a-b", "c"), service("a", "b-c")],
    admin: undefined,
    logging: undefined,
    checktime: 120,
  });
  expect(yaml).toContain("c: { pool: a-b-c }");
  expect(yaml).toContain("b-c: { pool: a-b-c-2 }");
});

test("what it reads, it writes back", () => {
  fc.assert(
    fc.property(director, (told) => {
      const read = readDirector(emitDirector(told), "p.xml");
      if (!read.ok) throw new ConfigError(read.problems);
      expect(read.director).toEqual(told);
    }),
  );
});

test("whatever a director was told loads here", () => {
  fc.assert(
    fc.property(director, (told) => void loaded(directorYaml(told))),
    { numRuns: 50 },
  );
});

/** Pieces of XML, in any order. */
const piece = fc.constantFrom(
  "<pdconfig>",
  "</pdconfig>",
  '<service name="a">',
  "</service>",
  '<group name="g" scheduler="random">',
  "</group>",
  '<host ip="10.0.0.1:1"/>',
  '<listen ip="*:80"/>',
  '<enable group="g"/>',
  '<admin listen="localhost:1">',
  '<user name="u" password="iya2/im3qjwhU" access="full"/>',
  "</admin>",
  '<checktime time="9"/>',
  '<logging file="x"/>',
  "<!-- c -->",
  "&amp;",
  "&x;",
  "<![CDATA[",
  "]]>",
  "\ufeff",
  "\r\n",
  "<",
  '"',
);

test("no text makes it throw, and every problem has its place", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(text, (xml) => {
      const imported = importPydir(xml, "p.xml");
      if (imported.ok) {
        loaded(imported.yaml);
        return;
      }
      const lines = xml.split("\n");
      expect(imported.problems.length).toBeGreaterThan(0);
      for (const { line, column } of imported.problems) {
        expect(line).toBeWithin(1, lines.length + 1);
        expect(column).toBeWithin(1, (lines[line - 1]?.length ?? 0) + 2);
      }
    }),
    { numRuns: 500 },
  );
});
