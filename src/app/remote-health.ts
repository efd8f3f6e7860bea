import type { Target } from "../net/health/check.ts";
import type { Health, Verdict, Watched } from "../net/health/health.ts";
import type { Channel } from "./channel.ts";
import type { Orders, Requests } from "./messages.ts";
import type { Verdicts } from "./worker-health.ts";

interface Entry {
  verdicts: readonly Verdict[];
  version: number;
  /** Undefined until the first verdicts are all there. */
  changed: (() => void) | undefined;
}

/** A worker's view of who is alive: the supervisor probes, once for all workers. */
export class RemoteHealth implements Health {
  readonly #channel: Pick<Channel<Requests, Orders>, "call">;
  readonly #entries = new Map<number, Entry>();
  #last = 0;

  constructor(channel: Pick<Channel<Requests, Orders>, "call">) {
    this.#channel = channel;
  }

  async watch(targets: readonly Target[], changed: () => void): Promise<Watched> {
    const ticket = ++this.#last;
    const entry: Entry = { verdicts: [], version: -1, changed: undefined };
    this.#entries.set(ticket, entry); // first: news may come before the answer
    try {
      this.load(await this.#channel.call("watch", { ticket, targets }));
    } catch (failed) {
      this.#entries.delete(ticket);
      throw failed;
    }
    entry.changed = changed;
    return {
      get verdicts() {
        return entry.verdicts;
      },
      hurry: () => {
        this.#channel.call("hurry", { ticket }).catch(() => {}); // the supervisor is gone
      },
      close: () => {
        if (!this.#entries.delete(ticket)) return;
        this.#channel.call("unwatch", { ticket }).catch(() => {}); // the supervisor is gone
      },
    };
  }

  /** What the supervisor says; of a list that is not watched any more it is nothing. */
  load({ ticket, version, verdicts }: Verdicts): void {
    const entry = this.#entries.get(ticket);
    if (!entry || version <= entry.version) return;
    entry.version = version;
    entry.verdicts = verdicts;
    entry.changed?.();
  }
}
