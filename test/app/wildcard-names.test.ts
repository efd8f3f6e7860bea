import { expect, test } from "bun:test";

import { readConfigText } from "../../src/app/config-text.ts";

const NO =
  'by ACME: wildcards need proof in the DNS (dns-01), and no zone of `dns:` with a `file` has it; name the hosts one by one, or put a certificate under "certificates"';

test.each([
  { story: "no dns at all", dns: "", told: [`3:30: no certificate for *.example.net ${NO}`] },
  {
    story: "a zone of ours",
    dns: "dns: { ns: { zones: { Example.NET.: { file: ./z } } } }",
    told: [],
  },
  {
    story: "a zone above it",
    dns: "dns: { a: { listen: 127.0.0.1:54 }, b: { zones: { net: { file: ./z } } } }",
    told: [],
  },
  { story: "the root", dns: "dns: { ns: { zones: { .: { file: ./z } } } }", told: [] },
  {
    story: "a zone of another name that ends so",
    dns: "dns: { ns: { zones: { ample.net: { file: ./z } } } }",
    told: [`3:30: no certificate for *.example.net ${NO}`],
  },
  {
    story: "a zone below it",
    dns: "dns: { ns: { zones: { www.example.net: { file: ./z } } } }",
    told: [`3:30: no certificate for *.example.net ${NO}`],
  },
  {
    story: "a zone that others have as well, and change",
    dns: "dns: { ns: { zones: { example.net: { primaries: 192.0.2.1 } } } }",
    told: [`3:30: no certificate for *.example.net ${NO}`],
  },
])("a wildcard among the names of a CA, and $story", ({ dns, told }) => {
  const place = { kind: "text", name: "t", text: "", base: "/" } as const;
  const read = readConfigText(
    place,
    `tls:\n  acme:\n    names: [www.example.net, "*.example.net"]\n${dns}\n`,
  );
  const problems = read.ok ? [] : read.problems;
  expect(problems.map((p) => `${p.line}:${p.column}: ${p.message}`)).toEqual([...told]);
});
