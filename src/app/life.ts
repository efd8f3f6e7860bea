import type { Log } from "../observe/log.ts";

/** What signals ask of the program. */
export interface Wishes {
  /** SIGTERM, SIGINT: finish what is in hand. */
  stop(): void;
  /** The same again: now. */
  stopNow(): void;
  /** SIGHUP. */
  reload(): Promise<unknown>;
  /** SIGUSR1: log files were moved away. */
  reopen(): void;
  /** SIGUSR2. May reject: it tells the log why. */
  upgrade(): Promise<unknown>;
}

/** Where signals come from; `process` is one. */
export interface Signals {
  on(signal: NodeJS.Signals, heard: () => void): unknown;
  off(signal: NodeJS.Signals, heard: () => void): unknown;
}

/** Listen to signals until the returned function is called. */
export function listenToSignals(wishes: Wishes, log: Log, signals: Signals = process): () => void {
  let stopping = false;
  const end = (signal: NodeJS.Signals) => () => {
    if (stopping) {
      log.warn("told again to stop: not waiting any longer", { signal });
      return wishes.stopNow();
    }
    stopping = true;
    log.info("told to stop", { signal });
    wishes.stop();
  };
  const heard: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ["SIGTERM", end("SIGTERM")],
    ["SIGINT", end("SIGINT")],
    ["SIGHUP", () => void wishes.reload()],
    ["SIGUSR1", () => wishes.reopen()],
    ["SIGUSR2", () => void wishes.upgrade().catch(() => {})], // the log has it
  ];
  for (const [signal, then] of heard) signals.on(signal, then);
  return () => {
    for (const [signal, then] of heard) signals.off(signal, then);
  };
}
