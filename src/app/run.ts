import type { ClusterConfig } from "../config/cluster.ts";
import { ConfigError } from "../config/problem.ts";
import { systemClock } from "../core/clock.ts";
import { Cluster, type Seat } from "../net/cluster/cluster.ts";
import { Prober } from "../net/health/prober.ts";
import { probes } from "../net/health/probes/probes.ts";
import type { Inherited } from "../net/held-socket.ts";
import { LocalSockets } from "../net/local-sockets.ts";
import { reactor } from "../net/reactor-loop.ts";
import type { Tallies } from "../net/tally/tallies.ts";
import { Journal } from "../observe/journal.ts";
import { Registry } from "../observe/registry.ts";
import { inheritedSockets } from "../sys/activation.ts";
import { fileThreads, openFileLimit } from "../sys/process.ts";
import { AdminServers } from "./admin-servers.ts";
import { answers } from "./already-running.ts";
import { adminFetch, type ApplianceParts, statusOf } from "./appliance.ts";
import { CertificateOffice } from "./certificates.ts";
import { type Config, type ConfigPlace, readConfig, readConfigText } from "./config-text.ts";
import { explainError, Failure } from "./failure.ts";
import { FILE_THREADS } from "./file-threads.ts";
import { firstConfig } from "./first-config.ts";
import { listenToSignals } from "./life.ts";
import { Logs } from "./logs.ts";
import { crewSize, makeCrew } from "./make-crew.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges, userName } from "./privileges.ts";
import { problemsOf } from "./problems.ts";
import { Running } from "./running.ts";
import { settle } from "./settle.ts";
import { makeStateDir, warnOfOpenState } from "./state-dir.ts";
import type { Status } from "./status.ts";
import { StuckClients } from "./stuck-clients.ts";
import { supervisorGauges } from "./supervisor-gauges.ts";
import { Supervisor } from "./supervisor.ts";
import { ServiceManager } from "./systemd.ts";
import { type TakenOver, takeOver } from "./take-over.ts";
import { talliesIn, tallyMemory } from "./tally-memory.ts";

/** Events remembered for whoever looks in: a day of quiet, or an hour of trouble. */
const JOURNAL = 2000;

export interface RunOptions {
  readonly place: ConfigPlace;
  /** How this process was called, without the program itself: for an upgrade. */
  readonly args: readonly string[];
  /** Called once everything serves. */
  announce(status: Status, logs: Logs): void;
}

/**
 * The whole life of the appliance: resolves with an exit code when it has ended. Rejects with
 * ConfigError or Failure when it cannot begin.
 */
export async function run(options: RunOptions): Promise<number> {
  fileThreads(FILE_THREADS);
  const replaced = await takeOver();
  try {
    return await live(options, replaced);
  } catch (failed) {
    await replaced?.failed(explainError(failed));
    throw failed;
  }
}

async function live(options: RunOptions, replaced: TakenOver | undefined): Promise<number> {
  const { place, args } = options;
  const { config, before } = firstConfig(place, replaced?.carried);
  const { root } = config;
  if (!replaced && (await answers(root.admin.socket)))
    throw new Failure(`tern is running already: somebody answers on ${root.admin.socket}`);
  openFileLimit();
  makeStateDir(root.state);
  const sockets = new LocalSockets([...(replaced?.sockets ?? []), ...activated()]);
  const dropped = dropPrivileges(config, sockets);

  const registry = new Registry();
  const journal = new Journal(JOURNAL);
  journal.inherit(replaced?.journal ?? []);
  const logs = new Logs(root, registry, undefined, journal);
  const { log } = logs;
  process.on("unhandledRejection", (error) => log.error("a promise was left alone", { error }));
  process.on("uncaughtException", (error) => log.error("an error nobody caught", { error }));
  if (dropped.kind === "no such user") {
    const { user } = root;
    log.warn("started as root and stays root: there is no such user to become", { user });
  }
  warnOfOpenState(root.state, log);
  for (const warning of config.warnings) log.warn(warning);

  const prober = new Prober({
    clock: systemClock,
    wall: Date.now,
    dice: Math.random,
    log: log.with({ service: "health" }),
    metrics: registry,
    probeFor: probes(reactor()),
  });
  const cluster = new Cluster({
    clock: systemClock,
    wall: Date.now,
    log: log.with({ service: "cluster" }),
    metrics: registry,
    own: prober,
  });
  cluster.change(seatOf(root.cluster));
  const { health } = cluster;
  const stuck = new StuckClients(systemClock, replaced?.stuck);
  const memory = tallyMemory(replaced?.memory, log);
  let tallies: Tallies | undefined;
  const certificates = new CertificateOffice(root.state, log);
  const first = await begin(config, () =>
    Supervisor.prepare(
      {
        logs,
        registry,
        certificates,
        cluster: { change: (next) => cluster.change(seatOf(next)) },
        read: () => readConfig(place),
        readText: (text, { source }) => readConfigText(place, text, source.files),
        makeCrew: (next) =>
          makeCrew(next, {
            logs,
            journal,
            registry,
            sockets,
            health,
            stuck,
            memory,
            tallies: () => (tallies ??= talliesIn(memory, 1)),
            store: certificates.store,
          }),
        crewSize: ({ root }) => crewSize(root),
      },
      config,
      before,
    ),
  );
  const { supervisor } = first;
  supervisorGauges(registry, supervisor);
  const manager = new ServiceManager(log);
  const pid = new PidFile(root.state);
  const running = new Running({
    supervisor,
    sockets,
    logs,
    journal,
    stuck,
    memory,
    manager,
    pid,
    args,
    servers: () => servers,
  });
  const appliance: ApplianceParts = {
    supervisor,
    certificates,
    place,
    cluster,
    log,
    journal,
    user: userName(root),
    servers: () => servers.listeners,
    reload: (who) => running.reload(who),
    reopen: () => running.reopen(),
    stop: () => running.stop(),
    upgrade: () => running.upgrade(),
  };
  const servers = new AdminServers(adminFetch(appliance), certificates.store);
  try {
    await (await servers.prepare(root.admin, replaced !== undefined)).commit();
  } catch (failed) {
    await first.abandon();
    throw failed;
  }
  supervisor.administer(servers);
  await first.commit();

  for (const address of sockets.closeUnclaimed())
    log.warn("an inherited socket is in no listen: closed", { address });
  pid.write();
  await replaced?.ready();
  const deaf = listenToSignals(running, log);
  manager.tell({ ready: true, status: "serving" });
  manager.watch();
  options.announce(await statusOf(appliance), logs);
  settle();

  const code = await running.ended();
  await cluster.close();
  deaf();
  return code;
}

function seatOf(cluster: ClusterConfig | undefined): Seat | undefined {
  return cluster && { ...cluster, url: cluster.redis.reveal() };
}

/** Sockets that systemd made for us; their unix paths stay its own. */
function activated(): Inherited[] {
  return inheritedSockets().map(({ fd, address }) => ({ fd, address, lent: true }));
}

/** What a service says of its own section is said of the file, at its place. */
async function begin<T>(config: Config, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    const { source } = config;
    const problems = problemsOf(cause, source.file, source);
    if (problems.some((problem) => problem.path !== "")) throw new ConfigError(problems);
    throw new Failure(explainError(cause), { cause });
  }
}
