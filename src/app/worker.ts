import { constants } from "node:os";

import type { RootConfig } from "../config/root.ts";
import { systemClock } from "../core/clock.ts";
import { SharedNodes } from "../net/cluster/shared-nodes.ts";
import type { PoolKeeper } from "../net/pools/pool.ts";
import { CertificateStore } from "../net/tls/store.ts";
import { Registry } from "../observe/registry.ts";
import { keepOnly } from "../sys/identity.ts";
import { openFileLimit, parentDeathSignal, setProcessName } from "../sys/process.ts";
import { Channel } from "./channel.ts";
import { reread } from "./config-text.ts";
import { Failure } from "./failure.ts";
import { makeHost } from "./host.ts";
import { isOpen, Logs } from "./logs.ts";
import {
  type Orders,
  type Requests,
  WORKER_LOG_FD,
  WORKER_SOCKETS_FD,
  WORKER_TALLY_FD,
} from "./messages.ts";
import type { Sections } from "./plan.ts";
import { forTunnels } from "./privileges.ts";
import { redisOf, truthOf } from "./redis-of.ts";
import { RemoteHealth } from "./remote-health.ts";
import { RemoteJournal } from "./remote-journal.ts";
import { RemoteSockets } from "./remote-sockets.ts";
import { Reporter } from "./reporter.ts";
import { type Change, Roster } from "./roster.ts";
import { SERVICES } from "./services.ts";
import { settle } from "./settle.ts";
import { Stickiness } from "./stickiness.ts";
import { isTallyMemory, talliesIn } from "./tally-memory.ts";

/** Signals that are the supervisor's to answer: a terminal and systemd send them to everybody. */
const SUPERVISORS: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
];

/** Everything a worker has, once it was told to begin. */
interface Begun {
  readonly logs: Logs;
  readonly certificates: CertificateStore;
  readonly roster: Roster;
  readonly fronts: ReturnType<typeof makeHost>["fronts"];
  readonly reporter: Reporter;
  readonly pools: PoolKeeper;
  readonly stickiness: Stickiness;
  readonly nodes: SharedNodes;
}

/** A config that is ready. */
interface Next {
  readonly change: Change;
  readonly root: RootConfig;
  readonly sections: Sections;
}

/** Be a worker: do what the supervisor says until it says stop, or is gone. Throws when there is none. */
export function work(): void {
  if (!process.send) throw new Failure("this verb is for the supervisor's own use");
  for (const signal of SUPERVISORS) process.on(signal, () => {});
  // However the supervisor ends, nobody is left behind: by the kernel's word, or by the channel's.
  if (parentDeathSignal(constants.signals.SIGKILL, process.ppid) === "orphan") process.exit(1);
  process.on("disconnect", () => process.exit(1));
  // The supervisor logs what is said here; a fresh process is the only state known to be good.
  process.on("uncaughtException", die);

  const worker = new Worker((message) => void process.send?.(message));
  process.on("message", (message) => worker.receive(message));
}

function die(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error) : error}\n`);
  process.exit(1);
}

class Worker {
  readonly #channel: Channel<Requests, Orders>;
  readonly #health: RemoteHealth;
  #begun: Begun | undefined;
  #next: Next | undefined;

  constructor(send: (message: unknown) => void) {
    this.#channel = new Channel<Requests, Orders>(send, {
      begin: (ask) => this.#begin(ask),
      prepare: async ({ config, how }) => {
        const { root, sections } = reread(config);
        this.#me.nodes.truth = truthOf(root.cluster);
        this.#next = { change: await this.#me.roster.prepare(sections, how), root, sections };
        return null;
      },
      commit: async () => {
        const next = this.#take();
        this.#me.logs.change(next.root);
        this.#me.stickiness.change(next.root.cluster, next.sections);
        this.#me.nodes.change(redisOf(next.root.cluster));
        void next.change.commit(); // the old finishes by itself; it reports its own errors
        return null;
      },
      abandon: async () => {
        await this.#take().change.abandon();
        return null;
      },
      stop: async ({ within }) => {
        const { fronts, roster, reporter, logs } = this.#me;
        const deadline = systemClock.deadline(within);
        await fronts.drain(deadline); // first: an open connection may still ask for a site
        await roster.stop(deadline);
        const last = reporter.report();
        reporter.close();
        logs.close();
        return last;
      },
      report: () => this.#me.reporter.report(),
      actions: () => this.#me.roster.actions(),
      act: ({ service, action, input }) => this.#me.roster.act(service, action, input),
      certificates: (state) => {
        this.#me.certificates.load(state);
        return null;
      },
      health: (news) => {
        this.#health.load(news);
        return null;
      },
      stuck: (news) => {
        for (const { pool, client, server } of news) this.#me.pools.heard(pool, client, server);
        return null;
      },
      told: (word) => {
        this.#me.nodes.heardNearby(word);
        return null;
      },
      reopen: () => {
        this.#me.logs.reopen();
        return null;
      },
    });
    this.#health = new RemoteHealth(this.#channel);
  }

  receive(message: unknown): void {
    this.#channel.receive(message);
  }

  get #me(): Begun {
    if (!this.#begun) throw new Error("the worker was not told to begin");
    return this.#begun;
  }

  #take(): Next {
    const next = this.#next;
    if (!next) throw new Error("nothing was prepared");
    this.#next = undefined;
    return next;
  }

  #begin({ index, count, config, certificates: state }: Orders["begin"]["ask"]): null {
    setProcessName(`tern ${index}`);
    const { root, sections } = reread(config);
    if (process.getuid?.() !== 0) keepOnly(forTunnels(sections)); // binding is the supervisor's
    openFileLimit();
    const registry = new Registry();
    const terminal = isOpen(WORKER_LOG_FD) ? WORKER_LOG_FD : undefined;
    const journal = new RemoteJournal((logged) => {
      this.#channel.call("logged", logged).catch(() => {}); // the supervisor is gone
    });
    const logs = new Logs(root, registry, terminal, journal);
    const log = logs.log.with({ worker: index });
    process.on("unhandledRejection", (error) => log.error("a promise was left alone", { error }));

    const certificates = new CertificateStore(state);
    const stickiness = new Stickiness({
      clock: systemClock,
      metrics: registry,
      tell: (news) => {
        this.#channel.call("stuck", news).catch(() => {}); // the supervisor is gone
      },
    });
    const nodes = new SharedNodes({
      clock: systemClock,
      log,
      metrics: registry,
      tellNearby: (word) => {
        this.#channel.call("told", word).catch(() => {}); // the supervisor is gone
      },
    });
    nodes.change(redisOf(root.cluster));
    nodes.truth = truthOf(root.cluster);
    const { host, fronts } = makeHost({
      log,
      logs,
      registry,
      certificates,
      health: this.#health,
      sockets: new RemoteSockets(this.#channel, WORKER_SOCKETS_FD),
      sticky: stickiness,
      nodes,
      tallies: talliesIn(lentMemory(), count),
      state: root.state,
      worker: { index, count },
    });
    const roster = new Roster(SERVICES, host);
    const reporter = new Reporter(index, roster, fronts, registry);
    const { pools } = host;
    this.#begun = { logs, certificates, roster, fronts, reporter, pools, stickiness, nodes };
    settle();
    return null;
  }
}

/** Without memory for all, the descriptor may be of anything. */
function lentMemory(): number | undefined {
  const fd = WORKER_TALLY_FD;
  return isOpen(fd) && isTallyMemory(fd) ? fd : undefined;
}
