import { createHash, scryptSync } from "node:crypto";

import { deviceOf, isKey, type KeyedConfig } from "./config.ts";

/** Keys of a tunnel, as bytes. */
export interface Keys {
  readonly privateKey: Uint8Array;
  readonly peerKey: Uint8Array;
  /** Zeros when there is no token. */
  readonly presharedKey: Uint8Array;
}

/** Of scrypt (RFC 7914): some 50 ms and 32 MB, once per config; a token that is a word takes years to guess. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const SALT = "tern tunnel token";
const KEY = 32;

/** What is wrong with them, and with which; undefined: nothing. Files have been read by now. */
export function keyProblem({
  key,
  token,
  wireguard,
}: Pick<KeyedConfig, "key" | "token" | "wireguard">):
  { readonly at: "key" | "token"; readonly message: string } | undefined {
  if (!isKey(key.reveal()))
    return {
      at: "key",
      message: "expected a private key: 32 bytes in base64, from `tern tunnel genkey`",
    };
  if (token !== null && wireguard && !isKey(token.reveal()))
    return {
      at: "token",
      message: "with `wireguard` expected 32 bytes in base64, from `tern tunnel genpsk`",
    };
  return undefined;
}

/** The keys of a config that `keyProblem` has nothing against. */
export function keysOf(config: KeyedConfig): Keys {
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
  const token = config.token?.reveal();
  return {
    privateKey: bytes(config.key.reveal()),
    peerKey: bytes(config.peer_key),
    presharedKey:
      token === undefined
        ? new Uint8Array(KEY)
        : isKey(token)
          ? bytes(token)
          : Uint8Array.from(scryptSync(token, SALT, KEY, COST)),
  };
}

/** The same for configs whose conversations with the peer can be one: a reload goes on with it. */
export function conversationId(name: string, config: KeyedConfig): string {
  const { key, peer_key: peerKey, token, wireguard, listen, peer } = config;
  const parts = [name, key.reveal(), peerKey, token?.reveal() ?? "", wireguard, listen, peer];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** The same for configs that can go on with one device. */
export function deviceId(name: string, config: KeyedConfig): string {
  const { netns, wireguard, transport, mtu, repair } = config;
  const repaired = transport === "udt" ? { mtu, ...repair } : "uncut";
  return JSON.stringify([deviceOf(name, config), netns, wireguard ? "packets" : repaired]);
}
