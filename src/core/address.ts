import { parseIp } from "./ip.ts";

/** Where to listen or connect. `host` "" means every address, IPv4 and IPv6. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** `:8080`, `127.0.0.1:80`, `[::1]:80` or `unix:/run/x.sock`: as the config writes it. */
export function showAddress(a: Address): string {
  if (a.kind === "unix") return `unix:${a.path}`;
  return `${a.host.includes(":") ? `[${a.host}]` : a.host}:${a.port}`;
}

/** The inverse of `showAddress`. Port 0 lets the kernel choose. Undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" || path.includes("\0") ? undefined : { kind: "unix", path };
  }
  const [, v6, v4 = "", digits] = /^(?:\[([^\]]+)\]|([\d.]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? v4;
  const port = Number(digits ?? Number.NaN);
  if (!(port <= 65_535)) return undefined;
  if (host !== "" && parseIp(host) === undefined) return undefined;
  return v6 === undefined || v6.includes(":") ? { kind: "tcp", host, port } : undefined;
}
