import { Mail, Mailbox } from "../../../net/quic/mail.ts";
import type { Reactor } from "../../../net/reactor.ts";
import type { Count } from "../../../net/tally/count.ts";
import type { Tallies } from "../../../net/tally/tallies.ts";
import { socketCookie } from "../../../sys/tcp-info.ts";
import type { ClientKey, UdpClient } from "./udp-client.ts";

/** A box that nobody is to find any more is emptied for so long: whoever found it looks again by then. */
const FAREWELL_MS = 1000;
/** Clients that others are asked about; beyond them whoever comes is new. */
const MOST_ASKED = 10_000;
/** Nobody is answered by the port of a letter: clients are known by their keys. */
const NO_PORT = 0;

/** Who has a socket besides us, and what is to be done with their datagrams. */
export interface SuccessionParts {
  readonly fd: number;
  readonly reactor: Reactor;
  readonly tallies: Tallies;
  /** A datagram of a client that may be ours still; false: we know nothing of it. */
  readonly known: (key: ClientKey, datagram: Uint8Array) => boolean;
  /** A datagram of a client that was asked about, and is nobody else's. */
  readonly returned: (client: UdpClient, datagram: Uint8Array) => void;
}

/**
 * One socket, handed from process to process (an upgrade, other workers). One of them reads it: the
 * next begins when the one before has left. Who has left keeps its clients: what comes from clients
 * that the reader does not know goes to it, over loopback, and comes back when it knows nothing of them.
 *
 *     reader ── key, datagram ──> who leaves ──> its server
 *            <── key, datagram ──  (no such client: it is a new one)
 */
export class Succession {
  readonly #parts: SuccessionParts;
  readonly #name: string;
  readonly #readers: Count;
  readonly #leavers: Count;
  readonly #waiters: Count;
  #state: "idle" | "waiting" | "reading" | "leaving" = "idle";
  #stopLooking: (() => void) | undefined;
  /** Clients that others were asked about, or are theirs. */
  readonly #asked = new Map<ClientKey, UdpClient>();
  #mail: Mail | undefined;
  #box: Mailbox | undefined;
  /** Somebody who left before us still has clients. */
  #elder = false;

  constructor(parts: SuccessionParts) {
    const { fd, tallies } = parts;
    this.#parts = parts;
    this.#name = `balance.${Buffer.from(socketCookie(fd)).toString("hex")}`;
    this.#readers = tallies.count(`${this.#name} readers`);
    this.#leavers = tallies.count(`${this.#name} leavers`);
    this.#waiters = tallies.count(`${this.#name} waiters`);
  }

  /** Read it from now on, or as soon as nobody else does. */
  begin(read: () => void): void {
    if (this.#state === "leaving") this.#left();
    if (this.#state !== "idle") return;
    this.#state = "waiting";
    this.#waiters.add();
    const look = (): void => {
      if (!this.#readers.take(1)) return;
      this.#waitNoMore();
      this.#state = "reading";
      read();
    };
    this.#stopLooking = this.#parts.tallies.watch(look);
    look();
  }

  /** Read it no more: another process may, and asks us about clients that it does not know. */
  leave(): void {
    if (this.#state === "waiting") {
      this.#waitNoMore();
      this.#state = "idle";
    }
    if (this.#state !== "reading") return;
    this.#state = "leaving";
    this.#noMail();
    this.#elder = this.#leavers.elsewhere > 0;
    const { reactor, known } = this.#parts;
    this.#box = new Mailbox(`${this.#name}.left`, reactor, (label, _, datagram) => {
      const key = keyIn(label);
      if (known(key, datagram)) return;
      this.#mail ??= new Mail(`${this.#name}.reads`);
      this.#mail.pass(label, NO_PORT, datagram, reactor.now);
    });
    this.#leavers.add();
    this.#readers.leave();
  }

  /** We have left, and another process reads. */
  get succeeded(): boolean {
    if (this.#state !== "leaving") return false;
    if (this.#elder) this.#elder = this.#leavers.elsewhere > 0;
    // Whoever leaves after us is asked from now on: one at a time can be.
    else if (this.#leavers.elsewhere > 0) return false;
    return this.#hasHeir;
  }

  /** Ask who has left whether this client is theirs; false: it is not, or there is nobody to be asked. */
  ask(key: ClientKey, datagram: Uint8Array, whole: () => UdpClient): boolean {
    if (this.#leavers.elsewhere === 0) {
      this.#asked.clear();
      this.#noMail();
      return false;
    }
    if (!this.#asked.has(key)) {
      if (this.#asked.size >= MOST_ASKED) return false;
      this.#asked.set(key, whole());
    }
    const { reactor, returned } = this.#parts;
    this.#box ??= new Mailbox(`${this.#name}.reads`, reactor, (label, _, bytes) => {
      const client = this.#asked.get(keyIn(label));
      if (client !== undefined) returned(client, bytes); // else it was not we who asked
    });
    this.#mail ??= new Mail(`${this.#name}.left`);
    if (this.#mail.pass(labelOf(key), NO_PORT, datagram, reactor.now)) return true;
    this.#leavers.full(0); // nobody has a box: do they live?
    return false;
  }

  async close(): Promise<void> {
    this.leave();
    if (this.#state === "leaving") {
      if (this.#hasHeir) {
        this.#box?.hide();
        await Bun.sleep(FAREWELL_MS);
      }
      this.#left();
    }
    this.#noMail();
    for (const count of [this.#readers, this.#leavers, this.#waiters]) count.close();
  }

  get #hasHeir(): boolean {
    return this.#readers.elsewhere + this.#waiters.elsewhere > 0;
  }

  #left(): void {
    this.#leavers.leave();
    this.#noMail();
    this.#state = "idle";
  }

  #waitNoMore(): void {
    this.#waiters.leave();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  #noMail(): void {
    this.#mail?.close();
    this.#box?.close();
    this.#mail = undefined;
    this.#box = undefined;
  }
}

function labelOf(key: ClientKey): Uint8Array {
  return Buffer.from(typeof key === "number" ? `n${key}` : `s${key}`, "latin1");
}

function keyIn(label: Uint8Array): ClientKey {
  const text = Buffer.from(label).toString("latin1");
  return text.startsWith("n") ? Number(text.slice(1)) : text.slice(1);
}
