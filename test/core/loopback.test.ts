import { expect, test } from "bun:test";

import type { Address } from "../../src/core/address.ts";
import { isPrivate } from "../../src/core/loopback.ts";

const tcp = (host: string): Address => ({ kind: "tcp", host, port: 9900 });

test.each([
  { story: "loopback", address: tcp("127.0.0.1"), only: true },
  { story: "all of 127/8", address: tcp("127.1.2.3"), only: true },
  { story: "IPv6 loopback", address: tcp("::1"), only: true },
  { story: "IPv4 loopback in IPv6 clothes", address: tcp("::ffff:127.0.0.1"), only: true },
  { story: "localhost", address: tcp("localhost"), only: true },
  { story: "a unix socket", address: { kind: "unix", path: "/run/a.sock" } as const, only: true },
  { story: "every address", address: tcp(""), only: false },
  { story: "every IPv4 address", address: tcp("0.0.0.0"), only: false },
  { story: "every IPv6 address", address: tcp("::"), only: false },
  { story: "a neighbour of 127/8", address: tcp("128.0.0.1"), only: false },
  { story: "a name", address: tcp("admin.example"), only: false },
])("$story: only this machine can connect: $only", ({ address, only }) => {
  expect(isPrivate(address)).toBe(only);
});
