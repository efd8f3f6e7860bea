import { expect, test } from "bun:test";

import fc from "fast-check";

import { checksum, emitRequest, parseReply, TOKEN_SIZE } from "../../../src/wire/icmp/echo.ts";

const token = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** What the other end would send back. */
function replyTo(request: Uint8Array, family: 4 | 6, header = 0): Uint8Array {
  const reply = new Uint8Array(header + request.length);
  reply.set(request, header);
  reply[header] = family === 4 ? 0 : 129;
  if (header > 0) reply[0] = 0x40 | (header / 4);
  return reply;
}

test("the checksum of RFC 1071, 3", () => {
  expect(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0x220d);
});

test("a request as ping(8) sends it", () => {
  const request = emitRequest(4, 0x1234, 7, token);
  expect([...request.subarray(0, 8)]).toEqual([8, 0, request[2]!, request[3]!, 0x12, 0x34, 0, 7]);
  expect(checksum(request)).toBe(0); // over a right checksum the sum is zero
});

test.each([
  { story: "IPv4 without its header", family: 4, header: 0 },
  { story: "IPv4 with its header", family: 4, header: 20 },
  { story: "IPv4 with options", family: 4, header: 60 },
  { story: "IPv6", family: 6, header: 0 },
] as const)("a reply: $story", ({ family, header }) => {
  const reply = replyTo(emitRequest(family, 1, 1, token), family, header);
  expect(parseReply(reply, family, header > 0)).toEqual(token);
});

test.each([
  { story: "the request itself, on loopback", bytes: emitRequest(4, 1, 1, token) },
  {
    story: "somebody else's",
    bytes: Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1, ...Array<number>(30).fill(7)),
  },
  { story: "cut short", bytes: replyTo(emitRequest(4, 1, 1, token), 4).subarray(0, 20) },
  { story: "nothing", bytes: new Uint8Array() },
])("not a reply: $story", ({ bytes }) => {
  expect(parseReply(bytes, 4, false)).toBeUndefined();
});

test("any bytes are a token or nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, headed) => {
      const found = parseReply(bytes, 4, headed);
      expect(found === undefined || found.length === TOKEN_SIZE).toBe(true);
    }),
  );
});
