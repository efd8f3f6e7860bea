import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { MAX_HELLO, parseClientHello } from "../../../src/wire/tls/client-hello.ts";
import { views } from "../canary.ts";
import { BUN_FETCH, CURL, OPENSSL, OPENSSL_NAMELESS } from "./captures.ts";
import { readsOnlyItsBytes, sameInAnyRecords } from "./client-hello.properties.ts";
import {
  alpn,
  ascii,
  concat,
  type Extension,
  grease,
  hello,
  LURE,
  records,
  sni,
  vector,
} from "./hello.ts";

describe("real clients", () => {
  test.each([
    { story: "openssl", bytes: OPENSSL, serverName: "shop.example.net", alpn: ["h2", "http/1.1"] },
    { story: "openssl without a name", bytes: OPENSSL_NAMELESS, serverName: undefined, alpn: [] },
    { story: "curl", bytes: CURL, serverName: "www.example.org", alpn: ["h2", "http/1.1"] },
    { story: "Bun", bytes: BUN_FETCH, serverName: "localhost", alpn: ["http/1.1"] },
  ])("$story asks for $serverName and $alpn", ({ bytes, serverName, alpn: protocols }) => {
    const whole = Uint8Array.fromHex(bytes);
    expect(parseClientHello(whole)).toEqual({ serverName, alpn: protocols });
    for (let n = 0; n < whole.length; n++)
      expect(parseClientHello(whole.subarray(0, n))).toBe("incomplete");
    for (const view of views(whole.subarray(0, 60), LURE))
      expect(parseClientHello(view)).toBe("incomplete");
    // What follows, early data for one, is not looked at.
    expect(parseClientHello(concat(whole, Uint8Array.of(23, 3, 3, 0, 1, 0)))).toEqual({
      serverName,
      alpn: protocols,
    });
  });
});

describe("made by hand", () => {
  test.each([
    { story: "no extensions at all (TLS 1.0)", parts: {}, serverName: undefined, alpn: [] },
    {
      story: "a name",
      parts: { extensions: [sni("Example.NET")] },
      serverName: "example.net",
      alpn: [],
    },
    {
      story: "a name with a dot behind",
      parts: { extensions: [sni("a.b.")] },
      serverName: "a.b",
      alpn: [],
    },
    {
      story: "GREASE everywhere",
      parts: {
        extensions: [
          grease,
          sni("a.b"),
          alpn("\x2a\x2a", "h2"),
          [0xfafa, Uint8Array.of()] as const,
        ],
      },
      serverName: "a.b",
      alpn: ["\x2a\x2a", "h2"],
    },
    {
      story: "acme-tls/1",
      parts: { extensions: [alpn("acme-tls/1"), sni("a.b")] },
      serverName: "a.b",
      alpn: ["acme-tls/1"],
    },
    {
      story: "no session",
      parts: { session: 0, extensions: [sni("a.b")] },
      serverName: "a.b",
      alpn: [],
    },
  ])("$story", ({ parts, serverName, alpn: protocols }) => {
    expect(parseClientHello(records(hello(parts)))).toEqual({ serverName, alpn: protocols });
    expect(parseClientHello(records(hello(parts), 7))).toEqual({ serverName, alpn: protocols });
    expect(parseClientHello(records(hello(parts), 1))).toEqual({ serverName, alpn: protocols });
  });

  test("16 KB with all its records, and not a byte more", () => {
    const padded = (n: number) =>
      records(hello({ extensions: [[21, new Uint8Array(n)], sni("a.b")] }));
    const most = MAX_HELLO - padded(0).length;
    expect(parseClientHello(padded(most))).toEqual({ serverName: "a.b", alpn: [] });
    expect(parseClientHello(padded(most + 1))).toBeUndefined();
    // A full buffer always gives an answer, however small the records.
    const tiny = records(hello({ extensions: [[21, new Uint8Array(8000)]] }), 1);
    expect(parseClientHello(tiny.subarray(0, MAX_HELLO))).toBeUndefined();
  });

  const raw = (type: number, ...bytes: readonly number[]): Extension => [
    type,
    Uint8Array.from(bytes),
  ];
  test.each([
    ["two names", { extensions: [sni("a.b"), sni("c.d")] }],
    ["two lists of protocols", { extensions: [alpn("h2"), alpn("h2")] }],
    ["one unknown extension twice", { extensions: [grease, grease] }],
    ["an empty name", { extensions: [sni("")] }],
    ["a name with NUL", { extensions: [sni("a.b\0.evil")] }],
    ["a name with a slash", { extensions: [sni("../a")] }],
    ["a name beyond ASCII", { extensions: [sni("b\u{fc}cher")] }],
    ["a name of 256 bytes", { extensions: [sni("a".repeat(256))] }],
    ["a name of another type", { extensions: [sni("a.b", 1)] }],
    ["an empty list of names", { extensions: [raw(0, 0, 0)] }],
    ["an empty extension for a name", { extensions: [raw(0)] }],
    ["a name longer than its list", { extensions: [raw(0, 0, 4, 0, 0, 9, 97)] }],
    ["bytes behind the list of names", { extensions: [raw(0, 0, 4, 0, 0, 1, 97, 0)] }],
    ["an empty list of protocols", { extensions: [raw(16, 0, 0)] }],
    ["an empty protocol", { extensions: [alpn("h2", "")] }],
    ["a protocol longer than its list", { extensions: [raw(16, 0, 2, 9, 97)] }],
    ["bytes behind the protocols", { extensions: [raw(16, 0, 2, 1, 97, 0)] }],
    ["no suites", { suites: 0 }],
    ["an odd number of bytes for suites", { suites: 3 }],
    ["no compression method", { compression: 0 }],
    ["33 bytes of session", { session: 33 }],
    ["bytes behind the extensions", { extensions: [sni("a.b")], tail: 1 }],
    ["longer than 16 KB", { extensions: [[21, new Uint8Array(MAX_HELLO)]] as const }],
  ])("refuses %s", (_, parts) => {
    expect(parseClientHello(records(hello(parts)))).toBeUndefined();
  });

  const good = records(hello({ extensions: [sni("a.b")] }));
  test.each([
    ["HTTP", ascii("GET / HTTP/1.1\r\n")],
    ["one letter", ascii("G")],
    ["SSLv2", Uint8Array.of(0x80, 0x2e, 1, 3, 1)],
    ["an alert", Uint8Array.of(21, 3, 1, 0, 2, 1, 0)],
    ["version 2 records", Uint8Array.of(22, 2)],
    ["an empty record", Uint8Array.of(22, 3, 1, 0, 0)],
    ["a record above 16 KB", Uint8Array.of(22, 3, 1, 0x40, 1)],
    ["a ServerHello", Uint8Array.of(22, 3, 1, 0, 4, 2)],
    ["a message that says 16 MB", Uint8Array.of(22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff)],
    [
      "another message in its record",
      concat(Uint8Array.of(22, 3, 1), vector(2, concat(good.subarray(5), Uint8Array.of(0)))),
    ],
    [
      "another record between its own",
      concat(records(hello({}), 20).subarray(0, 25), Uint8Array.of(23, 3, 3, 0, 1, 0)),
    ],
  ])("%s is none", (_, bytes) => {
    for (const view of views(bytes, LURE)) expect(parseClientHello(view)).toBeUndefined();
  });
});

describe("for any bytes", () => {
  test("records may cut it anywhere", () => {
    fc.assert(sameInAnyRecords);
  });

  test("bytes changed or cut off: an answer that owes nothing to what lies around", () => {
    fc.assert(readsOnlyItsBytes, { numRuns: 1000 });
  });
});
