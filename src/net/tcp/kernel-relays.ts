import { address, block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import { queuedBytes } from "../../sys/tcp-info.ts";
import { BROKEN, EDGE, HALF_CLOSED, type Reactor, WRITABLE } from "../reactor.ts";
import { ALL_ONCE } from "./dialer.ts";
import type { RelayEnd, RelayOwner, RelayRules } from "./relay-terms.ts";
import type { Sockmap } from "./sockmap.ts";

/** While a pair's bytes go by themselves only its end is told. */
const QUIET = HALF_CLOSED | EDGE;
const ERROR = 0x8; // EPOLLERR
/** How often the ledger is looked at: bytes beyond a window wait for so long. */
const LOOK_MS = 50;
/** Looks without anything to do until a pair is quiet. */
const CALM_LOOKS = 3;
/** How often bytes are reported and time-outs looked at. */
const TELL_MS = 500;
/** So long we go round at once for a peer that has not taken everything yet, and not again for so long. */
const HASTE_MS = 5;
const PATIENCE_MS = 1000;

const READ = block(64 * 1024);

type Patience = Pick<RelayRules, "idle" | "deadline">;

/** One socket of a pair, and the direction from it. */
class Side {
  /** Bytes that were left to us and that we read. */
  read = 0;
  /** What its peer has not taken of them, from `from` on. */
  held: Uint8Array | undefined;
  from = 0;
  /** Its FIN has come; and its peer was told, after all bytes. */
  finished = false;
  ended = false;
  /** Redirected and read, as far as it was reported. */
  told = 0;
  /** As far as the last look saw. */
  seen = 0;

  constructor(
    readonly fd: number,
    readonly row: number,
    /** Bytes that its peer had been sent before. */
    readonly base: number,
  ) {}
}

class Pair {
  first: "client" | "server" | undefined;
  calm = 0;
  quiet = false;
  /** Until when its peer is asked again and again whether it took everything. */
  hasteUntil = -Infinity;

  constructor(
    readonly client: Side,
    readonly server: Side,
    readonly owner: RelayOwner,
    readonly rules: Patience,
    public active: number,
  ) {}
}

/**
 * Pairs whose bytes the kernel hands over by itself, through a Sockmap. We read and send only what
 * its verdict leaves to us (the first bytes, and those beyond a window), and pass on ends.
 */
export class KernelRelays {
  readonly #reactor: Reactor;
  readonly #map: Sockmap;
  readonly #pairs: (Pair | undefined)[] = [];
  readonly #all = new Set<Pair>();
  #hasty = new Set<Pair>();
  readonly #closing: number[] = [];
  #lookAt = 0;
  #tellAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor, map: Sockmap) {
    this.#reactor = reactor;
    this.#map = map;
  }

  /**
   * As `Relays.join`; both are watched by the reactor, and no segment of theirs may have been read
   * in part. False when the kernel does not want them: nothing has happened.
   */
  join(client: number, server: number, owner: RelayOwner, rules: Patience): boolean {
    const bases = [queuedBytes(server), queuedBytes(client)] as const;
    const up = this.#map.seat(client, server);
    if (up === undefined) return false;
    const down = this.#map.seat(server, client);
    const pair = new Pair(
      new Side(client, up, bases[0]),
      new Side(server, down ?? -1, bases[1]),
      owner,
      rules,
      this.#reactor.now,
    );
    this.#pairs[client] = pair;
    this.#pairs[server] = pair;
    this.#all.add(pair);
    this.#forgetTurn ??= this.#reactor.onTurn(this.#turn);
    this.#reactor.handOver(server, this.#ready);
    this.#reactor.handOver(client, this.#ready);
    // Bytes may be on their way through the map already: there is no way back.
    if (down === undefined) this.#finish(pair, "server reset", true);
    else this.#attendBoth(pair);
    return true;
  }

  has(client: number): boolean {
    return this.#pairs[client]?.client.fd === client;
  }

  end(client: number, why: RelayEnd, abort: boolean): void {
    const pair = this.#pairs[client];
    if (pair?.client.fd === client) this.#finish(pair, why, abort);
  }

  readonly #ready = (events: number, fd: number): void => {
    const pair = this.#pairs[fd];
    if (pair === undefined) return;
    const [side, peer] =
      pair.client.fd === fd ? [pair.client, pair.server] : [pair.server, pair.client];
    pair.active = this.#reactor.now;
    if ((events & ERROR) !== 0) return this.#reset(pair, side);
    if ((events & (HALF_CLOSED | BROKEN)) !== 0) side.finished = true;
    if ((events & WRITABLE) !== 0 && peer.held !== undefined) this.#attend(pair, peer, side);
    if ((events & ~WRITABLE) !== 0 && this.#all.has(pair)) this.#attend(pair, side, peer);
  };

  #attendBoth(pair: Pair): void {
    this.#attend(pair, pair.client, pair.server);
    if (this.#all.has(pair)) this.#attend(pair, pair.server, pair.client);
  }

  /** Read and send what the verdict left to us, once the peer took everything before it. */
  #attend(pair: Pair, side: Side, peer: Side): void {
    if (side.ended || !this.#flush(pair, side, peer)) return;
    if (!this.#map.holds(side.row) && !side.finished) return;
    for (;;) {
      if (!this.#taken(side, peer)) return this.#hurry(pair);
      const n = socket.receive(side.fd, READ.at, READ.bytes.length);
      if (n === socket.AGAIN) break;
      if (n === socket.GONE) return this.#reset(pair, side);
      if (n === 0) return this.#ended(pair, side, peer);
      side.read += n;
      const sent = socket.send(peer.fd, READ.at, n, false);
      if (sent === n) continue;
      if (sent === socket.GONE) return this.#reset(pair, peer);
      side.held = READ.bytes.slice(Math.max(0, sent), n);
      side.from = 0;
      return this.#wake(pair);
    }
    this.#map.resume(side.row, side.read);
  }

  /** Has the peer's send queue got everything of this direction? */
  #taken(side: Side, peer: Side): boolean {
    const wanted = side.base + this.#map.redirected(side.row) + side.read;
    return queuedBytes(peer.fd) >= wanted;
  }

  /** Send what is held; true when nothing is. */
  #flush(pair: Pair, side: Side, peer: Side): boolean {
    const { held, from } = side;
    if (held === undefined) return true;
    const sent = socket.send(peer.fd, address(held) + from, held.length - from, false);
    if (sent === socket.GONE) {
      this.#reset(pair, peer);
      return false;
    }
    if (sent > 0) side.from += sent;
    if (side.from < held.length) return false;
    side.held = undefined;
    return true;
  }

  #ended(pair: Pair, side: Side, peer: Side): void {
    side.finished = true;
    side.ended = true;
    pair.first ??= side === pair.client ? "client" : "server";
    if (peer.ended) this.#finish(pair, pair.first, false);
    else socket.finish(peer.fd);
  }

  #reset(pair: Pair, side: Side): void {
    this.#finish(pair, side === pair.client ? "client reset" : "server reset", true);
  }

  #hurry(pair: Pair): void {
    this.#wake(pair);
    const now = performance.now();
    if (now > pair.hasteUntil + PATIENCE_MS) pair.hasteUntil = now + HASTE_MS;
    if (now > pair.hasteUntil) return; // until the next look
    this.#hasty.add(pair);
    this.#reactor.nudge();
  }

  /** There is something for us to do: be told of everything. */
  #wake(pair: Pair): void {
    pair.calm = 0;
    if (!pair.quiet) return;
    pair.quiet = false;
    this.#watch(pair, ALL_ONCE);
  }

  #watch(pair: Pair, events: number): void {
    this.#reactor.modify(pair.client.fd, events);
    this.#reactor.modify(pair.server.fd, events);
  }

  #finish(pair: Pair, why: RelayEnd, abort: boolean): void {
    if (!this.#all.delete(pair)) return;
    this.#hasty.delete(pair);
    this.#tell(pair);
    for (const { fd, row } of [pair.server, pair.client]) {
      this.#pairs[fd] = undefined;
      if (row >= 0) this.#map.unseat(fd, row);
      this.#reactor.forget(fd);
      this.#closing.push(abort ? ~fd : fd); // as in Relays: not while its number may be spoken of
    }
    pair.owner.over(why);
  }

  readonly #turn = (now: number): void => {
    for (const fd of this.#closing.splice(0)) {
      if (fd < 0) socket.abort(~fd);
      else socket.close(fd);
    }
    const hasty = this.#hasty;
    if (hasty.size > 0) this.#hasty = new Set(); // who is not done goes in there
    for (const pair of hasty) if (this.#all.has(pair)) this.#attendBoth(pair);
    if (now >= this.#lookAt) this.#look(now);
    if (this.#all.size > 0 || this.#closing.length > 0) return;
    this.#forgetTurn?.();
    this.#forgetTurn = undefined;
  };

  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    const telling = now >= this.#tellAt;
    if (telling) this.#tellAt = now + TELL_MS;
    for (const pair of this.#all) {
      const { client, server, rules } = pair;
      const moved = [this.#moved(pair, client, server), this.#moved(pair, server, client)];
      if (moved.includes(true)) pair.active = now;
      if (!this.#all.has(pair)) continue;
      if (!pair.quiet && ++pair.calm > CALM_LOOKS && !this.#busy(pair)) {
        pair.quiet = true;
        this.#watch(pair, QUIET);
      }
      if (!telling) continue;
      this.#tell(pair);
      if (now - pair.active >= rules.idle) this.#finish(pair, "idle", false);
      else if (now >= rules.deadline) this.#finish(pair, "total", false);
    }
  }

  /** Did anything go from this side since the last look? Gives it another window, or sees to what is left to us. */
  #moved(pair: Pair, side: Side, peer: Side): boolean {
    if (!this.#all.has(pair) || side.ended) return false;
    const now = this.#map.redirected(side.row) + side.read;
    const moved = now !== side.seen;
    side.seen = now;
    if (this.#map.holds(side.row) || side.finished || side.held !== undefined) {
      this.#wake(pair);
      this.#attend(pair, side, peer);
    } else if (moved && this.#map.runsLow(side.row) && this.#taken(side, peer))
      this.#map.extend(side.row);
    return moved;
  }

  #busy({ client, server }: Pair): boolean {
    return [client, server].some((side) => side.held !== undefined || this.#map.holds(side.row));
  }

  #tell({ client, server, owner }: Pair): void {
    const [up, down] = [client, server].map((side) => {
      const now = side.row < 0 ? 0 : this.#map.redirected(side.row) + side.read;
      const more = now - side.told;
      side.told = now;
      return more;
    }) as [number, number]; // as many as there are sides
    if (up > 0 || down > 0) owner.moved(up, down);
  }
}
