import { Acceptor } from "../acceptor.ts";
import type { Reactor } from "../reactor.ts";

/** How many connections, and how fast. */
export interface Admittance {
  /** Open at once; more wait in the kernel's backlog. */
  readonly connections: number;
  /** In all, then no more. Undefined: no end. */
  readonly accepted?: number;
  /** New ones per second, and how many of them at once; more wait in the backlog. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

export interface PorterEvents {
  /**
   * A connection: non-blocking, close-on-exec, and whoever is called owns it. `left` is to be
   * called exactly once when it is gone, however soon.
   */
  open(fd: number): void;
  /** As many have been let in as ever were to be. */
  full(): void;
}

/** Lets connections in, as many and as fast as they may come, and knows who is still there. */
export class Porter {
  readonly #reactor: Reactor;
  readonly #acceptor: Acceptor;
  readonly #events: PorterEvents;
  readonly #limits: Admittance;
  #active = 0;
  #accepted = 0;
  #wanted = false;
  #rest: Timer | undefined;
  /** When the rate's bucket is full again (GCRA), in the reactor's time. */
  #fullAt = 0;
  #empty: (() => void) | undefined;

  constructor(fd: number, reactor: Reactor, limits: Admittance, events: PorterEvents) {
    this.#reactor = reactor;
    this.#limits = limits;
    this.#events = events;
    this.#acceptor = new Acceptor({ fds: [fd] }, reactor, {
      room: () => this.#room(),
      take: (connection) => this.#take(connection),
      exhausted() {},
    });
  }

  /** Connections that are open now. */
  get active(): number {
    return this.#active;
  }
  /** Connections there were in all. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Let them in from now on. */
  start(): void {
    this.#wanted = true;
    this.#acceptor.open();
  }

  /** A connection is gone. */
  left(): void {
    this.#active--;
    if (this.#active === 0) this.#empty?.();
    if (this.#wanted && this.#rest === undefined) this.#acceptor.open();
  }

  /**
   * Let in those who wait now, `backlog` at most, then nobody. Resolves when all have left, or when
   * `deadline` aborts: true when all have left.
   */
  async shutdown(backlog: number, deadline: AbortSignal): Promise<boolean> {
    this.#acceptor.last(backlog);
    this.#wanted = false;
    clearTimeout(this.#rest);
    if (this.#active > 0 && !deadline.aborted)
      await new Promise<void>((resolve) => {
        this.#empty = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    return this.#active === 0;
  }

  #room(): boolean {
    const { connections, accepted = Infinity, rate } = this.#limits;
    if (!this.#wanted || this.#active >= connections || this.#accepted >= accepted) return false;
    const early = rate === undefined ? 0 : this.#early(rate);
    if (early > 0) this.#openIn(early);
    return early === 0;
  }

  #take(fd: number): void {
    const { accepted, rate } = this.#limits;
    this.#active++;
    this.#accepted++;
    if (rate !== undefined) this.#fullAt += 1000 / rate.perSecond;
    this.#events.open(fd);
    if (this.#accepted === accepted) this.#events.full();
  }

  /** Milliseconds until the rate allows one more; 0 when it does. */
  #early({ perSecond, burst }: { perSecond: number; burst: number }): number {
    const { now } = this.#reactor;
    this.#fullAt = Math.max(this.#fullAt, now);
    return Math.max(0, this.#fullAt - ((burst - 1) * 1000) / perSecond - now);
  }

  #openIn(ms: number): void {
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined;
      if (this.#wanted) this.#acceptor.open();
    }, ms);
  }
}
