import type { Closable, Lease } from "../../core/lease.ts";
import { listenerName } from "../../net/sockets.ts";
import type { Host } from "../service.ts";
import { deviceOf, type KeyedConfig } from "./config.ts";
import { Device } from "./device.ts";
import { Fence } from "./fence.ts";
import { Hub } from "./hub.ts";
import { conversationId, deviceId, keysOf } from "./identity.ts";
import { Link } from "./link.ts";
import { PacketCarriage } from "./packet-carriage.ts";
import { socketOf } from "./placement.ts";
import { Port } from "./port.ts";
import { RepairedCarriage } from "./repaired-carriage.ts";
import { UncutCarriage } from "./uncut-carriage.ts";

/** Bytes of datagrams that the kernel may hold for us each way: as wireguard-go has it. */
const SOCKET_BUFFER = 7 * 1024 * 1024;

/** The socket that a tunnel shares with others of its `listen`. Rejects with SysError. */
export function takeHub(name: string, config: KeyedConfig, host: Host): Promise<Lease<Hub>> {
  const owner = `tunnel ${name}`;
  const address = config.listen ?? { kind: "tcp" as const, host: "", port: 0 };
  const key = `tunnel udp ${socketOf(name, config)} ${listenerName(address, owner)}`;
  return take(host, key, async () => {
    const dontFragment = config.pmtu && !config.wireguard;
    const wishes = { reusePort: true, buffer: SOCKET_BUFFER, dontFragment };
    const socket = await host.sockets.takeDatagram(address, wishes, owner);
    return new Hub({ address, socket, reactor: host.reactor });
  });
}

/** The conversation with the peer: goes on as long as keys and addresses stay the same. */
export function takeLink(
  name: string,
  config: KeyedConfig,
  hub: Hub,
  host: Host,
): Promise<Lease<Link>> {
  const { wireguard, keepalive, probe, peer } = config;
  const reaches = peer !== null;
  const { log } = host;
  return take(
    host,
    `tunnel link ${conversationId(name, config)}`,
    async () =>
      new Link({ name, hub, keys: keysOf(config), wireguard, keepalive, probe, reaches, log }),
  );
}

/** Around the tunnel's routes. Rejects with SysError. */
export function takeFence(name: string, config: KeyedConfig, host: Host): Promise<Lease<Fence>> {
  const { netns } = config;
  return take(host, `tunnel fence ${JSON.stringify([name, netns])}`, async () => new Fence(netns));
}

/** The device. Rejects with SysError: EBUSY while somebody else has it. */
export function takePort(name: string, config: KeyedConfig, host: Host): Promise<Lease<Port>> {
  const { netns, wireguard, transport, mtu, repair } = config;
  return take(host, `tunnel device ${deviceId(name, config)}`, async () => {
    const device = new Device(deviceOf(name, config), { netns, offload: !wireguard });
    const { tun } = device;
    return new Port(device, host.reactor, (rules) => {
      if (wireguard) return new PacketCarriage(tun, rules);
      if (transport === "datagram") return new UncutCarriage(tun, rules);
      return new RepairedCarriage(tun, rules, host.reactor, { mtu, ...repair });
    });
  });
}

function take<T extends Closable>(
  host: Host,
  key: string,
  make: () => Promise<T>,
): Promise<Lease<T>> {
  return host.leases.take(key, make) as Promise<Lease<T>>; // made under that name
}
