import { parseIp } from "../../core/ip.ts";
import { CIPHERS as OLD_CIPHERS } from "../../wire/3wdd/ciphers.ts";
import type { TunnelConfig } from "./config.ts";
import { roleOf } from "./role.ts";

/** What cannot be together. */
export function misfit(
  one: TunnelConfig,
): { path: [string, ...string[]]; message: string } | undefined {
  const is = roleOf(one);
  if (is === "client" && one.peer === null)
    return { path: ["role"], message: "a client needs `peer`: whom it is to reach" };
  if (is === "server" && one.listen === null)
    return { path: ["role"], message: "a server needs `listen`: where it is to be reached" };
  if (one.listen?.kind === "unix")
    return { path: ["listen"], message: "expected an address with a port: tunnels are UDP" };
  if (one.legacy) return oldMisfit(one);
  if (one.key === null) return { path: ["key"], message: "a tunnel needs our private key" };
  if (one.peer_key === null)
    return { path: ["peer_key"], message: "a tunnel needs the peer's public key" };
  if (one.cipher !== "noise")
    return {
      path: ["cipher"],
      message: `${one.cipher} was 3wdd's, and protects nobody; \`noise\` is what there is`,
    };
  if (one.compress !== "off" && one.wireguard)
    return { path: ["compress"], message: "WireGuard's peers know nothing of compression" };
  if (one.transport !== "datagram" && one.wireguard)
    return { path: ["transport"], message: "WireGuard's peers know nothing of `udt`" };
  if (one.probe.dead < 2 * one.probe.interval)
    return { path: ["probe", "dead"], message: "expected at least twice `interval`" };
  return undefined;
}

/** What a tunnel to an old 3wdd cannot be. */
function oldMisfit(one: TunnelConfig): { path: [string]; message: string } | undefined {
  if (one.wireguard)
    return { path: ["legacy"], message: "`wireguard` is another protocol: only one is spoken" };
  if (!OLD_CIPHERS.some((name) => name === one.cipher))
    return {
      path: ["cipher"],
      message: `3wdd has no ${one.cipher}: expected one of ${OLD_CIPHERS.join(", ")}`,
    };
  if (one.token === null)
    return { path: ["token"], message: "3wdd needs a `token`, which both ends know" };
  if (one.relay !== null)
    return { path: ["relay"], message: "what 3wdd seals is for us: there is nothing to pass on" };
  if (one.compress === "zstd")
    return { path: ["compress"], message: "3wdd has no zstd: expected off, zlib or lzo" };
  if (one.peer !== null && parseIp(one.peer.host)?.version === 6)
    return { path: ["peer"], message: "3wdd's login has room for IPv4 only" };
  return undefined;
}
