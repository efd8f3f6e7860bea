import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitWgConf, parseWgConf } from "../../../src/wire/tunnel/wg-conf.ts";

const KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

test("what wg-quick(8) shows as an example", () => {
  const conf = parseWgConf(`[Interface]
Address = 10.200.100.8/24 # ours
DNS = 10.200.100.1
PrivateKey = ${KEY}

[Peer]
PublicKey = ${KEY}
PresharedKey = ${KEY}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = demo.wireguard.com:51820
persistentkeepalive = 25
`);
  expect(conf).toEqual({
    privateKey: KEY,
    listenPort: undefined,
    addresses: ["10.200.100.8/24"],
    mtu: undefined,
    routes: true,
    peers: [
      {
        publicKey: KEY,
        presharedKey: KEY,
        allowedIps: ["0.0.0.0/0", "::/0"],
        endpoint: "demo.wireguard.com:51820",
        keepalive: 25,
      },
    ],
    rest: [{ line: 3, message: "DNS has nothing that stands for it" }],
  });
});

test.each([
  [
    "lists in several lines",
    "[Interface]\nAddress = 10.0.0.1/24\nAddress = fd00::1/64",
    { addresses: ["10.0.0.1/24", "fd00::1/64"] },
  ],
  ["no routes", "[Interface]\nTable = off", { routes: false }],
  [
    "something else",
    "[Thing]\nA = b",
    {
      rest: [
        { line: 1, message: "neither a section nor a setting" },
        { line: 2, message: "neither a section nor a setting" },
      ],
    },
  ],
  [
    "keepalive off",
    "[Interface]\n[Peer]\nPersistentKeepalive = off",
    { peers: [{ keepalive: 0 }] },
  ],
])("%s", (_, text, wanted) => {
  expect(parseWgConf(text)).toMatchObject(wanted);
});

const peer = fc.record({
  publicKey: fc.constant(KEY),
  presharedKey: fc.option(fc.constant(KEY), { nil: undefined }),
  allowedIps: fc.array(fc.constantFrom("10.0.0.0/8", "fd00::/8", "192.0.2.1/32")),
  endpoint: fc.option(fc.constantFrom("192.0.2.1:1", "[::1]:9"), { nil: undefined }),
  keepalive: fc.nat(65_535),
});

test("what is written is read back", () => {
  const confs = fc.record({
    privateKey: fc.constant(KEY),
    listenPort: fc.option(fc.nat(65_535), { nil: undefined }),
    addresses: fc.array(fc.constantFrom("10.0.0.1/24", "fd00::1/64")),
    mtu: fc.option(fc.integer({ min: 576, max: 9000 }), { nil: undefined }),
    peers: fc.array(peer),
  });
  fc.assert(
    fc.property(confs, (conf) => {
      expect(parseWgConf(emitWgConf(conf))).toEqual({ ...conf, routes: true, rest: [] });
    }),
  );
});

test("no text throws", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseWgConf(text)));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("[Peer]", "[Interface]", "A = 1", "MTU=", "#", "Address=,,")),
      (lines) => void parseWgConf(lines.join("\n")),
    ),
  );
});
