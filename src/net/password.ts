import { timingSafeEqual } from "node:crypto";

import { passwordKind } from "../core/password-kind.ts";
import { canCrypt, crypt } from "../sys/crypt.ts";

/** Kinds that the runtime checks itself, in another thread. */
const OWN: readonly string[] = ["argon2id", "bcrypt"];

/**
 * Does this password fit this hash? argon2id and bcrypt are checked beside the traffic; the others
 * by crypt(3), which holds this thread up meanwhile. Rejects for what is no hash, and for an empty
 * password.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const kind = passwordKind(hash);
  if (kind === undefined || OWN.includes(kind)) return Bun.password.verify(password, hash);
  const made = password === "" ? undefined : crypt(password, hash);
  if (made === undefined) return false;
  const [a, b] = [Buffer.from(made), Buffer.from(hash)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Can passwords be checked against this hash on this machine? */
export function canVerify(hash: string): boolean {
  const kind = passwordKind(hash);
  return kind !== undefined && (OWN.includes(kind) || canCrypt(kind));
}
