import { expect, test } from "bun:test";

import { isInner } from "../../src/core/inner-networks.ts";

test.each([
  { address: "8.8.8.8", inner: false },
  { address: "172.15.255.255", inner: false },
  { address: "172.16.0.1", inner: true },
  { address: "192.168.1.1", inner: true },
  { address: "127.0.0.1", inner: true },
  { address: "169.254.169.254", inner: true },
  { address: "0.0.0.0", inner: true },
  { address: "255.255.255.255", inner: true },
  { address: "2606:4700::1111", inner: false },
  { address: "::1", inner: true },
  { address: "::", inner: true },
  { address: "::ffff:10.0.0.1", inner: true },
  { address: "::ffff:8.8.8.8", inner: false },
  { address: "64:ff9b::a00:1", inner: true },
  { address: "2002:a00:1::", inner: true },
  { address: "fe80::1", inner: true },
  { address: "fec0::1", inner: true },
  { address: "feff::1", inner: true },
  { address: "5f00::1", inner: true },
  { address: "3fff:fff::1", inner: true },
  { address: "3fff:1000::1", inner: false },
  { address: "fd00::1", inner: true },
  { address: "ff02::1", inner: true },
])("$address", ({ address, inner }) => {
  expect(isInner(address)).toBe(inner);
});
