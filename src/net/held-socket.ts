import { lstatSync, unlinkSync } from "node:fs";

import type { Address } from "../core/address.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import { applyOptions } from "../sys/listen.ts";
import { close } from "../sys/socket.ts";
import { listenerName } from "./sockets.ts";

/** A listening socket made elsewhere: by systemd, or by the process we replace. */
export interface Inherited {
  readonly address: Address;
  readonly fd: number;
  /** UDP. */
  readonly datagram?: boolean;
  /** The worker it was made for; without one, the first to ask gets it. */
  readonly slot?: number;
  /** Of port 0: who has it (see `listenerName`). */
  readonly owner?: string;
  /** Its maker keeps the unix path (systemd): closing leaves it in place. */
  readonly lent?: boolean;
}

/** A socket now open here, for a new binary to inherit. */
export interface Held extends Inherited {
  readonly slot: number;
}

/** What a socket is leased by. TCP and UDP have the same ports, and are others'. */
export function nameOf({
  address,
  datagram,
  owner = "",
}: Pick<Inherited, "address" | "datagram" | "owner">): string {
  return `${datagram ? "udp " : ""}${listenerName(address, owner)}`;
}

/** One listening socket, its descriptor owned, and the options of its shares, latest last. */
export class HeldSocket {
  readonly name: string;
  keepPath: boolean;
  readonly #inode: bigint | undefined;
  readonly #shares: SocketOptions[] = [];
  readonly #gone: (socket: HeldSocket) => void;

  constructor(
    readonly held: Held,
    readonly port: number,
    gone: (socket: HeldSocket) => void,
  ) {
    this.name = nameOf(held);
    this.keepPath = held.lent ?? false;
    this.#inode = inodeOf(held.address);
    this.#gone = gone;
  }

  get fd(): number {
    return this.held.fd;
  }

  /** Put these options in force, as far as the kernel lets them change. Throws SysError. */
  share(options: SocketOptions): void {
    this.#shares.push(options);
    applyOptions(this.fd, options);
  }

  /** A share is given back: the options of the latest one left are in force. Throws SysError. */
  unshare(options: SocketOptions): void {
    const at = this.#shares.lastIndexOf(options);
    this.#shares.splice(at, 1);
    const latest = this.#shares.at(-1);
    const wasLatest = at === this.#shares.length;
    if (wasLatest && latest !== undefined) applyOptions(this.fd, latest);
  }

  /** Close it, and remove its unix path unless that is another's by now. */
  async close(): Promise<void> {
    this.#gone(this);
    const { address } = this.held;
    // Only the file this socket is bound to: another server may have taken the path since.
    if (!this.keepPath && address.kind === "unix" && inodeOf(address) === this.#inode)
      removeQuietly(address.path);
    close(this.fd);
  }
}

/** Undefined for TCP, abstract names, and a path that is gone. */
function inodeOf(address: Address): bigint | undefined {
  if (address.kind !== "unix" || address.path.startsWith("@")) return undefined;
  return lstatSync(address.path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** After a drop of privileges the directory may not be ours any more; a stale path does no harm. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}
