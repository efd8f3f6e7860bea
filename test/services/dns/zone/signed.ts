import { join } from "node:path";

import { $ } from "bun";

export const haveSigners =
  Bun.which("ldns-signzone") !== null && Bun.which("dnssec-signzone") !== null;

/** How what is not there is proved. */
export type Signing = "nsec" | "nsec3" | "opt-out";

/** Sign a master file with a new key (ECDSA P-256); the signed one's path. */
export async function sign(
  directory: string,
  origin: string,
  file: string,
  how: Signing,
): Promise<string> {
  const out = `${file}.signed`;
  if (how === "opt-out") {
    // ldns sets the flag but leaves no name out.
    const key = ["-q", "-a", "ECDSAP256SHA256", "-K", directory];
    await $`dnssec-keygen ${key} -f KSK ${origin} && dnssec-keygen ${key} ${origin}`.quiet();
    const flags = ["-S", "-A", "-3", "abcd", "-H", "5", "-K", directory, "-d", directory];
    await $`dnssec-signzone ${flags} -o ${origin} -f ${out} ${file}`.quiet();
    return out;
  }
  const flags = how === "nsec3" ? ["-n", "-t", "0"] : [];
  const key = await $`cd ${directory} && ldns-keygen -a ECDSAP256SHA256 -k ${origin}`.text();
  await $`ldns-signzone ${flags} -f ${out} ${file} ${join(directory, key.trim())}`.quiet();
  return out;
}
