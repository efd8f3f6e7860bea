import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import type { Certificate, Certificates } from "../../src/net/certificates.ts";
import { noCertificates } from "../../src/net/certificates.ts";
import { Fronts } from "../../src/net/fronts/fronts.ts";
import { DEFAULT_LIMITS, type HttpFronts, type Site } from "../../src/net/http-fronts.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { reactor } from "../../src/net/reactor-loop.ts";
import { type Log, silent } from "../../src/observe/log.ts";
import { Registry } from "../../src/observe/registry.ts";

/** Real listeners on free loopback ports. */
export function realFronts(
  certificate?: Certificate,
  certificates?: Partial<Certificates>,
  log: Log = silent,
): Fronts {
  return new Fronts({
    reactor: reactor(),
    sockets: new LocalSockets(),
    certificates: { ...noCertificates, find: () => certificate, version: 1, ...certificates },
    log,
    metrics: new Registry(),
    accessLog: undefined,
  });
}

export interface Serving {
  readonly port: number;
  close(): Promise<void>;
}

/** Serve `site` on a free loopback port. */
export async function serving(
  fronts: Fronts & HttpFronts,
  site: Pick<Site, "handler"> & Partial<Site>,
): Promise<Serving> {
  const before = new Set(fronts.stats().map((s) => s.port));
  const attached = await fronts.attach({
    name: "test",
    listen: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    socket: DEFAULT_SOCKET,
    hosts: ["*"],
    tls: false,
    http2: true,
    http3: false,
    pipelining: true,
    limits: DEFAULT_LIMITS,
    ...site,
  });
  attached.open();
  const port = fronts.stats().find((s) => !before.has(s.port))?.port ?? 0;
  return { port, close: () => attached.close(AbortSignal.timeout(2000)) };
}
