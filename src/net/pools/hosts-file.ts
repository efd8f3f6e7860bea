import { parseIp } from "../../core/ip.ts";

/** Addresses that a hosts file (hosts(5)) has for a name, in its order. */
export function addressesIn(file: string, name: string): string[] {
  const asked = name.toLowerCase().replace(/\.$/, "");
  return file.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const meant = parseIp(address) && names.some((one) => one.toLowerCase() === asked);
    return meant ? [address] : [];
  });
}
