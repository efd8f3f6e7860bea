/** Where to listen or connect. `host` "" means every address, IPv4 and IPv6. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** `:8080`, `127.0.0.1:80`, `[::1]:80` or `unix:/run/x.sock`: as the config writes it. */
export function showAddress(a: Address): string {
  if (a.kind === "unix") return `unix:${a.path}`;
  return `${a.host.includes(":") ? `[${a.host}]` : a.host}:${a.port}`;
}
