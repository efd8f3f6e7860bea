import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { isKey } from "../services/tunnel/config.ts";
import { EXIT, Exit } from "./exit.ts";
import { print } from "./terminal.ts";

const STDIN = 0;
const KEY = 32;
/** Of a raw X25519 key, as PKCS #8 has it (RFC 8410, 7). */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** `tern tunnel genkey`: a private key, as `wg genkey` makes them. */
export function genkey(): number {
  const key = randomBytes(KEY);
  // The bits that X25519 does not use are always the same (RFC 7748, 5).
  key[0] = (key[0] ?? 0) & 248;
  key[KEY - 1] = ((key[KEY - 1] ?? 0) & 127) | 64;
  print(key.toString("base64"));
  return EXIT.ok;
}

/** `tern tunnel genpsk`: a key for `token`. */
export function genpsk(): number {
  print(randomBytes(KEY).toString("base64"));
  return EXIT.ok;
}

/** `tern tunnel pubkey < edge.key`. */
export function pubkey(): number {
  const text = readFileSync(STDIN, "utf8").trim();
  if (!isKey(text))
    throw new Exit(EXIT.failed, "expected a private key on standard input: 32 bytes in base64");
  print(publicKeyOf(text));
  return EXIT.ok;
}

/** Both in base64. */
export function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([PKCS8, Buffer.from(privateKey, "base64")]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-KEY).toString("base64");
}
