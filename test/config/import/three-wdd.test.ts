import { expect, test } from "bun:test";

import { parse } from "yaml";

import { LATER, SECTIONS } from "../../../src/app/services.ts";
import { import3xsd } from "../../../src/config/import/three-xsd.ts";
import { load } from "../../../src/config/load.ts";

function imported(lines: string) {
  const { yaml, notes } = import3xsd(`[3wdd]\n${lines}\n`, "3xsd.conf");
  const loaded = load(yaml, { file: "tern.yaml", sections: SECTIONS, later: LATER });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const { tunnel = {} } = (parse(yaml) ?? {}) as { tunnel?: Record<string, unknown> };
  return { tunnel, notes: notes.map(({ message }) => message) };
}

test.each([
  {
    story: "a server",
    line: "warp1 = 10.19.27.1:10.19.27.2:1380:1000:ddw3~)",
    tunnel: { listen: ":9000", cipher: "off", token: "ddw3~)", mtu: 1380, txqueuelen: 1000 },
  },
  {
    story: "one with routes and scripts",
    line: "warp1 = 10.19.27.1:10.19.27.2:1380:1000:t:blowfish-cfb,lzo:10.19.0.0/19,10.8.0.0/16/5,ifup=/etc/up.sh,rtch=/etc/rtch",
    tunnel: {
      cipher: "blowfish-cfb",
      compress: "lzo",
      routes: ["10.19.0.0/19", "10.8.0.0/16"],
      scripts: { up: "/etc/up.sh", route_change: "/etc/rtch" },
    },
  },
  {
    story: "a client",
    line: "warp1 = 10.0.0.2:10.0.0.1:1380:1000:t:on,zlib:vpn.example::10.0.0.0/8",
    tunnel: {
      peer: "vpn.example:9000",
      cipher: "aes-128-ecb",
      compress: "zlib",
      routes: ["10.0.0.0/8"],
    },
  },
  {
    story: "a client that is not to be sent elsewhere",
    line: "warp1 = 10.0.0.2:10.0.0.1:1380:1000:t:aes-128-ctr,:192.0.2.1:-9001",
    tunnel: { peer: "192.0.2.1:9001", cipher: "aes-128-ctr" },
  },
  {
    story: "what all of them are hidden by, which no session can turn off",
    line: "encrypt = on\nwarp1 = 10.0.0.2:10.0.0.1:1380:1000:t:off",
    tunnel: { cipher: "aes-128-ecb" },
  },
])("$story", ({ line, tunnel }) => {
  const one = imported(line);
  expect(one.tunnel["warp1"]).toMatchObject({ legacy: true, ...tunnel });
  expect(one.notes.join()).toContain("protects nobody");
});

test.each([
  ["warp1 = nothing", "another number of fields"],
  ["warp1 = a:b:1380:1000:secret", "two addresses"],
  ["warp1 = 10.0.0.2:10.0.0.1:99:1000:secret", "MTU"],
  ["warp1 = 10.0.0.2:10.0.0.1:1380:0:secret", "txqueuelen"],
  ["warp1 = 10.0.0.2:10.0.0.1:1380:1000:", "no token"],
  ["warp1 = 10.0.0.2:10.0.0.1:1380:1000:secret:rot13", "cipher"],
  ["warp1 = 10.0.0.2:10.0.0.1:1380:1000:secret:on:a b:9000", "server"],
  ["a name too long for it = 10.0.0.2:10.0.0.1:1380:1000:secret", "its name"],
  ["relay = a:b", "relay"],
])("%s", (line, message) => {
  const { tunnel, notes } = imported(line);
  expect(tunnel).toEqual({});
  expect(notes.join()).toContain(message);
  expect(notes.join()).not.toContain("secret");
});
