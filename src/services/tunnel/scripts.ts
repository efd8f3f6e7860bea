import type { Log } from "../../observe/log.ts";

/** What has happened to a tunnel. */
export type Event = "up" | "down" | "route_change";

/** A script that takes longer is killed: the next one waits for it. */
const PATIENCE_MS = 30_000;

/** The operator's programs for what happens to one tunnel: one after another, in order. */
export class Scripts {
  readonly #paths: Readonly<Record<Event, string | null>>;
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();

  constructor(paths: Readonly<Record<Event, string | null>>, log: Log) {
    this.#paths = paths;
    this.#log = log;
  }

  /** Run the program for `event`, if there is one, with the device as its argument. Does not wait. */
  run(event: Event, device: string, env: Readonly<Record<string, string>>): void {
    const path = this.#paths[event];
    if (path === null) return;
    this.#last = this.#last.then(() => this.#one(path, event, device, env));
  }

  /** All that were asked for have ended. */
  async done(): Promise<void> {
    await this.#last;
  }

  async #one(
    path: string,
    event: Event,
    device: string,
    env: Readonly<Record<string, string>>,
  ): Promise<void> {
    try {
      const child = Bun.spawn({
        cmd: [path, device],
        env: { PATH: process.env["PATH"], ...env, TERN_EVENT: event, TERN_DEVICE: device },
        stdio: ["ignore", "ignore", "ignore"],
        timeout: PATIENCE_MS,
        killSignal: "SIGKILL",
      });
      const code = await child.exited;
      if (code !== 0) this.#log.warn("a tunnel's script failed", { event, path, code });
    } catch (error) {
      this.#log.warn("a tunnel's script cannot be run", { event, path, error });
    }
  }
}
