import type { ReloadOutcome } from "../admin/deps.ts";
import { ConfigError } from "../config/problem.ts";
import { type Inherited, LocalSockets } from "../net/local-sockets.ts";
import { Registry } from "../observe/registry.ts";
import { inheritedSockets } from "../sys/activation.ts";
import { openFileLimit } from "../sys/process.ts";
import { AdminServers } from "./admin-servers.ts";
import { answers } from "./already-running.ts";
import { adminFetch, type ApplianceParts, statusOf } from "./appliance.ts";
import { CertificateOffice } from "./certificates.ts";
import { type Config, type ConfigPlace, readConfig } from "./config-text.ts";
import { explainError, Failure } from "./failure.ts";
import { listenToSignals } from "./life.ts";
import { Logs } from "./logs.ts";
import { programAt } from "./myself.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges } from "./privileges.ts";
import { makeStateDir, warnOfOpenState } from "./state-dir.ts";
import { type Status, userName } from "./status.ts";
import { supervisorGauges } from "./supervisor-gauges.ts";
import { type Reloaded, Supervisor } from "./supervisor.ts";
import { ServiceManager } from "./systemd.ts";
import { type TakenOver, takeOver } from "./take-over.ts";
import { upgrade } from "./upgrade.ts";

/** An exit code, and what else the caller of `run` may want to know. */
export interface RunOptions {
  readonly place: ConfigPlace;
  /** How this process was called, without the program itself: for an upgrade. */
  readonly args: readonly string[];
  /** Called once everything serves. */
  announce(status: Status, logs: Logs): void;
}

/** The last answers of the admin API go out within this time. */
const ANSWER_MS = 300;
/** Forced to end before everything in hand was finished. */
const FORCED = 1;

/**
 * The whole life of the appliance: resolves with an exit code when it has ended. Rejects with
 * ConfigError or Failure when it could not begin.
 */
export async function run(options: RunOptions): Promise<number> {
  const replaced = await takeOver();
  try {
    return await live(options, replaced);
  } catch (failed) {
    await replaced?.failed(explainError(failed));
    throw failed;
  }
}

async function live(options: RunOptions, replaced: TakenOver | undefined): Promise<number> {
  const { place } = options;
  const config = firstConfig(place);
  const { root } = config;
  if (!replaced && (await answers(root.admin.socket)))
    throw new Failure(`tern is running already: somebody answers on ${root.admin.socket}`);
  openFileLimit();
  makeStateDir(root.state);
  const activated: readonly Inherited[] = inheritedSockets().map(({ fd, address }) => ({
    fd,
    address,
    lent: true,
  }));
  const sockets = new LocalSockets([...(replaced?.sockets ?? []), ...activated]);
  const dropped = dropPrivileges(root, sockets);

  const logs = new Logs(root);
  const { log } = logs;
  warnOfOpenState(root.state, log);
  if (dropped.kind === "no such user")
    log.warn("started as root and stays root: there is no such user to become", {
      user: root.user,
    });
  for (const warning of config.warnings) log.warn(warning);

  const registry = new Registry();
  const certificates = new CertificateOffice(root.state, log);
  const parts = { place, logs, registry, sockets, certificates };
  const first = await Supervisor.prepare(parts, config);
  const { supervisor } = first;
  supervisorGauges(registry, supervisor);
  const manager = new ServiceManager(log);
  const pid = new PidFile(root.state);
  const ended = Promise.withResolvers<number>();
  let left = false; // somebody else is the appliance now

  const reload = async (): Promise<ReloadOutcome> => {
    manager.tell({ reloading: true });
    const result = await supervisor.reload();
    manager.tell({ ready: true, status: reloadWords(result) });
    return result;
  };
  const leave = async (): Promise<void> => {
    manager.tell({ stopping: true });
    await supervisor.stop();
    log.info("stopped");
    ended.resolve(0);
  };
  const replace = (): Promise<{ pid: number }> =>
    supervisor.exclusively("upgrading", async () => {
      log.info("upgrading", { program: programAt(undefined).join(" ") });
      const next = await upgrade({
        command: programAt(undefined, ...options.args),
        sockets: () => sockets.held,
        onReady: (next) => {
          left = true;
          sockets.handOver();
          manager.tell({ mainPid: next });
        },
      });
      log.info("upgraded: the new process serves", { pid: next.pid });
      setTimeout(() => void finish(), 0); // after the answer to whoever asked
      return next;
    });
  const finish = async (): Promise<void> => {
    const draining = supervisor.stop();
    await servers.close("gently");
    await draining;
    ended.resolve(0);
  };
  const appliance: ApplianceParts = {
    supervisor,
    certificates,
    place,
    log,
    user: userName(dropped),
    servers: () => servers,
    reload,
    stop: () => void leave(),
    upgrade: replace,
  };
  const servers = new AdminServers(adminFetch(appliance));
  try {
    await servers.prepare(root.admin, replaced !== undefined).commit();
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
  manager.tell({ ready: true, status: "serving" });
  manager.watch();
  options.announce(await statusOf(appliance), logs);

  const deaf = listenToSignals(
    {
      stop: appliance.stop,
      stopNow: () => ended.resolve(FORCED),
      reload: () => void reload(),
      reopen: () => {
        logs.reopen();
        supervisor.crew.reopen();
        log.info("log files opened again");
      },
      upgrade: () =>
        replace().catch((error: unknown) =>
          log.error("not upgraded", { why: explainError(error) }),
        ),
    },
    log,
  );
  process.on("unhandledRejection", (error) => log.error("a promise was left alone", { error }));
  process.on("uncaughtException", (error) => log.error("an error nobody caught", { error }));

  const code = await ended.promise;
  deaf();
  manager.close();
  // Whoever asked for the end gets the answer; an idle connection does not hold it up.
  await Promise.race([servers.close("gently"), Bun.sleep(ANSWER_MS)]);
  if (!left) pid.remove();
  logs.close();
  return code;
}

function firstConfig(place: ConfigPlace): Config {
  let read: ReturnType<typeof readConfig>;
  try {
    read = readConfig(place);
  } catch (cause) {
    throw new Failure(explainError(cause), { cause });
  }
  if (!read.ok) throw new ConfigError(read.problems);
  return read.config;
}

function reloadWords(result: Reloaded): string {
  return result.ok ? "serving" : "serving; the last reload was refused";
}
