import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitV2, parseProxy } from "../../src/wire/proxy-protocol.ts";
import { emitDetails, type ProxyDetails } from "../../src/wire/proxy-tlv.ts";

const hex = (bytes: Uint8Array): string => bytes.toHex().replace(/(..)/g, "$1 ").trim();

// Bytes as proxy-protocol.txt, 2.2.1 to 2.2.5 draws them, and as HAProxy 2.6 sends them.
test.each<{ story: string; details: ProxyDetails; bytes: string }>([
  { story: "nothing", details: {}, bytes: "" },
  { story: "ALPN", details: { alpn: "h2" }, bytes: "01 00 02 68 32" },
  { story: "authority", details: { authority: "a.io" }, bytes: "02 00 04 61 2e 69 6f" },
  {
    story: "TLS without a certificate: verify is not zero",
    details: { tls: { version: "TLSv1.3", verified: false, clientName: undefined } },
    bytes: "20 00 0f 01 00 00 00 01 21 00 07 54 4c 53 76 31 2e 33",
  },
  {
    story: "TLS with one: verify is zero, its name is told",
    details: { tls: { version: "TLSv1.2", verified: true, clientName: "kim" } },
    bytes: "20 00 15 07 00 00 00 00 21 00 07 54 4c 53 76 31 2e 32 22 00 03 6b 69 6d",
  },
  {
    story: "a name nobody vouches for is not told",
    details: { tls: { version: "TLSv1.2", verified: false, clientName: "eve" } },
    bytes: "20 00 0f 01 00 00 00 01 21 00 07 54 4c 53 76 31 2e 32",
  },
  {
    story: "all in order",
    details: { alpn: "x", authority: "y" },
    bytes: "01 00 01 78 02 00 01 79",
  },
])("$story", ({ details, bytes }) => {
  expect(hex(emitDetails(details))).toBe(bytes);
});

test("whatever is known fits a header that everybody reads", () => {
  const text = fc.string({ unit: "binary", maxLength: 400 });
  const details: fc.Arbitrary<ProxyDetails> = fc.record({
    authority: fc.option(text, { nil: undefined }),
    tls: fc.option(
      fc.record({
        version: fc.constantFrom("TLSv1.2", "TLSv1.3"),
        verified: fc.boolean(),
        clientName: fc.option(text, { nil: undefined }),
      }),
      { nil: undefined },
    ),
  });
  const source = { kind: "tcp", host: "2001:db8::1", port: 1 } as const;
  fc.assert(
    fc.property(details, (known) => {
      const header = emitV2(source, source, emitDetails(known));
      expect(parseProxy(header)).toEqual({ length: header.length, source, destination: source });
    }),
  );
});
