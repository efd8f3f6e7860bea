import { backoff } from "../../core/backoff.ts";
import { accept, AGAIN, EXHAUSTED } from "../../sys/socket.ts";
import { type Reactor, READABLE } from "../reactor.ts";

/** Connections accepted before those already open get their turn. */
const MAX_ACCEPTS = 64;
/** Waits after the process ran out of files or memory: tcpserver's 10 ms, doubling to 1 s. */
const EXHAUSTED_WAITS = { first: 10, most: 1000, calm: 0 };

/** How many connections, and how fast. May be changed at any time. */
export interface AcceptLimits {
  /** Open at once; more wait in the kernel's backlog. */
  readonly connections: number;
  /** In all, then no more are accepted. Undefined: no end. */
  readonly accepted?: number;
  /** New ones per second, and how many of them at once; more wait in the backlog. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

export interface AcceptorEvents {
  /**
   * A connection: non-blocking, close-on-exec, and whoever is called owns it. Call `left` exactly
   * once when it is gone, however soon.
   */
  open(fd: number): void;
  /** Out of files or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM): nothing is accepted for `waitMs`. */
  exhausted?(waitMs: number): void;
  /** As many were accepted as ever were to be. */
  full?(): void;
}

/**
 * Accepts from one listening socket and counts what is open. The socket stays its owner's: it is
 * neither closed here nor taken from others who share it.
 */
export class Acceptor {
  /** Who gets the connections: may be swapped, the next one goes to the new one. */
  events: AcceptorEvents;
  readonly #reactor: Reactor;
  readonly #fd: number;
  #limits: AcceptLimits;
  #active = 0;
  #accepted = 0;
  #exhausted = 0;
  #wanted = false;
  #watching = false;
  #wait: ReturnType<typeof setTimeout> | undefined;
  /** When the rate's bucket is full again (GCRA), in the reactor's time. */
  #fullAt = 0;
  #gone: (() => void)[] = [];

  constructor(reactor: Reactor, fd: number, limits: AcceptLimits, events: AcceptorEvents) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#limits = limits;
    this.events = events;
  }

  /** Connections that are open now. */
  get active(): number {
    return this.#active;
  }
  /** Connections there were in all. */
  get accepted(): number {
    return this.#accepted;
  }
  /** Is it open for more, at once or after a pause? */
  get accepting(): boolean {
    return this.#wanted;
  }

  get limits(): AcceptLimits {
    return this.#limits;
  }
  set limits(limits: AcceptLimits) {
    this.#limits = limits;
    this.#endWait();
    this.#watch();
  }

  /** Take connections from now on. */
  start(): void {
    this.#wanted = true;
    this.#watch();
  }

  /** Take no more: they wait in the backlog. */
  pause(): void {
    this.#wanted = false;
    this.#endWait();
    this.#watch();
  }

  /** A connection that was opened is gone. */
  left(): void {
    this.#active--;
    if (this.#active === 0) for (const gone of this.#gone.splice(0)) gone();
    if (this.#wanted && !this.#watching) this.#watch();
  }

  /**
   * Take those the kernel has let in already, then no more, and wait until all are gone, or until
   * `deadline` aborts; without one, for as long as it takes. True when all are gone.
   */
  async shutdown(deadline?: AbortSignal): Promise<boolean> {
    for (let before = -1; this.#watching && before !== this.#accepted; this.#take())
      before = this.#accepted;
    this.pause();
    if (this.#active === 0 || deadline?.aborted) return this.#active === 0;
    await new Promise<void>((resolve) => {
      this.#gone.push(resolve);
      deadline?.addEventListener("abort", () => resolve(), { once: true });
    });
    return this.#active === 0;
  }

  /** Watch the socket when there is reason to. */
  #watch(): void {
    const { connections, accepted = Infinity } = this.#limits;
    const room = this.#active < connections && this.#accepted < accepted;
    const on = this.#wanted && room && this.#wait === undefined;
    if (on === this.#watching) return;
    this.#watching = on;
    if (on) this.#reactor.add(this.#fd, READABLE, this.#ready);
    else this.#reactor.remove(this.#fd);
  }

  readonly #ready = (): void => this.#take();

  #take(): void {
    const { connections, accepted = Infinity, rate } = this.#limits;
    for (let i = 0; i < MAX_ACCEPTS; i++) {
      if (this.#active >= connections) return this.#watch();
      const early = rate === undefined ? 0 : this.#early(rate);
      if (early > 0) return this.#rest(early);
      const fd = accept(this.#fd);
      if (fd === AGAIN) return;
      if (fd === EXHAUSTED) {
        const waitMs = backoff(++this.#exhausted, EXHAUSTED_WAITS);
        this.#rest(waitMs);
        return this.events.exhausted?.(waitMs);
      }
      if (fd < 0) continue; // it left before it was accepted
      this.#exhausted = 0;
      this.#active++;
      this.#accepted++;
      if (rate !== undefined) this.#fullAt += 1000 / rate.perSecond;
      this.events.open(fd);
      if (this.#accepted >= accepted) {
        this.#watch();
        return this.events.full?.();
      }
      if (!this.#watching) return; // paused by whom we called
    }
  }

  /** Milliseconds until the rate allows one more; 0 when it does. */
  #early({ perSecond, burst }: { perSecond: number; burst: number }): number {
    const { now } = this.#reactor;
    this.#fullAt = Math.max(this.#fullAt, now);
    return Math.max(0, this.#fullAt - ((burst - 1) * 1000) / perSecond - now);
  }

  #rest(ms: number): void {
    this.#wait = setTimeout(() => {
      this.#endWait();
      this.#watch();
    }, ms);
    this.#watch();
  }

  #endWait(): void {
    clearTimeout(this.#wait);
    this.#wait = undefined;
  }
}
