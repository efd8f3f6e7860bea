/** Authoritative DNS: zones from files, names computed from health, order and place. */
import * as v from "valibot";

import type { Listen } from "../../net/listen.ts";
import type { Host, Instance, Service } from "../service.ts";
import { type DnsConfig, dnsSchema } from "./config.ts";
import { type RollInput, rollKey } from "./rollover.ts";
import { type ServerStatus, serverStatus } from "./server-status.ts";
import { DnsServer } from "./server.ts";
import { showZoneProblem } from "./zone-file.ts";

export const dns: Service<DnsConfig> = {
  name: "dns",
  about: "authoritative names: zones from files, answers computed from health, order and place",
  levels: ["names"],
  schema: dnsSchema,
  rereads: true,
  prepare,
  listens,
};

async function prepare(config: DnsConfig, host: Host): Promise<Instance> {
  const servers: DnsServer[] = [];
  const { log } = host;
  try {
    for (const [name, one] of Object.entries(config))
      servers.push(await DnsServer.prepare(name, one, host));
  } catch (failed) {
    await Promise.all(servers.map((server) => server.stop(AbortSignal.abort())));
    throw failed;
  }
  for (const server of servers)
    for (const { name, version } of server.zones.all) {
      const { problems, warnings } = version;
      for (const problem of problems)
        log.error("a zone is broken: the version before stays in force", {
          zone: name,
          problem: showZoneProblem(problem),
        });
      for (const warning of warnings)
        log.warn("odd in a zone", { zone: name, problem: showZoneProblem(warning) });
    }

  return {
    start() {
      for (const server of servers) server.start();
    },
    stats: () => Object.fromEntries(servers.map((server) => [server.name, server.stats()])),
    listeners: () => servers.flatMap((server) => server.listeners()),
    async stop(deadline) {
      await Promise.all(servers.map((server) => server.stop(deadline)));
    },
    actions: {
      status: {
        about: "zones, computed names, and who is alive since when and why",
        input: v.strictObject({}),
        // All workers know the same: one of them tells.
        run: async (): Promise<Record<string, ServerStatus>> =>
          host.worker.index === 0
            ? Object.fromEntries(servers.map((server) => [server.name, serverStatus(server)]))
            : {},
      },
      state: {
        about:
          "take a record of computed names up, down or to drain, whatever probes say; auto leaves it to them",
        input: v.strictObject({
          record: v.string(),
          to: v.picklist(["up", "down", "drain", "auto"]),
          name: v.optional(v.string()),
          server: v.optional(v.string()),
        }),
        run: (input: StateInput) => setState(servers, input, host),
      },
      roll: {
        about:
          "replace the key of a zone that is signed here: begin makes another, finish leaves only that one, abandon the old one; in force with the next reload",
        input: v.strictObject({
          zone: v.string(),
          step: v.picklist(["begin", "finish", "abandon"]),
          force: v.optional(v.boolean()),
        }),
        run: (input: RollInput) => rollKey(servers, input, host, Date.now()),
      },
    },
  };
}

function listens(config: DnsConfig): Listen[] {
  return Object.entries(config).flatMap(([name, { listen, tls, https }]) => [
    ...listen.flatMap((address, i) => {
      const path = ["dns", name, "listen", i];
      // Datagrams need an address that has a port.
      const udp = address.kind === "tcp" ? [{ path, address, protocol: "udp" as const }] : [];
      return [{ path, address, protocol: "tcp" as const }, ...udp];
    }),
    ...(tls?.listen ?? []).map((address, i) => {
      const path = ["dns", name, "tls", "listen", i];
      return { path, address, protocol: "tcp" as const, certified: true };
    }),
    ...(https?.listen ?? []).map((address, i) => {
      const path = ["dns", name, "https", "listen", i];
      return {
        path,
        address,
        protocol: "tcp" as const,
        http: true,
        certified: https?.tls === true,
      };
    }),
  ]);
}

interface StateInput {
  readonly record: string;
  readonly to: "up" | "down" | "drain" | "auto";
  readonly name?: string | undefined;
  readonly server?: string | undefined;
}

/** How many records it was about: told by one worker, done by all. */
async function setState(
  servers: readonly DnsServer[],
  { record, to, name, server }: StateInput,
  { worker }: Host,
): Promise<{ records: number }> {
  let records = 0;
  for (const one of servers) {
    if (server !== undefined && one.name !== server) continue;
    records += (await one.names?.set(name, record, to === "auto" ? undefined : to)) ?? 0;
  }
  return { records: worker.index === 0 ? records : 0 };
}
