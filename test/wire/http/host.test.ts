import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseHost } from "../../../src/wire/http/host.ts";

describe("Host", () => {
  test.each([
    ["a name", "example.net", "example.net"],
    ["capitals", "WWW.Example.NET", "www.example.net"],
    ["a port", "example.net:8080", "example.net"],
    ["an empty port", "example.net:", "example.net"],
    ["the highest port", "example.net:65535", "example.net"],
    ["a trailing dot", "example.net.", "example.net"],
    ["trailing dot and port", "example.net.:80", "example.net"],
    ["one label", "localhost", "localhost"],
    ["underscore", "my_host.lan", "my_host.lan"],
    ["IPv4", "192.0.2.1:80", "192.0.2.1"],
    ["IPv6", "[::1]", "[::1]"],
    ["IPv6, port, capitals", "[2001:DB8::1]:443", "[2001:db8::1]"],
    ["IPv6 with IPv4 in it", "[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"],
    ["punycode", "xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["nothing", "", ""],
    [
      "255 characters",
      `${"a".repeat(63)}.`.repeat(3) + "a".repeat(63),
      `${"a".repeat(63)}.`.repeat(3) + "a".repeat(63),
    ],
  ])("takes %s: %s", (_, value, host) => {
    expect(parseHost(value)).toBe(host);
  });

  test.each([
    ["only a port", ":80"],
    ["only a dot", "."],
    ["a dot ahead", ".example.net"],
    ["an empty label", "a..b"],
    ["two trailing dots", "a.."],
    ["two hosts", "a, b"],
    ["two hosts without space", "a,b"],
    ["user information", "user@example.net"],
    ["a path", "example.net/a"],
    ["a backslash", "example.net\\a"],
    ["a space", "exa mple.net"],
    ["a space ahead", " example.net"],
    ["a space behind", "example.net "],
    ["a tab", "example.net\t"],
    ["a line feed", "example.net\n"],
    ["NUL", "example.net\0"],
    ["an escape", "example%2enet"],
    ["beyond ASCII", "bücher.example"],
    ["a port above 65535", "a:65536"],
    ["six digits of port", "a:000080"],
    ["a sign in the port", "a:+80"],
    ["letters in the port", "a:http"],
    ["two ports", "a:80:80"],
    ["a bare IPv6", "::1"],
    ["an open bracket", "[::1"],
    ["a closed one", "::1]"],
    ["brackets around a name", "[example.net]"],
    ["brackets around IPv4", "[192.0.2.1]"],
    ["brackets around nothing", "[]"],
    ["text behind the bracket", "[::1]a"],
    ["a zone", "[fe80::1%25eth0]"],
    ["a future address", "[v1.x]"],
    ["two brackets", "[[::1]]"],
    ["nine groups", "[1:2:3:4:5:6:7:8:9]"],
    ["two double colons", "[1::2::3]"],
    ["256 characters", "a".repeat(256)],
  ])("refuses %s: %s", (_, value) => {
    expect(parseHost(value)).toBeUndefined();
  });

  test("whatever it takes is lower case, without port, and taken again", () => {
    const text = fc.string({ unit: fc.constantFrom(..."aB0.-_:[]1f,@%/ ") });
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.domain(),
          fc.ipV6().map((ip) => `[${ip}]:1`),
          fc.string(),
        ),
        (value) => {
          const host = parseHost(value);
          if (host === undefined) return;
          expect(host).toBe(host.toLowerCase());
          expect(host).toMatch(/^([a-z0-9._~-]*|\[[0-9a-f:.]+\])$/);
          expect(host.endsWith(".")).toBe(false);
          expect(parseHost(host)).toBe(host);
        },
      ),
    );
  });

  test("takes every address and name the generators know", () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => expect(parseHost(`[${ip}]:80`)).toBe(`[${ip.toLowerCase()}]`)),
    );
    fc.assert(fc.property(fc.ipV4(), (ip) => expect(parseHost(ip)).toBe(ip)));
    fc.assert(fc.property(fc.domain(), (name) => expect(parseHost(name)).toBe(name.toLowerCase())));
  });
});
