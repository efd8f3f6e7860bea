/** The `tunnel:` section: named tunnels, each a network device whose wire leads to one peer. */
import * as v from "valibot";

import { key, pathTo } from "../../config/key.ts";
import { oneOrMany } from "../../config/scalar.ts";
import {
  address,
  bandwidth,
  cidr,
  cidrList,
  count,
  duration,
  path,
  secret,
} from "../../config/scalars.ts";
import type { Cidr } from "../../core/cidr.ts";
import type { Ip } from "../../core/ip.ts";
import { CIPHERS as OLD_CIPHERS } from "../../wire/3wdd/ciphers.ts";
import { MOST_DATA } from "../../wire/tunnel/parity.ts";
import { misfit } from "./misfit.ts";
import { device, type Local, local, peer, percent, remote } from "./scalars.ts";

/** IPv6 wants that much of every link (RFC 8200, 5); no link has more than 65 535. */
const MIN_MTU = 576;
const MAX_MTU = 65_535;
/** Nobody can notice anything faster than that without taking a hiccup for death. */
const MIN_PROBE_MS = 50;

/** Less than that is no time to repeat anything in. */
const MIN_PATIENCE_MS = 50;

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

const metric = v.union([
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31)),
  v.strictObject({
    by: key(v.picklist(["rtt"]), "rtt", "By the smoothed round-trip time, and by what is lost."),
    hysteresis: key(percent, "20%", "Smaller changes than that are not worth a new route."),
    hold: key(duration, "10s", "Neither are those that have not lasted for so long."),
  }),
]);

const script = key(v.nullable(path), null, "A program; it is told the device and $TERN_…");

const mtu = v.pipe(
  v.number() as v.GenericSchema<unknown, number>,
  v.integer(),
  v.minValue(MIN_MTU),
  v.maxValue(MAX_MTU),
);

/** Ours, and what an old 3wdd had: that has no authentication at all. */
const CIPHERS = ["noise", "aes-128-gcm", ...OLD_CIPHERS] as const;

const keys = v.strictObject({
  role: key(
    v.nullable(v.picklist(["server", "client"])),
    null,
    "client: reaches for `peer`; server: waits for it. By default whoever has a `peer` is a client.",
  ),
  listen: key(
    v.nullable(address),
    null,
    "UDP address; several tunnels may share one. A client needs none.",
  ),
  peer: key(v.nullable(peer), null, "Where the peer is; the name is looked up again when needed."),
  device: key(v.nullable(device), null, "The network device; called like the tunnel by default."),
  netns: key(
    v.nullable(v.string()),
    null,
    "Network namespace that the device is put into, by name or path. Needs `user: root`.",
  ),
  local: key(oneOrMany<Local>(local), [], "Our addresses on the device."),
  remote: key(oneOrMany<Ip>(remote), [], "The peer's addresses inside the tunnel."),
  mtu: key(mtu, 1380, "Of the device; less when the path turns out to carry less."),
  txqueuelen: key(count(1), 1000, "Packets that may wait in the device."),
  key: key(
    v.nullable(secret),
    null,
    "Our private key, in base64: `tern tunnel genkey`. All but `legacy` need it.",
  ),
  peer_key: key(
    v.nullable(
      v.pipe(
        v.string(),
        v.check(isKey, "expected a public key: 32 bytes in base64, from `tern tunnel pubkey`"),
      ),
    ),
    null,
    "The peer's public key, in base64: `tern tunnel pubkey`. All but `legacy` need it.",
  ),
  token: key(
    v.nullable(secret),
    null,
    "A secret both ends know besides: a key of `tern tunnel genpsk`, or any long text.",
  ),
  wireguard: key(
    bool,
    false,
    "Speak WireGuard's own protocol, so that its programs can be the peer.",
  ),
  cipher: key(v.picklist(CIPHERS), "noise", "noise: authenticated, with forward secrecy."),
  legacy: key(
    bool,
    false,
    "Talk to an old 3wdd, by its login, with a `cipher` of its own and `token`: it protects nobody.",
  ),
  compress: key(
    v.picklist(["off", "zlib", "lzo", "zstd"]),
    "off",
    "Packets that get shorter by it; the peer need not do so. Their length tells what is in them (VORACLE).",
  ),
  transport: key(
    v.picklist(["datagram", "udt"]),
    "datagram",
    "datagram: what the link loses is lost inside, too. udt: the tunnel repairs it.",
  ),
  repair: key(
    v.strictObject({
      rate: key(
        v.nullable(bandwidth),
        null,
        "A pace that nothing changes, for a link that is ours alone; by default what it carries.",
      ),
      patience: key(
        v.pipe(duration, v.minValue(MIN_PATIENCE_MS)),
        "3s",
        "What is older is not repeated any more.",
      ),
      fec: key(
        v.nullable(
          v.pipe(
            v.strictObject({
              data: key(
                v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(MOST_DATA)),
                10,
                "So many datagrams, each of which goes once.",
              ),
              parity: key(
                v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_DATA)),
                1,
                "Behind them so many more: as many lost in a row need not be repeated.",
              ),
            }),
            v.check(({ data, parity }) => parity <= data, "expected no more parity than data"),
          ),
        ),
        null,
        "Parity, where a round trip more is worse than what it takes from the link; each end decides for itself.",
      ),
    }),
    {},
    "With `transport: udt`, the same at both ends or not.",
  ),
  allow: key(
    v.nullable(cidrList),
    null,
    "Addresses that the peer may speak from; by default `remote` and `routes`.",
  ),
  routes: key(oneOrMany<Cidr>(cidr), [], "Networks behind the peer."),
  kill_switch: key(
    bool,
    false,
    "What `routes` are for goes no other way while the tunnel is down, nor after a crash; until a stop.",
  ),
  metric: v.optional(
    v.pipe(
      metric,
      v.description("Which of several tunnels with a route takes it: the lowest one that lives."),
    ),
    {},
  ),
  relay: key(
    v.nullable(v.string()),
    null,
    "The tunnel to whose peer goes what this peer sends to it: sealed between the two, not opened here.",
  ),
  keepalive: key(duration, 0, "With `wireguard`: something is sent at least so often; 0: never."),
  probe: key(
    v.strictObject({
      interval: key(
        v.pipe(duration, v.minValue(MIN_PROBE_MS)),
        "500ms",
        "Time between two questions to the peer: is it there, how far, what is lost.",
      ),
      dead: key(
        v.pipe(duration, v.minValue(MIN_PROBE_MS)),
        "2500ms",
        "Nothing heard for so long: routes go, and are back with the peer.",
      ),
    }),
    {},
    "How the path is watched. A peer that speaks WireGuard cannot be asked.",
  ),
  mss_clamp: key(bool, true, "Tell TCP through the tunnel what fits into it."),
  pmtu: key(bool, true, "Find out what the path carries, and use less when that is less."),
  resolve: key(duration, "60s", "A peer that is silent is looked up again so often."),
  scripts: key(
    v.strictObject({ up: script, down: script, route_change: script }),
    {},
    "Programs that are run when something has changed.",
  ),
});

const tunnel = v.pipe(
  keys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { value } = dataset;
    const wrong = misfit(value);
    if (wrong !== undefined)
      addIssue({ message: wrong.message, path: pathTo(value, ...wrong.path) });
  }),
);

type Keys = v.InferOutput<typeof keys>;
/** One tunnel. Durations are milliseconds. */
export type TunnelConfig = Keys;
/** One with keys: all but `legacy`. */
export type KeyedConfig = Keys & {
  readonly key: NonNullable<Keys["key"]>;
  readonly peer_key: string;
};

export function hasKeys(one: TunnelConfig): one is KeyedConfig {
  return one.key !== null && one.peer_key !== null;
}

/** The whole section. */
export const tunnelSchema = v.record(v.pipe(v.string(), v.nonEmpty()), tunnel);
export type TunnelsConfig = v.InferOutput<typeof tunnelSchema>;

/** The name of its device. */
export function deviceOf(name: string, one: Pick<Keys, "device">): string {
  return one.device ?? name;
}

/** 32 bytes in base64, as `wg` writes them. */
export function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);
}
