/** Others' servers and clients have only what has changed in our zones. */
import { afterAll, beforeAll, describe, expect } from "bun:test";

import { freePort } from "../../../fake/ports.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { FOLLOWERS, KEY_NAME, PRIMARIES, reaches, transferred } from "../secondary/primaries.ts";
import { dig, type Serving, serving } from "../serving.ts";

const SECRET = Buffer.alloc(32, 7).toString("base64");
const KEY = `hmac-sha256:${KEY_NAME}:${SECRET}`;
const withDig = needs(Bun.which("dig") !== null, "dig (bind9-dnsutils)");

/** A zone whose versions differ in some names of many. */
function zone(serial: number, changing: string): string {
  const many = Array.from({ length: 3000 }, (_, i) => `h${i} A 10.0.${i >>> 8}.${i & 255}`);
  return `$TTL 300
@ SOA ns1 admin ${serial} 3600 900 604800 300
@ NS ns1
ns1 A 192.0.2.1
odd TYPE65280 \\# 3 010203
${changing}
${many.join("\n")}
`;
}

/** What is in the zone besides the rest, version by version: names come, change, go and come back. */
const VERSIONS = [
  "www A 192.0.2.10\n",
  "www A 192.0.2.11\nnew.below.there TXT one\n",
  "www 60 A 192.0.2.11\nwww 60 A 192.0.2.12\nnew.below.there TXT one two\n*.wild MX 5 www\n",
  "www 60 A 192.0.2.12\n*.wild MX 5 www\nsub NS ns.sub\nns.sub A 192.0.2.53\n",
  "www A 192.0.2.10\nMixed.Case CNAME WWW\nsub NS ns.sub\nns.sub A 192.0.2.53\nns.sub AAAA 2001:db8::53\n",
  "Mixed.case CNAME www\nmail MX 10 Mail\n",
];

/** How a follower's log says that something small came; a whole zone has sixty thousand bytes. */
const SMALL: Readonly<Record<string, RegExp>> = {
  NSD: /received update to serial \d+ .* of \d{1,3} bytes/g,
  Knot: /IXFR, incoming, .* finished, .* 1 messages, \d{1,3} bytes/g,
  BIND: /Transfer completed: 1 messages, \d{1,2} records, \d{1,3} bytes/g,
};

for (const { name, start, here } of FOLLOWERS)
  describe(`${name} follows us by differences`, () => {
    for (const secret of [undefined, SECRET])
      needs(here, name)(
        secret === undefined ? "unsigned" : "signed",
        async () => {
          await using directory = await temporary();
          const notify = await freePort();
          const tsig = secret === undefined ? {} : { tsig: KEY_NAME };
          const keys = secret === undefined ? {} : { [KEY_NAME]: { secret } };
          const zones = {
            "example.net": { transfer: "127.0.0.1", notify: `127.0.0.1:${notify}`, ...tsig },
          };
          await using tern = await serving(
            { zones, keys },
            { "example.net": zone(1, VERSIONS[0] as string) },
          );
          await using follower = await start({
            dir: directory.path,
            port: notify,
            primary: tern.port,
            ...(secret !== undefined && { secret }),
          });
          await reaches(notify, 1);
          const before = follower.log.length;
          for (const [i, changing] of VERSIONS.entries()) {
            if (i === 0) continue;
            await tern.write("example.net", zone(i + 1, changing));
            await tern.reload();
            await reaches(notify, i + 1);
            // Some put names in lower case.
            const has = (await transferred(notify)).map((line) => line.toLowerCase()).sort();
            const ours = await transferred(tern.port, secret);
            expect(has).toEqual(ours.map((line) => line.toLowerCase()).sort());
          }
          expect(follower.log.slice(before).match(SMALL[name] as RegExp)).toHaveLength(
            VERSIONS.length - 1,
          );
        },
        60_000,
      );
  });

describe("dig is told", () => {
  let server: Serving;
  beforeAll(async () => {
    const zones = {
      "example.net": { transfer: "127.0.0.1" },
      "example.com": { transfer: "127.0.0.1", tsig: KEY_NAME },
      "example.org": {},
    };
    const first = zone(1, VERSIONS[0] as string);
    server = await serving(
      { zones, keys: { [KEY_NAME]: { secret: SECRET } } },
      { "example.net": first, "example.com": first, "example.org": first },
    );
    for (const [i, changing] of VERSIONS.entries()) {
      const many = Array.from({ length: 100 }, (_, k) => `big${i}-${k} TXT x`).join("\n");
      const text = zone(i + 1, i === 5 ? `${changing}\n${many}` : changing);
      for (const name of ["example.net", "example.com", "example.org"])
        await server.write(name, text);
      await server.reload();
    }
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const rows = [
    { story: "the last change", args: ["example.net", "IXFR=5"], size: 111 },
    { story: "several as one", args: ["example.net", "IXFR=1"], size: 107 },
    { story: "nothing when it has it all", args: ["example.net", "IXFR=6"], size: 1 },
    { story: "nothing when it has more", args: ["example.net", "IXFR=7"], size: 1 },
    { story: "all for a serial nobody knows", args: ["example.net", "IXFR=0"], size: 3107 },
    { story: "with its key", args: ["-y", KEY, "example.com", "IXFR=5"], size: 111 },
    { story: "nothing without", args: ["example.com", "IXFR=5"], size: undefined },
    { story: "nothing where nobody may ask", args: ["example.org", "IXFR=5"], size: undefined },
  ];
  for (const { story, args, size } of rows)
    withDig(`${story}: ${args.join(" ")}`, async () => {
      const text = await dig(server.port, ...args);
      const told = /XFR size: (\d+) records/.exec(text)?.[1];
      expect(told && Number(told)).toBe(size as number);
      expect(text).not.toContain("Couldn't verify");
    });

  const brief = [
    { story: "what fits", args: ["example.net", "IXFR=6"], answers: 1 },
    { story: "only the SOA when it does not", args: ["example.net", "IXFR=5"], answers: 1 },
    { story: "only the SOA for all of it", args: ["example.net", "IXFR=0"], answers: 1 },
    { story: "nothing without a key", args: ["example.com", "IXFR=6"], answers: 0 },
    { story: "signed", args: ["-y", KEY, "example.com", "IXFR=6"], answers: 1 },
  ];
  for (const { story, args, answers } of brief)
    withDig(`over UDP ${story}: ${args.join(" ")}`, async () => {
      const text = await dig(server.port, "+notcp", "+bufsize=1232", ...args);
      expect(text.match(/^example.*\sIN\s/gm)?.length ?? 0).toBe(answers);
      expect(text).not.toContain("Couldn't verify");
    });

  withDig("over UDP a small change, whole", async () => {
    await using own = await serving(
      { zones: { "example.net": { transfer: "127.0.0.1" } }, amplification: 0 },
      { "example.net": zone(1, "www A 192.0.2.1") },
    );
    await own.write("example.net", zone(2, "www A 192.0.2.2"));
    await own.reload();
    const text = await dig(own.port, "+notcp", "example.net", "IXFR=1");
    const lines = text.split("\n").filter((line) => /^[a-z].*IN/.test(line));
    expect(lines.map((line) => line.split(/\s+/).slice(3, 7).join(" "))).toEqual([
      "SOA ns1.example.net. admin.example.net. 2",
      "SOA ns1.example.net. admin.example.net. 1",
      "A 192.0.2.1",
      "SOA ns1.example.net. admin.example.net. 2",
      "A 192.0.2.2",
      "SOA ns1.example.net. admin.example.net. 2",
    ]);
  });
});

needs(PRIMARIES[1].here, "Knot")(
  "a zone that we have from Knot is given on by differences",
  async () => {
    await using directory = await temporary();
    const port = await freePort();
    await using knot = await PRIMARIES[1].start({
      dir: directory.path,
      zone: zone(1, "www A 192.0.2.1"),
      notify: port,
    });
    await using tern = await serving(
      {
        listen: `127.0.0.1:${port}`,
        zones: { "example.net": { primaries: [`127.0.0.1:${knot.port}`], transfer: "127.0.0.1" } },
      },
      {},
    );
    await reaches(port, 1);
    await knot.update(zone(2, "www A 192.0.2.2"));
    await reaches(port, 2);
    await knot.update(zone(3, "www A 192.0.2.3"));
    await reaches(port, 3);
    expect(tern.instance).toBeDefined();
    expect(await dig(port, "example.net", "IXFR=1")).toContain("XFR size: 6 records");
    expect(await dig(port, "example.net", "IXFR=2")).toContain("XFR size: 6 records");
  },
  30_000,
);
