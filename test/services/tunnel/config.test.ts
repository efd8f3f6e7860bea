import { describe, expect, test } from "bun:test";

import { load } from "../../../src/config/load.ts";
import type { KeyedConfig, TunnelsConfig } from "../../../src/services/tunnel/config.ts";
import { hasKeys, isKey, tunnelSchema } from "../../../src/services/tunnel/config.ts";
import { conversationId, keyProblem, keysOf } from "../../../src/services/tunnel/identity.ts";
import { isDevice } from "../../../src/services/tunnel/scalars.ts";
import { tunnel } from "../../../src/services/tunnel/tunnel.ts";

const KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const OTHER = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

function read(lines: string) {
  const text = `tunnel:\n  warp1:\n    key: "${KEY}"\n    peer_key: "${OTHER}"\n${lines.replaceAll(/^/gm, "    ")}\n`;
  return load(text, { file: "t.yaml", sections: { tunnel: tunnelSchema }, later: [] });
}

function good(lines: string): TunnelsConfig {
  const loaded = read(lines);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.sections["tunnel"] as TunnelsConfig;
}

test("the contract's words, and what they are when absent", () => {
  const { warp1 } = good(
    'listen: ":9000"\nlocal: 10.19.27.1\nremote: 10.19.27.2\nroutes: [10.19.0.0/19]\nmetric: { by: rtt, hysteresis: 20% }',
  );
  expect(warp1).toMatchObject({
    role: null,
    listen: { kind: "tcp", host: "", port: 9000 },
    mtu: 1380,
    txqueuelen: 1000,
    cipher: "noise",
    transport: "datagram",
    wireguard: false,
    metric: { by: "rtt", hysteresis: 0.2, hold: 10_000 },
    probe: { interval: 500, dead: 2500 },
    resolve: 60_000,
    local: [{ address: { version: 4 }, bits: undefined }],
    routes: [{ bits: 19 }],
  });
});

test.each([
  ["peer: vpn.example.net", { host: "vpn.example.net", port: 9000 }],
  ['peer: "192.0.2.1:51820"', { host: "192.0.2.1", port: 51_820 }],
  ['peer: "[2001:db8::1]:7"', { host: "2001:db8::1", port: 7 }],
])("%s", (line, peer) => {
  expect(good(line)["warp1"]?.peer).toEqual(peer);
});

describe("what cannot be is refused where it stands", () => {
  test.each([
    ["mtu: 1300", "tunnel.warp1", "a server needs `listen`"],
    ["role: client\nlisten: :9000", "tunnel.warp1.role", "a client needs `peer`"],
    ["peer: a..b", "tunnel.warp1.peer", "expected a peer such as"],
    ['peer: "[::1"', "tunnel.warp1.peer", "expected a peer such as"],
    ["peer: a:99999", "tunnel.warp1.peer", "expected a peer such as"],
    ["listen: unix:/x", "tunnel.warp1.listen", "tunnels are UDP"],
    ["peer: a\nlegacy: true", "tunnel.warp1.cipher", "3wdd has no noise: expected one of off,"],
    ["peer: a\nlegacy: true\ncipher: off", "tunnel.warp1.token", "3wdd needs a `token`"],
    ["peer: a\nlegacy: true\nwireguard: true", "tunnel.warp1.legacy", "another protocol"],
    [
      "peer: a\nlegacy: true\ncipher: aes-128-gcm",
      "tunnel.warp1.cipher",
      "3wdd has no aes-128-gcm",
    ],
    [
      "peer: a\nlegacy: true\ncipher: off\ntoken: x\ncompress: zstd",
      "tunnel.warp1.compress",
      "3wdd has no zstd",
    ],
    [
      'peer: "[::1]"\nlegacy: true\ncipher: off\ntoken: x',
      "tunnel.warp1.peer",
      "room for IPv4 only",
    ],
    ["peer: a\ncipher: aes-128-ecb", "tunnel.warp1.cipher", "protects nobody"],
    ["peer: a\ncompress: zstd\nwireguard: true", "tunnel.warp1.compress", "know nothing of"],
    ["peer: a\ntransport: udt\nwireguard: true", "tunnel.warp1.transport", "know nothing of"],
    ["peer: a\nrepair: { patience: 1ms }", "tunnel.warp1.repair.patience", ""],
    ["peer: a\nrepair: { fec: { data: 1 } }", "tunnel.warp1.repair.fec.data", ""],
    ["peer: a\nrepair: { fec: { parity: 0 } }", "tunnel.warp1.repair.fec.parity", ""],
    [
      "peer: a\nrepair: { fec: { data: 4, parity: 5 } }",
      "tunnel.warp1.repair.fec",
      "expected no more parity than data",
    ],
    [
      "peer: a\nlegacy: true\ncipher: off\ntoken: x\nrelay: b",
      "tunnel.warp1.relay",
      "nothing to pass on",
    ],
    ["peer: a\nmtu: 99", "tunnel.warp1.mtu", "576"],
    ["peer: a\ndevice: much-too-long-for-one", "tunnel.warp1.device", "up to 15 letters"],
    ["peer: a\nlocal: 10.0.0.1/33", "tunnel.warp1.local", "an address such as"],
    ["peer: a\nmetric: { hysteresis: much }", "tunnel.warp1.metric", ""],
    ["peer: a\nprobe: { interval: 2s, dead: 3s }", "tunnel.warp1.probe.dead", "at least twice"],
    ["peer: a\nroute: [10.0.0.0/8]", "tunnel.warp1", 'unknown key "route"'],
  ])("%s", (lines, path, message) => {
    const loaded = read(lines);
    if (loaded.ok) throw new Error("it was taken");
    const [problem] = loaded.problems;
    expect(problem?.path).toStartWith(path);
    expect(problem?.message).toContain(message);
    expect(problem?.line).toBeGreaterThan(1);
  });
});

test("keys, devices and peers are looked at together", () => {
  const { warp1 } = good('listen: ":9000"');
  if (warp1 === undefined || !hasKeys(warp1)) throw new Error("no warp1");
  const said = (tunnels: TunnelsConfig) =>
    tunnel.check?.(tunnels, {}).map(({ path, message }) => `${path.join(".")}: ${message}`);
  expect(said({ warp1 })).toEqual([]);
  expect(said({ warp1, warp2: warp1 })).toEqual([
    "tunnel.warp2.peer_key: warp1 has the same peer at the same address with the same key",
  ]);
  expect(
    said({ a: { ...warp1, device: "x" }, b: { ...warp1, device: "x", peer_key: KEY } }),
  ).toEqual(["tunnel.b.device: x is the device of a"]);
  expect(said({ "no/device": warp1 })?.[0]).toContain("can be no device");
  const relays = (a: string, b: string | null) => ({
    a: { ...warp1, relay: a, device: "x" },
    b: { ...warp1, relay: b, device: "y", peer_key: KEY },
  });
  expect(said(relays("b", "a"))).toEqual([]);
  expect(said(relays("a", null))).toEqual([
    "tunnel.a.relay: a tunnel cannot be passed on to itself",
  ]);
  expect(said(relays("warp", null))).toEqual(['tunnel.a.relay: there is no tunnel "warp"']);
  expect(said(relays("b", null))).toEqual([
    "tunnel.a.relay: nothing would come back: b needs `relay: a`",
  ]);
  const secret = { reveal: () => "nothing" } as KeyedConfig["key"];
  expect(said({ warp1: { ...warp1, key: secret } })?.[0]).toContain("tern tunnel genkey");
  expect(keyProblem({ ...warp1, wireguard: true, token: secret })?.at).toBe("token");
  expect(keyProblem({ ...warp1, token: secret })).toBeUndefined();
  // Tunnels that share an address say so once.
  expect(tunnel.listens?.({ warp1, warp2: warp1 })).toEqual([
    {
      path: ["tunnel", "warp1", "listen"],
      address: { kind: "tcp", host: "", port: 9000 },
      protocol: "udp",
    },
  ]);
});

test.each([
  { lines: "peer: a", path: undefined, said: "" },
  { lines: "peer: a\ncompress: zstd", path: "compress", said: "VORACLE" },
  { lines: "peer: a\nlegacy: true\ncipher: off\ntoken: x", path: "legacy", said: "nobody" },
])("who has $path is told", ({ lines, path, said }) => {
  const advice = tunnel.advises?.(good(lines)) ?? [];
  expect(advice.map((one) => one.path)).toEqual(
    path === undefined ? [] : [["tunnel", "warp1", path]],
  );
  expect(advice.map(({ message }) => message).join("")).toContain(said);
});

test("a token is a key, or a text from which one is made with effort", () => {
  const { warp1 } = good("peer: a");
  if (warp1 === undefined || !hasKeys(warp1)) throw new Error("no warp1");
  const token = (text: string) => ({ reveal: () => text }) as KeyedConfig["key"];
  expect(keysOf(warp1).presharedKey).toEqual(new Uint8Array(32));
  expect(Buffer.from(keysOf({ ...warp1, token: token(KEY) }).presharedKey).toString("base64")).toBe(
    KEY,
  );
  const made = keysOf({ ...warp1, token: token("old 3wdd token") }).presharedKey;
  expect(made).toEqual(keysOf({ ...warp1, token: token("old 3wdd token") }).presharedKey);
  expect(made).not.toEqual(keysOf({ ...warp1, token: token("another") }).presharedKey);
  expect(conversationId("a", warp1)).toBe(conversationId("a", { ...warp1, mtu: 1300, routes: [] }));
  expect(conversationId("a", warp1)).not.toBe(conversationId("a", { ...warp1, token: token("x") }));
});

test.each([
  ["warp1", true],
  ["a.b_c-9", true],
  ["sixteen-letters-", false],
  ["", false],
  ["..", false],
  ["a/b", false],
  ["a b", false],
])("%p can be a device: %p", (name, can) => {
  expect(isDevice(name)).toBe(can);
});

test.each([
  [KEY, true],
  [KEY.slice(1), false],
  [`${KEY.slice(0, 42)}l=`, false], // bits that belong to no byte
  ["", false],
])("%p is a key: %p", (text, is) => {
  expect(isKey(text)).toBe(is);
});

describe("keys", () => {
  const loaded = (lines: string) =>
    load(`tunnel:\n  warp1:\n${lines.replaceAll(/^/gm, "    ")}\n`, {
      file: "t.yaml",
      sections: { tunnel: tunnelSchema },
      later: [],
    });
  test.each([
    { missing: "our private key", lines: `peer: a\npeer_key: "${OTHER}"` },
    { missing: "the peer's public key", lines: `peer: a\nkey: "${KEY}"` },
  ])("$missing is asked for", ({ missing, lines }) => {
    const one = loaded(lines);
    expect(one.ok ? "" : one.problems[0]?.message).toBe(`a tunnel needs ${missing}`);
  });

  test("3wdd has none, and no address together with others", () => {
    const one = loaded("legacy: true\ncipher: aes-128-ecb\ntoken: secret\nlisten: :9000");
    if (!one.ok) throw new Error(one.problems[0]?.message);
    const { warp1 } = one.sections["tunnel"] as TunnelsConfig;
    const ours = good('listen: ":9000"')["warp1"];
    if (warp1 === undefined || ours === undefined) throw new Error("no warp1");
    expect(tunnel.check?.({ warp1, warp2: warp1 }, {})).toEqual([]);
    expect(tunnel.check?.({ warp1, ours }, {})).toEqual([
      {
        path: ["tunnel", "warp1", "listen"],
        message: "3wdd's protocol can have no address together with ours",
      },
    ]);
  });
});
