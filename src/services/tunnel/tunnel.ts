/** Networks over networks: devices whose wire leads, sealed, to another machine. */
import { createHash } from "node:crypto";

import { closest } from "../../core/suggest.ts";
import type { Listen } from "../../net/listen.ts";
import type { Complaint, Host, Instance, Service } from "../service.ts";
import { actionsOf } from "./actions.ts";
import { deviceOf, hasKeys, tunnelSchema, type TunnelsConfig } from "./config.ts";
import { TunnelEnd } from "./end.ts";
import { keyProblem } from "./identity.ts";
import type { Link } from "./link.ts";
import { type Member, prepareMember, statusOf } from "./member.ts";
import { Meters } from "./meters.ts";
import { socketOf, socketsOf, workerFor } from "./placement.ts";
import { isDevice } from "./scalars.ts";
import { warningFor } from "./warning.ts";

export const tunnel: Service<TunnelsConfig> = {
  name: "tunnel",
  about: "networks over networks: sealed, fast, with routes that know the way; WireGuard too",
  levels: [
    "mtu",
    "handshakeAt",
    "heardAt",
    "rttMs",
    "variationMs",
    "lossOut",
    "lossIn",
    "metric",
    "repairs.pace",
  ],
  schema: tunnelSchema,
  prepare,
  check,
  advises,
  listens,
};

async function prepare(config: TunnelsConfig, host: Host): Promise<Instance> {
  const ends: Member[] = [];
  const { index, count } = host.worker;
  const sockets = socketsOf(config);
  const together = new Set(sockets.values());
  try {
    for (const [place, [name, one]] of Object.entries(config).entries())
      if (workerFor(sockets.get(socketOf(name, one)) ?? name, together, count) === index)
        ends.push(await prepareMember(name, one, host, place));
  } catch (failed) {
    await Promise.all(ends.map((end) => end.stop()));
    throw failed;
  }
  const meters = new Meters(ends, host.metrics);

  return {
    start() {
      for (const end of ends) {
        end.start();
        if (end instanceof TunnelEnd) end.link.relay = linkOf(ends, end.config.relay);
        host.log.info("a tunnel is ready", {
          tunnel: end.name,
          device: end.device,
          listen: end.hub.name,
        });
      }
      meters.start();
    },
    stats: () => Object.fromEntries(ends.map((end) => [end.name, { ...statusOf(end) }])),
    listeners: () =>
      ends
        .filter((end) => end.config.listen !== null)
        .map((end) => ({
          listener: `udp ${end.hub.name}`,
          port: end.hub.port,
          sites: [`tunnel ${end.name}`],
        })),
    async stop() {
      meters.stop();
      await Promise.all(ends.map((end) => end.stop()));
    },
    actions: actionsOf(config, ends),
  };
}

function linkOf(ends: readonly Member[], name: string | null): Link | undefined {
  const end = name === null ? undefined : ends.find((one) => one.name === name);
  return end instanceof TunnelEnd ? end.link : undefined;
}

function listens(config: TunnelsConfig): Listen[] {
  const seen = new Set<string>();
  return Object.entries(config).flatMap(([name, one]): Listen[] => {
    const at = socketOf(name, one);
    // Tunnels share an address.
    if (one.listen === null || seen.has(at)) return [];
    seen.add(at);
    return [{ path: ["tunnel", name, "listen"], address: one.listen, protocol: "udp" }];
  });
}

/** What the config allows and nobody should want without knowing. */
function advises(config: TunnelsConfig): Complaint[] {
  return Object.entries(config).flatMap(([name, one]) => {
    const message = warningFor(one);
    const at = one.legacy ? "legacy" : "compress";
    return message === undefined ? [] : [{ path: ["tunnel", name, at], message }];
  });
}

/** Keys that are some, and devices and peers that can be told apart. */
function check(config: TunnelsConfig): Complaint[] {
  const complaints: Complaint[] = [];
  const devices = new Map<string, string>();
  const peers = new Map<string, string>();
  for (const [name, one] of Object.entries(config)) {
    const complain = (at: string, message: string): void =>
      void complaints.push({ path: ["tunnel", name, at], message });
    const wrong = hasKeys(one) ? keyProblem(one) : undefined;
    if (wrong !== undefined) complain(wrong.at, wrong.message);
    const device = deviceOf(name, one);
    if (!isDevice(device))
      complain("device", `"${device}" can be no device: up to 15 letters, digits and . _ -`);
    const place = JSON.stringify([one.netns, device]);
    const other = devices.get(place);
    if (other !== undefined) complain("device", `${device} is the device of ${other}`);
    devices.set(place, name);
    const socket = socketOf(name, one);
    const others = Object.entries(config).filter(([other, two]) => socketOf(other, two) === socket);
    if (one.legacy && others.some(([, two]) => !two.legacy))
      complain("listen", "3wdd's protocol can have no address together with ours");
    const odd = relayProblem(config, name);
    if (odd !== undefined) complain("relay", odd);
    if (!hasKeys(one)) continue;
    const who = createHash("sha256")
      .update(JSON.stringify([socket, one.wireguard, one.key.reveal(), one.peer_key]))
      .digest("hex");
    const twin = peers.get(who);
    if (twin !== undefined)
      complain("peer_key", `${twin} has the same peer at the same address with the same key`);
    peers.set(who, name);
  }
  return complaints;
}

/** What is wrong with the `relay` of the tunnel `name`. */
function relayProblem(config: TunnelsConfig, name: string): string | undefined {
  const to = config[name]?.relay ?? null;
  if (to === null) return undefined;
  const other = Object.hasOwn(config, to) ? config[to] : undefined;
  if (other === undefined) {
    const near = closest(to, Object.keys(config));
    return `there is no tunnel "${to}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
  }
  if (to === name) return "a tunnel cannot be passed on to itself";
  if (other.legacy) return `${to} speaks 3wdd's protocol, and can be passed nothing`;
  if (other.relay !== name) return `nothing would come back: ${to} needs \`relay: ${name}\``;
  return undefined;
}
