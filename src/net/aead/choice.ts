import { readFileSync } from "node:fs";

import type { Aead, AeadName } from "./aead.ts";
import { libcryptoAead } from "./libcrypto-aead.ts";
import { nobleChacha } from "./noble-chacha.ts";
import { nodeGcm } from "./node-gcm.ts";

/** The fastest this machine has of a cipher. */
export function aead(name: AeadName): Aead {
  return libcryptoAead(name) ?? (name === "aes-256-gcm" ? nodeGcm : nobleChacha);
}

/** The cipher to be preferred on this machine. */
export function preferredAead(): AeadName {
  return preferred(cpuHasAes(cpuInfo()), libcryptoAead("chacha20-poly1305") !== undefined);
}

/** Without AES instructions ChaCha20 is the faster one, unless it is done in JavaScript. */
export function preferred(aes: boolean, libcrypto: boolean): AeadName {
  return aes || !libcrypto ? "aes-256-gcm" : "chacha20-poly1305";
}

/** Does /proc/cpuinfo know of instructions for AES? x86 has flags, ARM features. */
export function cpuHasAes(cpuinfo: string): boolean {
  return /^(?:flags|Features)\s*:.* aes(?: |$)/m.test(cpuinfo);
}

function cpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "latin1");
  } catch {
    return ""; // no /proc
  }
}
