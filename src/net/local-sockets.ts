import { lookup } from "node:dns/promises";
import { fchownSync } from "node:fs";

import type { Address } from "../core/address.ts";
import { type Lease, Leases } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import { bindDatagram, type DatagramOptions } from "../sys/datagram-socket.ts";
import { bindStream, listenStream, portOf, readBack, toSocketAddress } from "../sys/listen.ts";
import { close } from "../sys/socket.ts";
import { type Held, HeldSocket, type Inherited, nameOf } from "./held-socket.ts";
import { inheritance } from "./inheritance.ts";
import { type ListenSocket, type Sockets } from "./sockets.ts";

/**
 * The listening sockets of one process, leased by address, so that a reload which keeps an
 * address keeps its socket and everything waiting in its backlog.
 *
 * A supervisor takes one socket per worker by giving each a `slot`: with SO_REUSEPORT they share
 * the port. Where that cannot be (unix, `reusePort: false`, a socket inherited without it) every
 * slot gets the same socket. The sockets of slots beyond `count` stay open as long as their address
 * is listened on, in the hands of the slots that are left: see `inheritance`.
 */
export class LocalSockets implements Sockets {
  readonly #leases = new Leases<HeldSocket>();
  readonly #open = new Set<HeldSocket>();
  readonly #inherited: Inherited[];

  constructor(inherited: readonly Inherited[] = []) {
    this.#inherited = [...inherited];
  }

  /**
   * A share in the sockets of `address` that are for `slot` of `count`. The options of the latest
   * share are in force as far as the kernel lets them change (see `applyOptions`); when it is
   * given back, those of the one before it. Throws SysError.
   */
  async take(
    address: Address,
    options: SocketOptions,
    owner = "",
    { slot, count }: Share = ALONE,
  ): Promise<Lease<ListenSocket>> {
    const where = await resolved(address);
    const { reusePort } = options;
    const wanted = { where, owner, slot, count, reusePort, datagram: false };
    const all = await this.#takeAll(wanted, (at, shared) =>
      // The look at who is there must not listen: it would let somebody in, and close on him.
      shared
        ? listenStream(at, options)
        : { fd: bindStream(at, { ...options, reusePort: false }), port: 0 },
    );
    const sharing: HeldSocket[] = [];
    const lease = together(all, () => {
      for (const socket of sharing) socket.unshare(options);
    });
    try {
      for (const { value } of all) {
        value.share(options);
        sharing.push(value);
      }
      return lease;
    } catch (failed) {
      await lease[Symbol.asyncDispose]();
      throw failed;
    }
  }

  /** The same for UDP; the options are those of the first share. Throws SysError. */
  async takeDatagram(
    address: Address,
    options: DatagramOptions,
    owner = "",
    { slot, count }: Share = ALONE,
  ): Promise<Lease<ListenSocket>> {
    const where = await resolved(address);
    const { reusePort } = options;
    const wanted = { where, owner, slot, count, reusePort, datagram: true };
    return together(
      await this.#takeAll(wanted, (at, shared) =>
        bindDatagram(at, { ...options, reusePort: options.reusePort && shared }),
      ),
    );
  }

  /** The slot's own, and what it has of slots that are no more. */
  async #takeAll(wanted: Wanted, bind: Bind): Promise<Lease<HeldSocket>[]> {
    const { where, owner, slot, count, datagram } = wanted;
    const name = nameOf({ address: where, owner, datagram });
    const perSlot = this.#perSlot(name, where, wanted.reusePort);
    const take = (of: number): Promise<Lease<HeldSocket>> =>
      this.#leases.take(perSlot ? `${name} ${of}` : name, async () =>
        this.#make(name, wanted, of, bind),
      );
    const more = perSlot ? inheritance(this.#slotsOf(name), slot, count, !datagram) : [];
    const all: Lease<HeldSocket>[] = [];
    try {
      for (const of of [slot, ...more]) all.push(await take(of));
      return all;
    } catch (failed) {
      await together(all)[Symbol.asyncDispose]();
      throw failed;
    }
  }

  /** The slots that have a socket of this name, or will have the one they inherit. */
  #slotsOf(name: string): number[] {
    const open = [...this.#open].flatMap((s) => (s.name === name ? s.held.slot : []));
    const others = this.#inherited.flatMap((i) => (nameOf(i) === name ? (i.slot ?? []) : []));
    return [...new Set([...open, ...others])];
  }

  /** Has each slot its own socket? What is open or inherited decides before the options do. */
  #perSlot(name: string, where: Address, reusePort: boolean): boolean {
    if (where.kind === "unix") return false;
    const before =
      [...this.#open].find((s) => s.name === name)?.fd ??
      this.#inherited.find((i) => nameOf(i) === name)?.fd;
    return before === undefined ? reusePort : readBack(before).reusePort;
  }

  #make(name: string, wanted: Wanted, slot: number, bind: Bind): HeldSocket {
    const { where: address, owner, datagram } = wanted;
    const gone = (socket: HeldSocket): void => void this.#open.delete(socket);
    const taken = this.#adopt(name, slot);
    if (taken !== undefined) {
      const socket = new HeldSocket({ ...taken, address, slot }, portOf(taken.fd), gone);
      this.#open.add(socket);
      return socket;
    }
    // Port 0 is chosen once, by the first slot; the others join it.
    const sibling = [...this.#open].find((s) => s.name === name);
    const at = address.kind === "tcp" && sibling ? { ...address, port: sibling.port } : address;
    // With SO_REUSEPORT the kernel lets another program of the same user share the port with us, and
    // gives each a part of the connections: so look first whether anybody is there.
    if (sibling === undefined && at.kind === "tcp" && at.port !== 0) close(bind(at, false).fd);
    const { fd, port } = bind(at, true);
    const more = { ...(datagram && { datagram }), ...(owner !== "" && { owner }) };
    const socket = new HeldSocket({ address, slot, fd, ...more }, port, gone);
    this.#open.add(socket);
    return socket;
  }

  /** The inherited socket made for `slot`, or the first that was made for nobody. */
  #adopt(name: string, slot: number): Inherited | undefined {
    const mine = this.#inherited.filter((i) => nameOf(i) === name);
    const best =
      mine.find((i) => i.slot === slot) ??
      mine.find((i) => i.slot === undefined) ??
      // A path cannot be bound twice, so whoever asks takes it.
      mine.find((i) => i.address.kind === "unix" || !readBack(i.fd).reusePort);
    if (best !== undefined) this.#inherited.splice(this.#inherited.indexOf(best), 1);
    return best;
  }

  /** What is open now. */
  get held(): readonly Held[] {
    return [...this.#open].map((s) => s.held);
  }

  /**
   * What a new binary is to inherit. From here on closing a unix socket leaves its path, which
   * is the new binary's now.
   */
  handOver(): readonly Held[] {
    for (const socket of this.#open) socket.keepPath = true;
    return this.held;
  }

  /**
   * Close what was inherited and nobody took, once every listener of the config is up: an open
   * SO_REUSEPORT socket that nobody accepts from would swallow its share of the connections.
   * Answers what was closed.
   */
  closeUnclaimed(): readonly Address[] {
    const left = this.#inherited.splice(0);
    for (const { fd } of left) close(fd);
    return left.map((i) => i.address);
  }

  /**
   * Make every open socket that user's. To be called before privileges are dropped: the kernel
   * lets only sockets of one user share a port, and a later worker's will be that user's.
   */
  giveTo(uid: number, gid: number): void {
    for (const { fd } of [...this.#open, ...this.#inherited]) fchownSync(fd, uid, gid);
  }
}

/** The sockets that are for worker `slot` of `count`. */
export interface Share {
  readonly slot: number;
  readonly count: number;
}
const ALONE: Share = { slot: 0, count: 1 };

interface Wanted extends Share {
  readonly where: Address;
  readonly owner: string;
  readonly reusePort: boolean;
  readonly datagram: boolean;
}

/** Several leases as one; `before` is called once, before they are given back. */
function together(leases: readonly Lease<HeldSocket>[], before = () => {}): Lease<ListenSocket> {
  let ended: Promise<void> | undefined;
  const giveBack = async (): Promise<void> => {
    before();
    await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
  };
  const end = (): Promise<void> => (ended ??= giveBack());
  const fds = leases.map(({ value }) => value.fd);
  return {
    value: { fds, port: leases[0]?.value.port ?? 0, close: end },
    [Symbol.asyncDispose]: end,
  };
}

/** Bind; `shared` lets other sockets have the same port. */
type Bind = (address: Address, shared: boolean) => { fd: number; port: number };

/** A name such as localhost becomes the first address the resolver gives. */
async function resolved(address: Address): Promise<Address> {
  if (address.kind === "unix" || toSocketAddress(address) !== undefined) return address;
  const { address: host } = await lookup(address.host).catch(() => ({ address: address.host }));
  return { ...address, host };
}
