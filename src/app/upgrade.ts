import type { Held } from "../net/held-socket.ts";
import type { Entry } from "../observe/journal.ts";
import { sendFds, socketPair } from "../sys/fd-passing.ts";
import { close } from "../sys/socket.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import { Channel } from "./channel.ts";
import { Failure } from "./failure.ts";
import { BATCH, HANDOVER_FD, HANDOVER_VARIABLE, type ToNew, type ToOld } from "./handover.ts";
import type { Carried } from "./running-text.ts";

/** A new binary that is not ready by then is given up. */
export const READY_MS = 60_000;

export interface UpgradeParts {
  readonly command: readonly string[];
  /** In which workers count together. */
  readonly memory: number | undefined;
  /** What it is to listen on. */
  sockets(): readonly Held[];
  /** The config that runs. */
  carried(): Carried;
  /** The last things that happened. */
  journal(): readonly Entry[];
  /** Where clients are. */
  stuck(): readonly Stuck[];
  /** It serves: called before it hears that we leave. */
  onReady(pid: number): void;
  readonly within?: number;
}

/**
 * Start the new binary, hand it every listening socket, and wait until it serves: until then both
 * would, and what waits in a backlog is accepted by one of them. Throws Failure with the reason when it does
 * not come up; nothing has changed then.
 */
export async function upgrade(parts: UpgradeParts): Promise<{ pid: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ pid: number }>();
  const [ours, theirs] = socketPair();
  const channel = new Channel<ToNew, ToOld>((message) => child.send(message), {
    tallies: () => {
      if (parts.memory === undefined) return { count: 0 };
      hand(ours, [parts.memory]);
      return { count: 1 };
    },
    sockets: () => {
      const held = parts.sockets();
      for (let i = 0; i < held.length; i += BATCH) {
        const fds = held.slice(i, i + BATCH).map(({ fd }) => fd);
        hand(ours, fds);
      }
      return held.map(({ address, slot, owner, lent = false, datagram = false }) => ({
        address,
        slot,
        ...(owner !== undefined && { owner }),
        lent,
        datagram,
      }));
    },
    carried: () => parts.carried(),
    journal: () => parts.journal(),
    stuck: () => parts.stuck(),
    ready: () => {
      parts.onReady(child.pid);
      resolve({ pid: child.pid });
      return null;
    },
    failed: ({ why }) => {
      reject(new Failure(`the new binary cannot take over: ${why}`));
      return null;
    },
  });
  const child = spawn(parts.command, theirs, channel, (how) =>
    reject(new Failure(`the new binary ended before it was ready: ${how}`)),
  );
  const late = setTimeout(
    () => reject(new Failure("the new binary was not ready in time")),
    parts.within ?? READY_MS,
  );
  try {
    return await promise;
  } catch (failed) {
    child.kill("SIGKILL");
    throw failed;
  } finally {
    clearTimeout(late);
    close(ours);
  }
}

function hand(sock: number, fds: readonly number[]): void {
  const sent = sendFds(sock, Uint8Array.of(1), fds);
  if (sent !== "sent") throw new Error(`the sockets could not be handed over (${sent})`);
}

function spawn(
  command: readonly string[],
  sock: number,
  channel: Channel<ToNew, ToOld>,
  ended: (how: string) => void,
) {
  // The watchdog's time is the new one's too; whose process it watches, systemd learns by MAINPID.
  const { WATCHDOG_PID: _, ...env } = process.env;
  try {
    return Bun.spawn({
      cmd: [...command],
      argv0: "tern",
      env: { ...env, [HANDOVER_VARIABLE]: String(HANDOVER_FD) },
      stdio: ["inherit", "inherit", "inherit", sock],
      serialization: "json",
      ipc: (message) => channel.receive(message),
      onExit: (_process, code, signal) =>
        ended(signal === null ? `exit code ${code}` : `signal ${signal}`),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(`the new binary cannot be started: ${why}`, { cause });
  } finally {
    close(sock);
  }
}
