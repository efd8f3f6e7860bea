import { createCipheriv, createDecipheriv } from "node:crypto";

import type { Blocks } from "../../../wire/3wdd/ciphers.ts";

const AES = { name: "aes-256-ecb", size: 16, iv: null } as const;
/** It is asked for an IV that ECB does not use. */
const BLOWFISH = { name: "bf-ecb", size: 8, iv: new Uint8Array(8) } as const;

/** 3wdd's block ciphers with `key`, whose 32 characters are its bytes. */
export function blocksOf(cipher: "aes" | "blowfish", key: string): Blocks {
  const { name, size, iv } = cipher === "aes" ? AES : BLOWFISH;
  const bytes = Buffer.from(key, "latin1");
  // Without padding each call gives what it was given: one cipher does for all of them.
  const forth = createCipheriv(name, bytes, iv).setAutoPadding(false);
  const back = createDecipheriv(name, bytes, iv).setAutoPadding(false);
  return {
    size,
    encrypt: (blocks) => forth.update(blocks),
    decrypt: (blocks) => back.update(blocks),
  };
}
