import { expect, test } from "bun:test";

import { mayBegin, MIN_FIRST } from "../../../src/wire/quic/datagram.ts";

test.each([
  { story: "an Initial, padded", first: 0xc3, length: 1200, begins: true },
  {
    story: "one of a version we do not know, which the server answers",
    first: 0xff,
    length: 1452,
    begins: true,
  },
  { story: "a long header in a short datagram", first: 0xe3, length: 1199, begins: false },
  { story: "data of a connection", first: 0x43, length: 1400, begins: false },
  { story: "nothing", first: 0, length: 0, begins: false },
])("$story", ({ first, length, begins }) => {
  const bytes = new Uint8Array(MIN_FIRST * 2);
  bytes[7] = first;
  expect(mayBegin(bytes, 7, 7 + length)).toBe(begins);
});
