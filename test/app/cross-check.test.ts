import { describe, expect, test } from "bun:test";

import { readConfigText } from "../../src/app/config-text.ts";
import { crossProblems, crossWarnings } from "../../src/app/cross-check.ts";

const text = `pools:
  app: {}
balance:
  web: { groups: { main: { pool: app }, next: { pool: "ap" } } }
  mail:
    pool: none
`;
const complain = (path: (string | number)[], message: string) => ({ path, message });

test("what a service has against the other sections is told where it stands", () => {
  const seen: unknown[] = [];
  const problems = crossProblems(
    [
      { name: "pools" },
      {
        name: "balance",
        check: (config: unknown, sections) => {
          seen.push(config, sections);
          return [
            complain(["balance", "mail", "pool"], "there is no pool none"),
            complain(["balance", "web", "groups", "next", "pool"], "there is no pool ap"),
          ];
        },
      },
      { name: "proxy", check: () => [complain(["proxy"], "it is not there, so it is not asked")] },
    ],
    { pools: 1, balance: 2 },
    [],
    { text, file: "tern.yaml" },
  );
  expect(seen).toEqual([2, { pools: 1, balance: 2 }]);
  expect(problems.map(({ line, column, path, message }) => [line, column, path, message])).toEqual([
    [4, 55, "balance.web.groups.next.pool", "there is no pool ap"],
    [6, 11, "balance.mail.pool", "there is no pool none"],
  ]);
  expect(problems[1]?.excerpt).toBe("      pool: none\n            ^");
});

const group = "groups: { main: { pool: app } }";

test.each([
  {
    story: "a web site and a balancer",
    text: `web: { site: { listen: ":8080" } }\nbalance: { b: { listen: [":81", ":8080"], ${group} } }`,
    told: ["2:33: balance.b.listen[1]: tcp :8080 is taken by web.site.listen[0]"],
  },
  {
    story: "two balancers",
    text: `balance:\n  b: { listen: ":81", ${group} }\n  c: { listen: ":81", ${group} }`,
    told: ["3:16: balance.c.listen[0]: tcp :81 is taken by balance.b.listen[0]"],
  },
  {
    story: "a balancer for datagrams, HTTP/3 and names",
    text: `web: { site: { listen: ":53", tls: true, http3: true } }
balance: { b: { listen: ":53", protocol: udp, ${group} } }
dns: { ns: { listen: ":53" } }`,
    told: [
      "2:25: balance.b.listen[0]: udp :53 is taken by web.site.listen[0]",
      "3:22: dns.ns.listen[0]: tcp :53 is taken by web.site.listen[0]",
      "3:22: dns.ns.listen[0]: udp :53 is taken by web.site.listen[0]",
    ],
  },
  {
    story: "two servers of names, one by its default",
    text: `dns: { a: { tls: { listen: ":54" } }, b: { listen: [":54", ":55"] }, c: {} }`,
    told: [
      "1:53: dns.b.listen[0]: tcp :54 is taken by dns.a.tls.listen[0]",
      "1:73: dns.c.listen[0]: tcp :53 is taken by dns.a.listen[0]",
      "1:73: dns.c.listen[0]: udp :53 is taken by dns.a.listen[0]",
    ],
  },
  {
    story: "the admin API",
    text: `admin: { listen: "127.0.0.1:9900" }\nweb: { site: { listen: "127.0.0.1:9900" } }`,
    told: ["2:24: web.site.listen[0]: tcp 127.0.0.1:9900 is taken by admin.listen[0]"],
  },
  {
    story: "a balancer and a proxy, whose HTTP/3 wants datagrams, too",
    text: `balance:
  b: { listen: ":81", ${group} }
  u: { listen: ":81", protocol: udp, ${group} }
proxy: { p: { listen: ":81", tls: true, http3: true, routes: [{ pool: app }] } }`,
    told: [
      "4:23: proxy.p.listen[0]: tcp :81 is taken by balance.b.listen[0]",
      "4:23: proxy.p.listen[0]: udp :81 is taken by balance.u.listen[0]",
    ],
  },
  {
    story: "web sites, and names over HTTPS, share; TCP and UDP are apart; so is port 0",
    text: `web: { a: { listen: [":80", ":0"] }, b: { listen: ":80", hosts: [b] } }
dns: { ns: { listen: ":54", https: { listen: ":80", tls: false } } }
balance:
  b: { listen: [":53", ":0"], ${group} }
  c: { listen: [":53", ":0"], protocol: udp, ${group} }`,
    told: [],
  },
])("addresses that two want: $story", ({ text, told }) => {
  const place = { kind: "text", name: "t", text: "", base: "/" } as const;
  const read = readConfigText(place, `${text}\npools: { app: { hosts: ["10.0.0.1:80"] } }\n`);
  const problems = read.ok ? [] : read.problems;
  expect(problems.map((p) => `${p.line}:${p.column}: ${p.path}: ${p.message}`)).toEqual([...told]);
});

test("advice is told where it stands, of those that are there", () => {
  const services = [
    { name: "pools", advises: () => [complain(["pools", "app"], "it is empty")] },
    { name: "balance" },
    { name: "proxy", advises: () => [complain(["proxy"], "it is not there, so it is not asked")] },
  ];
  const said = crossWarnings(services, { pools: 1, balance: 2 }, { text, file: "tern.yaml" });
  expect(said.map(({ line, path, message }) => [line, path, message])).toEqual([
    [2, "pools.app", "it is empty"],
  ]);
});

describe("TLS without a certificate is told, once for each site", () => {
  const sites = `web:
  site: { listen: [":443", ":8443"], tls: true, http3: true }
  clear: { listen: ":80" }
proxy: { p: { listen: ":444", tls: true, routes: [{ pool: app }] } }
store: { s: { listen: ":445", tls: true, stages: { 0: { redundancy: 1, members: [{ id: a, dir: ./a }] } } } }
balance:
  ends: { listen: ":446", tls: terminate, groups: { main: { pool: app } } }
  passes: { listen: ":447", tls: pass, groups: { main: { pool: app } } }
dns: { ns: { listen: ":53", tls: { listen: ":853" }, https: { listen: ":448" } } }
pools: { app: { hosts: ["10.0.0.1:80"] } }
`;
  test.each([
    {
      story: "none",
      tls: "",
      told: [2, 4, 5, 7, 9, 9],
    },
    {
      story: "one in a file",
      tls: "tls: { certificates: [{ cert: ./c.pem, key: ./k.pem }] }",
      told: [],
    },
    { story: "a CA", tls: "tls: { acme: { names: [example.net] } }", told: [] },
  ])("$story", ({ tls, told }) => {
    const place = { kind: "text", name: "t", text: "", base: "/" } as const;
    const read = readConfigText(place, `${sites}${tls}\n`);
    if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("\n"));
    const warnings = read.config.warnings.filter((warning) => warning.includes("no certificate"));
    expect(warnings.map((warning) => Number(warning.split(":")[1]))).toEqual([...told]);
  });
});

test.each([
  { story: "to nobody", keys: "forward: true", told: ["warning 1:50"] },
  { story: "to somebody", keys: "forward: true, allow: [a.example]", told: [] },
  {
    story: "to a list, with another one beside it",
    keys: "forward: { allow: [a.example] }, allow: [a.example]",
    told: ["problem 1:81"],
  },
])("a route that forwards $story", ({ keys, told }) => {
  const place = { kind: "text", name: "t", text: "", base: "/" } as const;
  const read = readConfigText(place, `proxy: { p: { listen: ":81", routes: [{ ${keys} }] } }\n`);
  const at = read.ok
    ? read.config.warnings.map((warning) => `warning ${warning.split(":").slice(1, 3).join(":")}`)
    : read.problems.map(({ line, column }) => `problem ${line}:${column}`);
  expect(at).toEqual([...told]);
});
