import type { ReloadOutcome } from "../admin/deps.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { Journal } from "../observe/journal.ts";
import type { AdminServers } from "./admin-servers.ts";
import { explainError } from "./failure.ts";
import { type Wishes } from "./life.ts";
import type { Logs } from "./logs.ts";
import { programAt } from "./myself.ts";
import type { PidFile } from "./pid-file.ts";
import type { StuckClients } from "./stuck-clients.ts";
import type { Supervisor } from "./supervisor.ts";
import type { ServiceManager } from "./systemd.ts";
import { upgrade } from "./upgrade.ts";

/** The last answers of the admin API go out within this time. */
const ANSWER_MS = 300;
/** Forced to end before everything in hand was finished. */
const FORCED = 1;

export interface RunningParts {
  readonly supervisor: Supervisor;
  readonly sockets: LocalSockets;
  readonly logs: Logs;
  readonly journal: Pick<Journal, "after">;
  readonly stuck: Pick<StuckClients, "all">;
  /** In which workers count together. */
  readonly memory: number | undefined;
  readonly manager: ServiceManager;
  readonly pid: PidFile;
  readonly servers: () => AdminServers;
  /** How this process was called, without the program itself. */
  readonly args: readonly string[];
}

/** The appliance while it serves: what the admin API and signals ask of it, and its end. */
export class Running implements Wishes {
  readonly #parts: RunningParts;
  readonly #ended = Promise.withResolvers<number>();
  /** Another process is the appliance now. */
  #replaced = false;

  constructor(parts: RunningParts) {
    this.#parts = parts;
  }

  async reload(who = "SIGHUP"): Promise<ReloadOutcome> {
    const { supervisor, manager } = this.#parts;
    manager.tell({ reloading: true });
    const result = await supervisor.reload(who);
    const status = result.ok ? "serving" : "serving; the last reload was refused";
    manager.tell({ ready: true, status });
    return result;
  }

  reopen(): void {
    const { logs, supervisor } = this.#parts;
    logs.reopen();
    supervisor.crew.reopen();
    logs.log.info("log files opened again");
  }

  /** Begins the end; `ended` is when it has come. */
  stop(): void {
    const { manager } = this.#parts;
    manager.tell({ stopping: true, status: "draining" });
    void this.#drain();
  }

  stopNow(): void {
    this.#ended.resolve(FORCED);
  }

  /** Rejects with Failure when the new binary does not come up; this one then goes on. */
  upgrade(): Promise<{ pid: number }> {
    const { supervisor, sockets, logs, journal, stuck, memory, manager, args } = this.#parts;
    const command = programAt(undefined, ...args);
    return supervisor.exclusively("upgrading", async () => {
      logs.log.info("upgrading", { program: command.join(" ") });
      try {
        const next = await upgrade({
          command,
          memory,
          sockets: () => sockets.held,
          carried: () => supervisor.carried,
          journal: () => journal.after(0),
          stuck: () => stuck.all,
          onReady: (pid) => {
            this.#replaced = true;
            sockets.handOver();
            manager.tell({ mainPid: pid });
          },
        });
        logs.log.info("upgraded: the new process serves", { pid: next.pid });
        setImmediate(() => void this.#drain()); // whoever asked is answered first
        return next;
      } catch (failed) {
        logs.log.error("not upgraded: the old process goes on", { why: explainError(failed) });
        throw failed;
      }
    });
  }

  /** Resolves with an exit code when everything is over. */
  async ended(): Promise<number> {
    const code = await this.#ended.promise;
    const { manager, pid, logs, servers } = this.#parts;
    manager.close();
    // Whoever asked for the end gets the answer; an idle connection does not hold it up.
    await Promise.race([servers().close("gently"), Bun.sleep(ANSWER_MS)]);
    if (!this.#replaced) pid.remove();
    logs.close();
    return code;
  }

  async #drain(): Promise<void> {
    const { supervisor, logs, servers } = this.#parts;
    if (this.#replaced) void servers().close("gently"); // the next process answers from now on
    try {
      await supervisor.stop();
      logs.log.info("stopped");
      this.#ended.resolve(0);
    } catch (error) {
      logs.log.error("stopped, but not cleanly", { error });
      this.#ended.resolve(FORCED);
    }
  }
}
