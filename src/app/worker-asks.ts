import type { Word } from "../net/cluster/shared-nodes.ts";
import type { Journal } from "../observe/journal.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import type { Handlers } from "./channel.ts";
import type { Requests } from "./messages.ts";
import type { WorkerHealth } from "./worker-health.ts";
import type { Handed, WorkerSockets } from "./worker-sockets.ts";

/** Who hears what a worker says that is for others than its slot. */
export interface Hearers {
  readonly journal: Pick<Journal, "add">;
  stuck(from: number, news: readonly Stuck[]): void;
  told(from: number, word: Word): void;
}

/** What one worker is lent, and the way by which sockets go to it. */
export interface WorkerLoans {
  readonly sockets: WorkerSockets;
  readonly health: WorkerHealth;
  give(ticket: number, fd: number): void;
}

/** Answers to all that worker `index` may ask. Those about sockets reject with SysError. */
export function answersTo(index: number, hearers: Hearers, loans: WorkerLoans): Handlers<Requests> {
  const { sockets, health } = loans;
  return {
    listen: async (ask) => given(loans, await sockets.take(ask)),
    datagrams: async (ask) => given(loans, await sockets.takeDatagram(ask)),
    unlisten: async ({ ticket }) => {
      await sockets.giveBack(ticket);
      return null;
    },
    watch: (ask) => health.watch(ask),
    hurry: ({ ticket }) => {
      health.hurry(ticket);
      return null;
    },
    unwatch: ({ ticket }) => {
      health.unwatch(ticket);
      return null;
    },
    logged: ({ level, message, fields, at }) => {
      hearers.journal.add(level, message, fields, at);
      return null;
    },
    stuck: (news) => {
      hearers.stuck(index, news);
      return null;
    },
    told: (word) => {
      hearers.told(index, word);
      return null;
    },
  };
}

/** They go before the answer: the worker counts on it. */
function given(loans: WorkerLoans, { ticket, fds, port }: Handed): Requests["listen"]["answer"] {
  for (const fd of fds) loans.give(ticket, fd);
  return { ticket, count: fds.length, port };
}
