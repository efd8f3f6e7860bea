import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseName, ROOT, showName } from "../../../src/wire/dns/name.ts";
import { showRdata } from "../../../src/wire/dns/rdata/show.ts";
import { showClass, showType } from "../../../src/wire/dns/types.ts";
import { parseZone } from "./parse-zone.ts";
import * as properties from "./zone-scan.properties.ts";

const origin = parseName("example.net") ?? ROOT;
const FILES: Record<string, string> = {
  hosts: "i A 192.0.2.7\n@ TXT sub\n$ORIGIN deeper\nj A 192.0.2.8\n",
  circle: "$INCLUDE circle\n",
  wrong: "\nx MX a\n",
};
const include = (path: string) => {
  const text = FILES[path];
  if (text === undefined) throw new Error("no such file");
  return text;
};

/** One line for each record, or for each problem. */
function read(text: string): readonly string[] {
  const zone = parseZone(text, { file: "zone", origin, include });
  if (!zone.ok) return zone.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`);
  return zone.records.map((rr) => {
    const klass = rr.class === 1 ? "" : `${showClass(rr.class)} `;
    return `${showName(rr.name).replace(".example.net.", "")} ${rr.ttl} ${klass}${showType(rr.type)} ${showRdata(rr.type, rr.rdata)}`;
  });
}

describe("records", () => {
  test.each([
    {
      story: "TTL and class in one order",
      text: "a 5 IN A 192.0.2.1",
      records: ["a 5 A 192.0.2.1"],
    },
    { story: "and in the other", text: "a IN 5 A 192.0.2.1", records: ["a 5 A 192.0.2.1"] },
    { story: "in small letters", text: "a in 5 a 192.0.2.1", records: ["a 5 A 192.0.2.1"] },
    {
      story: "times with units",
      text: "$TTL 1h30m\na A 192.0.2.1\nb 1W A 192.0.2.2",
      records: ["a 5400 A 192.0.2.1", "b 604800 A 192.0.2.2"],
    },
    {
      story: "the TTL before, without $TTL",
      text: "a 5 A 192.0.2.1\nb A 192.0.2.2",
      records: ["a 5 A 192.0.2.1", "b 5 A 192.0.2.2"],
    },
    {
      story: "the SOA's minimum, without either",
      text: "@ SOA a. b. 1 2 3 4 77\nb TXT x",
      records: ["example.net. 77 SOA a. b. 1 2 3 4 77", 'b 77 TXT "x"'],
    },
    {
      story: "the owner before",
      text: "a 5 A 192.0.2.1\n\tA 192.0.2.2\n  7 A 192.0.2.3",
      records: ["a 5 A 192.0.2.1", "a 5 A 192.0.2.2", "a 7 A 192.0.2.3"],
    },
    {
      story: "an owner that looks like a class",
      text: "IN 5 IN A 192.0.2.1",
      records: ["IN 5 A 192.0.2.1"],
    },
    {
      story: "an owner that looks like a type",
      text: "mx 5 mx 10 @",
      records: ["mx 5 MX 10 example.net."],
    },
    {
      story: "parentheses over lines, with comments",
      text: "a 5 MX ( ; begin\n 10 ; ten\n b )\nc 5 A 192.0.2.1",
      records: ["a 5 MX 10 b.example.net.", "c 5 A 192.0.2.1"],
    },
    {
      story: "parentheses without blanks",
      text: "a 5 TXT x(y)z",
      records: ['a 5 TXT "x" "y" "z"'],
    },
    {
      story: "comments and empty lines",
      text: "; one\n\n   \n ; two\na 5 A 192.0.2.1;three",
      records: ["a 5 A 192.0.2.1"],
    },
    {
      story: "what a quote holds",
      text: 'a 5 TXT "; ( ) \\" $"',
      records: ['a 5 TXT "; ( ) \\" $"'],
    },
    {
      story: "lines of DOS, and UTF-8 with its mark",
      text: "\ufeffa 5 A 192.0.2.1\r\nb 5 TXT é\r\n",
      records: ["a 5 A 192.0.2.1", 'b 5 TXT "\\195\\169"'],
    },
    {
      story: "the unknown",
      text: "a 5 CLASS32 TYPE731 \\# 2 abcd",
      records: ["a 5 CLASS32 TYPE731 \\# 2 abcd"],
    },
    {
      story: "an origin below the origin",
      text: "$ORIGIN b\na 5 A 192.0.2.1\n$ORIGIN .\nc 5 A 192.0.2.2",
      records: ["a.b 5 A 192.0.2.1", "c. 5 A 192.0.2.2"],
    },
    {
      story: "a file with its own origin",
      text: "$TTL 5\na A 192.0.2.1\n$INCLUDE hosts sub\n A 192.0.2.2\nb A 192.0.2.3",
      records: [
        "a 5 A 192.0.2.1",
        "i.sub 5 A 192.0.2.7",
        'sub 5 TXT "sub"',
        "j.deeper.sub 5 A 192.0.2.8",
        "a 5 A 192.0.2.2",
        "b 5 A 192.0.2.3",
      ],
    },
    {
      story: "numbers in names and addresses",
      text: "$GENERATE 1-3/2 h$ 5 A 192.0.2.${10}",
      records: ["h1 5 A 192.0.2.11", "h3 5 A 192.0.2.13"],
    },
    {
      story: "numbers with width and base",
      text: "$GENERATE 254-255 x${0,4,X}-${-254,2} 5 CNAME y$",
      records: ["x00FE-00 5 CNAME y254.example.net.", "x00FF-01 5 CNAME y255.example.net."],
    },
    {
      story: "numbers by nibbles",
      text: "$GENERATE 18-18 ${0,7,n} 5 PTR a",
      records: ["2.1.0.0 5 PTR a.example.net."],
    },
    {
      story: "data in quotes, as BIND has it",
      text: '$GENERATE 1-1 a 5 MX "10 m$"',
      records: ["a 5 MX 10 m1.example.net."],
    },
    {
      story: "a dollar for itself",
      text: "$GENERATE 1-1 a 5 TXT \\$ $$ x",
      records: ['a 5 TXT "$" "$" "x"'],
    },
  ])("$story", ({ text, records }) => {
    expect(read(text)).toEqual(records);
  });
});

describe("problems", () => {
  test.each([
    {
      story: "all of them",
      text: "a 5 A x\nb 5 A 192.0.2.1\nc 5 MX y z",
      problems: [
        'zone:1:7: expected an IPv4 address, got "x"',
        'zone:3:8: expected a number up to 65535, got "y"',
      ],
    },
    {
      story: "what is missing is behind the last word",
      text: "a 5 MX 10",
      problems: ["zone:1:10: expected a domain name, the record ends"],
    },
    {
      story: "the line of the word, in parentheses",
      text: "a 5 MX (\n 10\n  b..c )",
      problems: [
        'zone:3:3: expected a domain name (labels of 1 to 63 bytes, 255 in all), got "b..c"',
      ],
    },
    {
      story: "no TTL anywhere",
      text: "a A 192.0.2.1",
      problems: ["zone:1:3: no TTL here, and no $TTL above"],
    },
    {
      story: "no owner",
      text: " A 192.0.2.1",
      problems: ["zone:1:2: the first record needs an owner"],
    },
    {
      story: "no type",
      text: "a 5 IN",
      problems: ["zone:1:7: expected a record type, the record ends"],
    },
    {
      story: "a type of nobody",
      text: "a 5 AAAAA ::1",
      problems: ['zone:1:5: expected a record type, got "AAAAA"'],
    },
    {
      story: "a type that is only asked for",
      text: "a 5 ANY x",
      problems: ['zone:1:5: expected a record type, got "ANY"'],
    },
    {
      story: "a TTL too large",
      text: "a 2147483648 A 192.0.2.1",
      problems: ['zone:1:3: expected a TTL up to 2147483647, got "2147483648"'],
    },
    {
      story: "an open parenthesis",
      text: "a 5 A (192.0.2.1",
      problems: ['zone:1:17: "(" without ")"'],
    },
    {
      story: "a closing one",
      text: "a 5 A 192.0.2.1 )\nb 5 A x",
      problems: ['zone:1:17: ")" without "("', 'zone:2:7: expected an IPv4 address, got "x"'],
    },
    {
      story: "an open quote",
      text: 'a 5 TXT "x\nb 5 A x',
      problems: [
        "zone:1:9: a quoted text must end on its line",
        'zone:2:7: expected an IPv4 address, got "x"',
      ],
    },
    {
      story: "a newline cannot be escaped, in quotes or out",
      text: 'a 5 TXT "x\\\n"\nb 5 TXT x\\\nc 5 A x',
      problems: [
        "zone:1:9: a quoted text must end on its line",
        "zone:2:1: a quoted text must end on its line",
        "zone:3:9: a backslash at the end of a line",
        'zone:4:7: expected an IPv4 address, got "x"',
      ],
    },
    {
      story: "another directive",
      text: "$FOO x",
      problems: ['zone:1:1: expected $ORIGIN, $TTL, $INCLUDE or $GENERATE, got "$FOO"'],
    },
    {
      story: "a file that is not there",
      text: "$INCLUDE nope",
      problems: ['zone:1:10: cannot include "nope": no such file'],
    },
    {
      story: "a problem in another file",
      text: "$TTL 5\n$INCLUDE wrong",
      problems: ['wrong:2:6: expected a number up to 65535, got "a"'],
    },
    {
      story: "files in a circle",
      text: "$INCLUDE circle",
      problems: ["circle:1:10: more than 16 files inside each other"],
    },
    {
      story: "numbers that go nowhere",
      text: "$GENERATE 5-1 a 5 A 192.0.2.$",
      problems: ['zone:1:11: expected numbers such as "1-100" or "0-98/2"'],
    },
    {
      story: "a generated line",
      text: "\n$GENERATE 255-256 a$ 5 A 192.0.2.$",
      problems: [
        'zone:2:1: expected an IPv4 address, got "192.0.2.256", in "a256 5 A 192.0.2.256"',
      ],
    },
  ])("$story", ({ text, problems }) => {
    expect(read(text)).toEqual(problems);
  });

  test("a hundred are enough", () => {
    expect(read("a 5 A x\n".repeat(200))).toHaveLength(100);
  });
});

test("what is shown is read", () => fc.assert(properties.readsWhatIsShown));
test("any text", () => fc.assert(properties.anyText, { numRuns: 300 }));
