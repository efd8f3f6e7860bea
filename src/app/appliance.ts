import { adminApp } from "../admin/app.ts";
import type { AdminDeps, AdminService, ReloadOutcome } from "../admin/deps.ts";
import { masked } from "../config/mask.ts";
import { type Address, showAddress } from "../core/address.ts";
import { systemClock } from "../core/clock.ts";
import type { Cluster } from "../net/cluster/cluster.ts";
import type { Log } from "../observe/log.ts";
import { expose } from "../observe/prometheus.ts";
import type { AdminFetch } from "./admin-server.ts";
import type { CertificateOffice } from "./certificates.ts";
import { type ConfigPlace, showPlace } from "./config-text.ts";
import { listenerStatus, workerStatus } from "./members.ts";
import { merge } from "./merge.ts";
import { SERVICES } from "./services.ts";
import type { CertificateStatus, Status } from "./status.ts";
import type { Supervisor } from "./supervisor.ts";
import { VERSION } from "./version.ts";

/** What the admin API asks of the program as a whole. */
export interface ApplianceParts {
  readonly supervisor: Supervisor;
  readonly certificates: CertificateOffice;
  readonly cluster: Pick<Cluster, "status">;
  readonly place: ConfigPlace;
  readonly log: Log;
  readonly user: string;
  /** Where the admin API listens. */
  readonly servers: () => readonly Address[];
  readonly reload: () => Promise<ReloadOutcome>;
  readonly stop: () => void;
  /** Resolves with the pid of the process that serves now. */
  readonly upgrade: () => Promise<{ pid: number }>;
}

/** The admin API over a running appliance. */
export function adminFetch(parts: ApplianceParts): AdminFetch {
  const app = adminApp(adminDeps(parts));
  return (request, caller) => app.fetch(request, caller);
}

export function adminDeps(parts: ApplianceParts): AdminDeps {
  const { supervisor } = parts;
  return {
    version: VERSION,
    clock: systemClock,
    log: parts.log,
    access: () => supervisor.config.root.admin,
    status: async () => ({ ...(await statusOf(parts)) }),
    maskedConfig: () => masked(supervisor.config.source.text),
    reload: parts.reload,
    stop: parts.stop,
    upgrade: async () => ({ ...(await parts.upgrade()) }),
    metricsText: async () => expose(await supervisor.metrics()),
    services: () => servicesOf(supervisor),
    run: (service, action, input) => supervisor.crew.act(service, action, input),
    health: () => true,
    ready: () =>
      supervisor.crew.serving === supervisor.crew.size && supervisor.state !== "draining",
  };
}

/** Everything `tern status` shows. */
export async function statusOf(parts: ApplianceParts): Promise<Status> {
  const { supervisor, place, user, servers, certificates, cluster } = parts;
  const members = await supervisor.crew.members();
  return {
    version: VERSION,
    pid: process.pid,
    state: supervisor.state,
    config: showPlace(place),
    generation: supervisor.generation,
    startedAt: Math.round(performance.timeOrigin),
    user,
    admin: servers().map(showAddress),
    lastReload: supervisor.lastReload,
    workers: members.map(workerStatus),
    listeners: listenerStatus(members),
    certificates: certificatesOf(certificates),
    cluster: cluster.status,
  };
}

function certificatesOf(office: CertificateOffice): CertificateStatus[] {
  const { files, acme } = office.status ?? { files: [], acme: [] };
  return [
    ...files.map(({ names, expires }) => ({ names, from: "file" as const, expires })),
    ...acme.map(({ name, expires }) => ({ names: [name], from: "acme" as const, expires })),
  ];
}

function servicesOf(supervisor: Supervisor): AdminService[] {
  const running = SERVICES.filter(({ name }) => supervisor.config.sections[name] !== undefined);
  return running.map(({ name, about }) => ({
    name,
    about,
    stats: async () => {
      const members = await supervisor.crew.members();
      const all = members.flatMap(({ report }) => report?.stats[name] ?? []);
      return merge(all.length > 0 ? all : [{}]) as Readonly<Record<string, unknown>>; // of objects
    },
    actions: supervisor.crew.actions[name] ?? {},
  }));
}
