/** The keys of a balance service that are about TLS. */
import * as v from "valibot";

import { key } from "../../../config/key.ts";
import { scalar } from "../../../config/scalar.ts";
import { path } from "../../../config/scalars.ts";
import { backendTls, tlsVersion } from "../../../config/tls.ts";

const PATTERN = /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/;
const pattern = scalar('a name such as "a.example", "*.a.example" or "*"', (text) => {
  const name = text.toLowerCase().replace(/\.$/, "");
  return PATTERN.test(name) ? name : undefined;
});

/** RFC 7301, 3.1: one to 255 bytes. */
const protocolName = v.pipe(v.string(), v.minLength(1), v.maxLength(255));

const pemFile = v.nullable(path);

/** They stand among the others of a service. */
export const tlsKeys = {
  alpn: key(
    v.array(protocolName),
    [],
    "terminate: protocols offered, the best first. What a client agrees on is asked of servers that speak TLS.",
  ),
  min_version: key(
    v.nullable(tlsVersion),
    null,
    "terminate: the oldest version spoken; null: that of `tls:`.",
  ),
  client_ca: key(pemFile, null, "terminate: PEM file of who issues the certificates of clients."),
  client_verify: key(
    v.picklist(["require", "optional"]),
    "require",
    "With client_ca: optional lets clients without a certificate in, none with a bad one.",
  ),
  sni: key(
    v.record(pattern as v.GenericSchema<string, string>, v.string()),
    {},
    "Groups by the name that a client asks for; any other goes to the enabled group.",
  ),
  alpn_routes: key(
    v.record(protocolName, v.string()),
    {},
    "Groups by a protocol that a client offers; they come before `sni`.",
  ),
  backend_tls: key(v.nullable(backendTls), null, "Speak TLS with the servers."),
};

/** What these keys need of each other; undefined when all is well. */
export function misfit(config: {
  readonly tls: "off" | "terminate" | "pass";
  readonly protocol: "tcp" | "udp";
  readonly alpn: readonly string[];
  readonly min_version: string | null;
  readonly client_ca: string | null;
  readonly sni: object;
  readonly alpn_routes: object;
  readonly backend_tls: object | null;
  readonly send_proxy: "off" | "v1" | "v2";
}): { key: string; message: string } | undefined {
  const { tls, protocol } = config;
  const needsTls = (key: string) => ({ key, message: "needs `tls: terminate`" });
  const any = (of: object): boolean => Object.keys(of).length > 0;
  if (protocol === "udp") {
    if (tls !== "off") return { key: "tls", message: "not with `protocol: udp`" };
    if (config.backend_tls) return { key: "backend_tls", message: "not with `protocol: udp`" };
    if (config.send_proxy !== "off")
      return { key: "send_proxy", message: "not with `protocol: udp`" };
  }
  if (tls !== "terminate") {
    if (config.client_ca !== null) return needsTls("client_ca");
    if (config.alpn.length > 0) return needsTls("alpn");
    if (config.min_version !== null) return needsTls("min_version");
  }
  if (tls === "off") {
    const message = "needs `tls: pass` or `tls: terminate`";
    if (any(config.sni)) return { key: "sni", message };
    if (any(config.alpn_routes)) return { key: "alpn_routes", message };
  }
  if (tls === "pass" && config.backend_tls)
    return { key: "backend_tls", message: "the client's TLS passes through already (`tls: pass`)" };
  return undefined;
}
