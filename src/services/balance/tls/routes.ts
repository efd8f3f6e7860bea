import type { ClientHello } from "../../../wire/tls/client-hello.ts";

export interface RouteTable {
  /** Groups by name: `a.example`, `*.a.example` (any name below, however deep), `*`. */
  readonly sni: Readonly<Record<string, string>>;
  /** Groups by protocol. */
  readonly alpn_routes: Readonly<Record<string, string>>;
}

/** The group a ClientHello asks for: by protocol, then by the nearest name. Undefined: none in particular. */
export function routeOf(
  hello: ClientHello,
  { sni, alpn_routes: alpn }: RouteTable,
): string | undefined {
  for (const name of hello.alpn) if (Object.hasOwn(alpn, name)) return alpn[name];
  const name = hello.serverName;
  if (name !== undefined) {
    if (Object.hasOwn(sni, name)) return sni[name];
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const below = `*${name.slice(dot)}`;
      if (Object.hasOwn(sni, below)) return sni[below];
    }
  }
  return Object.hasOwn(sni, "*") ? sni["*"] : undefined;
}
