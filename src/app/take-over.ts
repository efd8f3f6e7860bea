import type { Inherited } from "../net/held-socket.ts";
import type { Entry } from "../observe/journal.ts";
import { receiveFds } from "../sys/fd-passing.ts";
import { close } from "../sys/socket.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import { Channel } from "./channel.ts";
import { HANDOVER_VARIABLE, type ToNew, type ToOld } from "./handover.ts";
import type { Carried } from "./running-text.ts";

/** The side of the new binary: what it got, and how to tell the old one how it went. */
export interface TakenOver {
  readonly sockets: readonly Inherited[];
  /** In which its workers count, and ours are to: undefined when it is of a version that has none. */
  readonly memory: number | undefined;
  /** Undefined when it is of a version that cannot tell. */
  readonly carried: Carried | undefined;
  /** Where its clients are. */
  readonly stuck: readonly Stuck[];
  /** The last things that happened to it. */
  readonly journal: readonly Entry[];
  /** Resolves when the old one has let go of the admin socket and told the service manager. */
  ready(): Promise<void>;
  failed(why: string): Promise<void>;
}

/** Undefined when this process replaces nobody. */
export async function takeOver(): Promise<TakenOver | undefined> {
  const fd = process.env[HANDOVER_VARIABLE];
  delete process.env[HANDOVER_VARIABLE]; // not for our workers
  if (fd === undefined || !process.send) return undefined;
  const channel = new Channel<ToOld, ToNew>((message) => void process.send?.(message), {});
  const receive = (message: unknown): void => channel.receive(message);
  const orphaned = (): void => channel.close(new Error("the old process is gone"));
  process.on("message", receive);
  process.on("disconnect", orphaned);

  const tallies = await channel.call("tallies", null).catch(() => ({ count: 0 }));
  const handed = await channel.call("sockets", null);
  const fds = receiveAll(Number(fd));
  const [memory] = fds.splice(0, tallies.count); // they come in the order of asking
  const sockets = handed.flatMap((socket, i) => {
    const at = fds[i];
    return at === undefined ? [] : [{ ...socket, fd: at }];
  });
  const carried = await channel.call("carried", null).catch(() => undefined);
  const journal = await channel.call("journal", null).catch(() => []);
  const stuck = await channel.call("stuck", null).catch(() => []);
  const part = (): void => {
    process.off("message", receive);
    process.off("disconnect", orphaned);
    process.disconnect?.();
  };
  return {
    sockets,
    memory,
    carried,
    journal,
    stuck,
    ready: async () => {
      await channel.call("ready", null);
      part();
    },
    failed: async (why) => {
      await channel.call("failed", { why }).catch(() => {}); // then nobody needs to know
      part();
    },
  };
}

/** They were sent before the answer that we have, so they are all here. */
function receiveAll(sock: number): number[] {
  const fds: number[] = [];
  for (;;) {
    const next = receiveFds(sock);
    if (next === "EAGAIN" || next === "closed") break;
    fds.push(...next.fds);
  }
  close(sock);
  return fds;
}
