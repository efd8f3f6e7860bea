import { showCidr } from "../../core/cidr.ts";
import { showIp } from "../../core/ip.ts";
import { emitWgConf } from "../../wire/tunnel/wg-conf.ts";
import { hasKeys, type TunnelConfig } from "./config.ts";

/** One of our tunnels as the wg0.conf of the same end, keys included. Undefined: it does not speak WireGuard. */
export function exportWg(config: TunnelConfig): string | undefined {
  if (!config.wireguard || !hasKeys(config)) return undefined;
  const { listen, peer, local, remote, mtu, key, peer_key: publicKey, token, keepalive } = config;
  const allowed = [
    ...remote.map((base) => ({ base, bits: base.words.length * 32 })),
    ...(config.allow ?? []),
    ...config.routes,
  ];
  return emitWgConf({
    privateKey: key.reveal(),
    listenPort: listen?.kind === "tcp" && listen.port > 0 ? listen.port : undefined,
    addresses: local.map(({ address, bits }) => `${showIp(address)}/${bits ?? width(address)}`),
    mtu,
    peers: [
      {
        publicKey,
        presharedKey: token?.reveal(),
        allowedIps: [...new Set(allowed.map((one) => withBits(showCidr(one))))],
        endpoint:
          peer === null
            ? undefined
            : `${peer.host.includes(":") ? `[${peer.host}]` : peer.host}:${peer.port}`,
        keepalive: Math.round(keepalive / 1000),
      },
    ],
  });
}

function width({ words }: { readonly words: readonly number[] }): number {
  return words.length * 32;
}

function withBits(text: string): string {
  if (text.includes("/")) return text;
  return `${text}/${text.includes(":") ? 128 : 32}`;
}
