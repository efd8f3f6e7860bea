import { AGAIN, GONE } from "../../sys/socket.ts";
import type { Reactor } from "../reactor.ts";
import type { RelayEnd, RelayOwner } from "../tcp/relay-terms.ts";
import type { Duplex } from "./duplex.ts";

/** Bytes of one direction before its neighbours get their turn. */
const MAX_STEP = 1024 * 1024;
/** How often time-outs are looked at and bytes reported. */
const SWEEP_MS = 500;

export interface DuplexRelayRules {
  /** Milliseconds without a byte; Infinity for any. */
  readonly idle: number;
  /** When it ends whatever happens, in the reactor's time; Infinity for never. */
  readonly deadline: number;
}

/**
 * Pairs of connections whose bytes go both ways, at least one of each speaking TLS. What one side
 * does (end, RST, slowness), the other sees. What is on the way in a direction is bounded by what
 * its `Duplex` holds and one chunk.
 */
export class DuplexRelays {
  readonly #reactor: Reactor;
  readonly #relays = new Set<DuplexRelay>();
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  get open(): number {
    return this.#relays.size;
  }

  /** Relay between two connections, which are ours from now on. */
  join(client: Duplex, server: Duplex, owner: RelayOwner, rules: DuplexRelayRules): DuplexRelay {
    const gone: RelayOwner = {
      moved: (up, down) => owner.moved(up, down),
      over: (why) => {
        this.#relays.delete(relay);
        owner.over(why);
      },
    };
    const relay = new DuplexRelay(client, server, gone, rules, this.#reactor.now);
    this.#relays.add(relay);
    this.#forgetTurn ??= this.#reactor.onTurn(this.#turn);
    relay.start();
    return relay;
  }

  readonly #turn = (now: number): void => {
    if (this.#relays.size === 0) {
      this.#forgetTurn?.();
      this.#forgetTurn = undefined;
      return;
    }
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (const relay of this.#relays) relay.sweep(now);
  };
}

/** One pair. */
export class DuplexRelay {
  readonly #up: Direction;
  readonly #down: Direction;
  readonly #owner: RelayOwner;
  readonly #rules: DuplexRelayRules;
  /** Of the bytes, those that were reported. */
  #toldUp = 0;
  #toldDown = 0;
  #activeAt: number;
  #first: "client" | "server" | undefined;
  #over = false;

  constructor(
    client: Duplex,
    server: Duplex,
    owner: RelayOwner,
    rules: DuplexRelayRules,
    now: number,
  ) {
    this.#up = new Direction(client, server);
    this.#down = new Direction(server, client);
    this.#owner = owner;
    this.#rules = rules;
    this.#activeAt = now;
  }

  /** Move what is there already. */
  start(): void {
    this.#listen(this.#up, this.#down, "client");
    this.#listen(this.#down, this.#up, "server");
    this.#pump(this.#up, "client");
    if (!this.#over) this.#pump(this.#down, "server");
  }

  /** End it now; `abort` sends a RST to both. */
  end(why: RelayEnd, abort: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#tell();
    for (const { from } of [this.#up, this.#down]) {
      if (abort) from.abort();
      else from.close();
    }
    this.#owner.over(why);
  }

  sweep(now: number): void {
    if (this.#tell()) this.#activeAt = now;
    if (now - this.#activeAt >= this.#rules.idle) this.end("idle", false);
    else if (now >= this.#rules.deadline) this.end("total", false);
  }

  /** Of `side`: what comes from it goes by `out`, what goes to it by `back`. */
  #listen(out: Direction, back: Direction, side: "client" | "server"): void {
    const other = side === "client" ? "server" : "client";
    out.from.owner = {
      readable: () => this.#pump(out, side),
      writable: () => this.#pump(back, other),
      broken: () => this.#reset(side),
    };
  }

  #pump(direction: Direction, side: "client" | "server"): void {
    if (this.#over) return;
    const went = direction.pump();
    if (went === "more") setImmediate(() => this.#pump(direction, side));
    else if (went === "from gone") this.#reset(side);
    else if (went === "to gone") this.#reset(side === "client" ? "server" : "client");
    else if (went === "ended") this.#ended(side);
  }

  #ended(side: "client" | "server"): void {
    this.#first ??= side;
    if (this.#up.ended && this.#down.ended) this.end(this.#first, false);
    else (side === "client" ? this.#down : this.#up).from.finish();
  }

  #reset(side: "client" | "server"): void {
    this.end(`${side} reset`, true);
  }

  /** True when there was something to tell. */
  #tell(): boolean {
    const up = this.#up.bytes - this.#toldUp;
    const down = this.#down.bytes - this.#toldDown;
    if (up === 0 && down === 0) return false;
    this.#toldUp = this.#up.bytes;
    this.#toldDown = this.#down.bytes;
    this.#owner.moved(up, down);
    return true;
  }
}

/** Bytes of one side on their way to the other. */
class Direction {
  readonly from: Duplex;
  readonly #to: Duplex;
  bytes = 0;
  ended = false;
  /** What the receiver has not taken yet, from `#at` on. */
  #held: Uint8Array | undefined;
  #at = 0;

  constructor(from: Duplex, to: Duplex) {
    this.from = from;
    this.#to = to;
  }

  /** Move what is there and has room. "ended": the end was reached just now. */
  pump(): "rests" | "more" | "ended" | "from gone" | "to gone" {
    if (this.ended) return "rests";
    for (let moved = 0; ;) {
      if (this.#held !== undefined) {
        const n = this.#to.write(this.#held, this.#at, this.#held.length);
        if (n === GONE) return "to gone";
        if (n === AGAIN) return "rests";
        this.#at += n;
        this.bytes += n;
        if (this.#at < this.#held.length) return "rests";
        this.#held = undefined;
        this.from.hold(false);
      }
      if (moved > MAX_STEP) return "more";
      const bytes = this.from.take();
      if (bytes === AGAIN) return "rests";
      if (bytes === GONE) return "from gone";
      if (bytes === 0) {
        this.ended = true;
        return "ended";
      }
      moved += bytes.length;
      const n = this.#to.write(bytes, 0, bytes.length);
      if (n === GONE) return "to gone";
      const sent = n === AGAIN ? 0 : n;
      this.bytes += sent;
      if (sent === bytes.length) continue;
      // Whose memory it is, only its sender knows.
      this.from.hold(true);
      this.#held = bytes.slice(sent);
      this.#at = 0;
    }
  }
}
