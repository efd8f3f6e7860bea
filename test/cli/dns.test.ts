import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { showServers } from "../../src/cli/dns-status.ts";
import type { ServerStatus } from "../../src/services/dns/server-status.ts";
import { said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";
import { temporary } from "../fake/temporary.ts";
import { type Serving, serving, ZONE } from "../services/dns/serving.ts";

setDefaultTimeout(60_000); // the program itself, many times

const tern = (...args: string[]) => said([...TERN, "dns", ...args]);

describe("check", () => {
  let dir: { readonly path: string } & AsyncDisposable;
  beforeAll(async () => {
    dir = await temporary();
    await Bun.write(join(dir.path, "example.net.zone"), ZONE);
    await Bun.write(join(dir.path, "broken.zone"), "@ SOA ns1 hostmaster 1 2 3 4 5\nwww A 1.2.3\n");
    await Bun.write(join(dir.path, "db.example"), ZONE.replace("many", "sub CNAME www\nmany"));
  });
  afterAll(async () => {
    await dir[Symbol.asyncDispose]();
  });

  test("a good zone is named, counted and weighed", async () => {
    const it = await tern("check", join(dir.path, "example.net.zone"));
    expect(it).toMatchObject({ code: 0, err: "" });
    expect(it.out).toBe("example.net. good: serial 7, 17 records, 13 names, not signed\n");
    const json = await tern("check", "--json", join(dir.path, "example.net.zone"));
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, name: "example.net.", serial: 7 });
  });

  test("every mistake has its place", async () => {
    const file = join(dir.path, "broken.zone");
    const it = await tern("check", "--origin", "example.net", file);
    expect(it).toMatchObject({ code: 1, out: "" });
    expect(it.err).toContain(`${file}:2:7: `);
    const json = JSON.parse((await tern("check", "--json", file)).out);
    expect(json).toMatchObject({ ok: false, problems: [{ file, line: 2, column: 7 }] });
  });

  test("what only the whole zone shows, too", async () => {
    const file = join(dir.path, "db.example");
    const it = await tern("check", "--origin", "example.net", file);
    expect(it.err).toMatch(new RegExp(`${file}:\\d+:1: sub\\.example\\.net\\. .*CNAME`));
    expect(it.code).toBe(1);
  });

  test("no such file, no such name", async () => {
    expect((await tern("check", "/nowhere.zone")).err).toContain(
      "/nowhere.zone:1:1: cannot be read",
    );
    expect((await tern("check", "--origin", "a..b", "x")).code).toBe(2);
  });
});

describe("query", () => {
  let server: Serving;
  beforeAll(async () => {
    server = await serving({ nsid: "here" });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  const query = (...args: string[]) => tern("query", "-p", String(server.port), ...args);

  test("shows the answer", async () => {
    const it = await query("www.example.net");
    expect(it.code).toBe(0);
    expect(it.out).toContain(";; QUERY, NOERROR, id ");
    expect(it.out).toContain("www.example.net.\t300\tIN\tA\t192.0.2.10\n");
    expect(it.out).toMatch(/;; 127\.0\.0\.1#\d+ \(udp\), [\d.]+ ms/);
  });

  test("asks again by TCP when there is more", async () => {
    const { out } = await query("many.example.net", "TXT");
    expect(out).toContain("(tcp)");
  });

  test("as JSON, with all that was asked for", async () => {
    const { out } = await query(
      "--json",
      "--nsid",
      "--subnet",
      "198.51.100.7",
      "www.example.net",
      "A",
    );
    expect(JSON.parse(out)).toMatchObject({
      rcode: "NOERROR",
      flags: ["qr", "aa"],
      question: [{ name: "www.example.net.", type: "A", class: "IN" }],
      answer: [{ data: "192.0.2.10", ttl: 300 }, { data: "192.0.2.11" }],
      edns: {
        options: [
          { name: "NSID", text: "here" },
          { name: "ECS", text: "198.51.100.0/24/0" },
        ],
      },
      transport: "udp",
    });
  });

  test.each([
    {
      story: "no type",
      args: ["www.example.net", "NONSENSE"],
      code: 2,
      err: "NONSENSE is no record type",
    },
    { story: "no name", args: ["a..b"], code: 2, err: "a..b is no domain name" },
    { story: "no server", args: ["-s", "ns1", "a"], code: 2, err: "ns1 is no IP address" },
    { story: "no TLS", args: ["--tls", "--timeout", "1", "a"], code: 1, err: "(tls): " },
  ])("$story", async ({ args, code, err }) => {
    const it = await query(...args);
    expect([it.code, it.out]).toEqual([code, ""]);
    expect(it.err).toContain(err);
  });
});

test("status for people: zones, and who is up since when and why", () => {
  const at = 1_700_000_000_000;
  const zone = {
    file: "/z",
    primaries: [],
    bytes: 1,
    keys: [],
    loadedAt: at,
    checkedAt: null,
    tookMs: 1,
    warnings: [],
    problems: [],
  };
  const record = { type: "A", weight: 1, manual: null, since: at, why: "", given: true } as const;
  const servers: Record<string, ServerStatus> = {
    ns: {
      listen: [":53"],
      zones: [
        {
          ...zone,
          name: "example.net",
          state: "good",
          serial: 7,
          records: 16,
          signed: true,
          keys: [
            {
              tag: 55648,
              role: "current",
              signs: true,
              ds: "55648 13 2 B4C8",
              since: null,
              doneFrom: null,
            },
            {
              tag: 7,
              role: "next",
              signs: false,
              ds: "7 13 2 A0A0",
              since: at,
              doneFrom: at + 2 * 3_600_000,
            },
          ],
        },
        {
          ...zone,
          name: "example.org",
          state: "broken",
          serial: 3,
          records: 1000,
          signed: false,
          problems: ["/z:7:3: expected an address"],
        },
      ] as ServerStatus["zones"],
      names: [
        {
          name: "www.example.net.",
          tier: 1,
          outcome: "records",
          ttl: 60,
          members: [
            { ...record, record: "10.0.0.1", health: "up" },
            { ...record, record: "10.0.0.2", health: "down", why: "timeout", given: false },
            { ...record, record: "10.0.0.3", health: "up", manual: "drain", given: false },
          ],
        },
      ],
    },
  };
  expect(showServers(servers, (_, text) => text, at + 65_000).split("\n")).toEqual([
    "ns  :53",
    "",
    "ZONE         SERIAL  RECORDS  DNSSEC  LOADED  STATE",
    "example.net       7       16  signed  65s     good",
    "example.org       3     1000  -       65s     broken",
    "for the parent: example.net. DS 55648 13 2 B4C8",
    "for the parent: example.net. DS 7 13 2 A0A0",
    "key 7 is published, and will sign records; with its DS at the parent, the old key may go in 119m",
    "/z:7:3: expected an address",
    "",
    "NAME              TIER  TTL    RECORD  HEALTH         SINCE  GIVEN  WHY",
    "www.example.net.  1     60   10.0.0.1  up             65s    yes",
    "                             10.0.0.2  down           65s    no     timeout",
    "                             10.0.0.3  up, set drain  65s    no",
  ]);
});
