/** Authoritative DNS: zones from files, names computed from health, order and place. */
import type { Host, Instance, Service } from "../service.ts";
import { type DnsConfig, dnsSchema } from "./config.ts";
import { DnsServer } from "./server.ts";
import { showZoneProblem } from "./zone-file.ts";

export const dns: Service<DnsConfig> = {
  name: "dns",
  about: "authoritative names: zones from files, answers computed from health, order and place",
  schema: dnsSchema,
  rereads: true,
  prepare,
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
    for (const { name, problems, warnings } of server.zones.all) {
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
    async stop(deadline) {
      await Promise.all(servers.map((server) => server.stop(deadline)));
    },
  };
}
