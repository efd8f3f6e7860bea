import { type WgConf, type WgPeer } from "../../wire/tunnel/wg-conf.ts";
import { isKey } from "./config.ts";
import { isDevice } from "./scalars.ts";

/** A `tunnel:` section, and what could not be carried over. */
export interface WgImport {
  readonly yaml: string;
  readonly notes: readonly string[];
}

/** Where wireguard listens when nobody says (wg(8) takes any port then). */
const ANY_PORT = ":0";
/** Both ends of WireGuard may have 1420 over a path of 1500 bytes (wg-quick). */
const WG_MTU = 1420;

/**
 * A wg0.conf as tunnels, one for each peer: they have one socket, but a device each, so what a
 * peer's AllowedIPs were are its routes. `name` is the file's, without its `.conf`.
 */
export function importWg(conf: WgConf, name: string): WgImport {
  const { privateKey = "", peers } = conf;
  const notes = conf.rest.map(({ line, message }) => `${line}: ${message}`);
  if (!isKey(privateKey)) notes.push("no PrivateKey: put one under `key`");
  if (peers.length === 0) notes.push("no peer: no tunnel");
  const blocks = peers.map((peer, i) =>
    tunnelLines(conf, peer, peers.length === 1 ? name : `${name.slice(0, 12)}-${i + 1}`),
  );
  for (const [i, { publicKey = "" }] of peers.entries())
    if (!isKey(publicKey)) notes.push(`peer ${i + 1} has no PublicKey`);
  return { yaml: ["tunnel:", ...blocks.flat(), ""].join("\n"), notes };
}

function tunnelLines(conf: WgConf, peer: WgPeer, wanted: string): string[] {
  const name = isDevice(wanted) ? wanted : "wg0";
  const listen = conf.listenPort === undefined ? undefined : `:${conf.listenPort}`;
  // A network on the wire is one peer's; of several, each has its own addresses.
  const addresses = conf.peers.length === 1 ? conf.addresses : conf.addresses.map(bare);
  const fields: (readonly [string, unknown])[] = [
    ["wireguard", true],
    ["listen", listen ?? (peer.endpoint === undefined ? ANY_PORT : undefined)],
    ["peer", peer.endpoint],
    ["local", addresses],
    ["mtu", conf.mtu ?? WG_MTU],
    ["key", conf.privateKey],
    ["peer_key", peer.publicKey],
    ["token", peer.presharedKey],
    [conf.routes ? "routes" : "allow", peer.allowedIps],
    ["keepalive", peer.keepalive === 0 ? undefined : `${peer.keepalive}s`],
  ];
  return [
    `  ${name}:`,
    ...fields.flatMap(([key, value]) =>
      value === undefined ? [] : [`    ${key}: ${JSON.stringify(value)}`],
    ),
  ];
}

function bare(address: string): string {
  return address.replace(/\/\d+$/, "");
}
