import { adminApp } from "../admin/app.ts";
import type { AdminDeps, AdminService, ReloadOutcome, Shown } from "../admin/deps.ts";
import { type Address, showAddress } from "../core/address.ts";
import { systemClock } from "../core/clock.ts";
import type { Cluster } from "../net/cluster/cluster.ts";
import type { Journal } from "../observe/journal.ts";
import type { Log } from "../observe/log.ts";
import { expose } from "../observe/prometheus.ts";
import type { AdminFetch } from "./admin-server.ts";
import type { CertificateOffice } from "./certificates.ts";
import { changeForms, makeChange } from "./changes.ts";
import { Desk } from "./config-desk.ts";
import { type ConfigPlace, showPlace } from "./config-text.ts";
import type { Member } from "./crew.ts";
import { listenerStatus, workerStatus } from "./members.ts";
import { merge } from "./merge.ts";
import { SERVICES } from "./services.ts";
import type { CertificateStatus, Status, WorkerStatus } from "./status.ts";
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
  readonly journal: Journal;
  readonly reload: (who: string) => Promise<ReloadOutcome>;
  readonly reopen: () => void;
  readonly stop: () => void;
  /** Resolves with the pid of the process that serves now. */
  readonly upgrade: () => Promise<{ pid: number }>;
}

/** The admin API over a running appliance. */
export function adminFetch(parts: ApplianceParts): AdminFetch {
  const app = adminApp(adminDeps(parts));
  return (request, caller) => app.fetch(request, caller);
}

function adminDeps(parts: ApplianceParts): AdminDeps {
  const { supervisor } = parts;
  const forms = changeForms(SERVICES);
  return {
    version: VERSION,
    clock: systemClock,
    log: parts.log,
    access: () => supervisor.config.root.admin,
    status: async () => ({ ...(await statusOf(parts)) }),
    config: new Desk(supervisor, parts.place, parts.log),
    reload: parts.reload,
    reopen: parts.reopen,
    stop: parts.stop,
    upgrade: async () => ({ ...(await parts.upgrade()) }),
    metricsText: async () => expose(await supervisor.metrics()),
    services: () => servicesOf(supervisor),
    run: (service, action, input) => supervisor.crew.act(service, action, input),
    changes: () => forms,
    change: (service, change, input, who) =>
      makeChange(SERVICES, supervisor, { service, change, input }, who),
    journal: parts.journal,
    figures: () => figuresOf(parts),
    health: () => true,
    ready: () =>
      supervisor.crew.serving === supervisor.crew.size && supervisor.state !== "draining",
  };
}

/** Everything `tern status` shows. */
export async function statusOf(parts: ApplianceParts): Promise<Status> {
  return statusWith(parts, await parts.supervisor.crew.members());
}

/** Status, and what every service shows, of one moment. */
async function figuresOf(parts: ApplianceParts): Promise<Shown> {
  const members = await parts.supervisor.crew.members();
  const status = statusWith(parts, members);
  const services = running(parts.supervisor).map(({ name }) => [name, statsOf(name, members)]);
  const sum = (of: (one: WorkerStatus) => number): number =>
    status.workers.reduce((total, one) => total + of(one), 0);
  return {
    at: Date.now(),
    status,
    services: Object.fromEntries(services),
    totals: {
      connections: sum((one) => one.connections),
      requests: sum((one) => one.requests),
      rssBytes: sum((one) => one.rssBytes),
    },
  };
}

function statusWith(parts: ApplianceParts, members: readonly Member[]): Status {
  const { supervisor, place, user, servers, certificates, cluster } = parts;
  return {
    version: VERSION,
    pid: process.pid,
    state: supervisor.state,
    config: showPlace(place),
    generation: supervisor.generation,
    unsaved: supervisor.running.unsaved.length,
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
  return running(supervisor).map(({ name, about, levels = [] }) => ({
    name,
    about,
    levels,
    stats: async () => statsOf(name, await supervisor.crew.members()),
    actions: supervisor.crew.actions[name] ?? {},
  }));
}

function running(supervisor: Supervisor) {
  return SERVICES.filter(({ name }) => supervisor.config.sections[name] !== undefined);
}

function statsOf(name: string, members: readonly Member[]): Shown {
  const all = members.flatMap(({ report }) => report?.stats[name] ?? []);
  return merge(all.length > 0 ? all : [{}]) as Shown; // of objects
}
