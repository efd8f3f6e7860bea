import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import { addressesOf, hostOf, nextAddress } from "./endpoint.ts";
import type { Link } from "./link.ts";
import type { Peer } from "./scalars.ts";

/** How often a name is looked up that nobody knows. */
const UNKNOWN_MS = 1000;

export interface Wish {
  readonly peer: Peer;
  /** A peer that is silent is looked up again so often, ms. */
  readonly resolve: number;
  /** Is it for us to speak first? */
  readonly begins: boolean;
  /** Where the link leads has changed, perhaps. */
  readonly moved: () => void;
}

/** Finds out where the peer of a link is and reaches for it: at first, and while it is silent. */
export class Reaching {
  readonly #link: Link;
  readonly #wish: Wish;
  readonly #clock: Clock;
  readonly #log: Log;
  #lost = new AbortController();

  constructor(link: Link, wish: Wish, { clock, log }: { clock: Clock; log: Log }) {
    this.#link = link;
    this.#wish = wish;
    this.#clock = clock;
    this.#log = log;
  }

  /** The peer is not heard any more: it may be elsewhere. */
  lost(): void {
    this.#lost.abort();
  }

  /** Until `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    const { peer, resolve, begins, moved } = this.#wish;
    const link = this.#link;
    const { hub } = link;
    for (let at: string | undefined; !signal.aborted;) {
      if (!link.alive && !link.held) {
        const all = await addressesOf(peer);
        if (signal.aborted) return;
        const known = hostOf(link.route);
        // At first where the conversation is already, then one after another.
        at =
          at === undefined && known !== undefined && all.includes(known)
            ? known
            : nextAddress(all, at);
        if (at === undefined) this.#log.warn("a peer's name is unknown", { peer: peer.host });
        const route = at === undefined ? undefined : hub.routeTo(at, peer.port);
        if (route !== undefined) link.moved(route);
        moved();
        if (link.route !== undefined && begins) {
          link.session.begin(hub.now);
          link.drive(hub.now);
          hub.send();
        }
      }
      this.#lost = new AbortController();
      const sooner = AbortSignal.any([signal, this.#lost.signal]);
      await this.#clock
        .sleep(at === undefined && !link.alive ? UNKNOWN_MS : resolve, sooner)
        .catch(() => {});
    }
  }
}
