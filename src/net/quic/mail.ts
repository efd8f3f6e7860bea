import { block } from "../../sys/memory.ts";
import { AGAIN, close, receive } from "../../sys/socket.ts";
import { abstractNames, sendToName, unixDatagram } from "../../sys/unix-datagram.ts";
import { type Reactor, READABLE } from "../reactor.ts";

/**
 * Datagrams between processes on one port. A process that leaves still has conversations, but the
 * port is read by another, which passes on what it knows nothing of:
 *
 *     port(2)  address length(1)  address(4 or 16)  datagram
 */
const HEAD = 3;
const ROOM = 4096;
/** How long a look at who is leaving is good for; and looking takes no more than one in so much time. */
const LOOK_MS = 250;
const LOOK_SHARE = 50;
/** Nobody has so many processes; whoever makes up names shall not cost us more. */
const MOST = 64;

const IN = block(ROOM);
const OUT = block(ROOM);

const boxesOf = (listener: string): string => `tern/quic/${listener}/`;
let boxes = 0;

/** Who a datagram came from, and itself; shared memory, gone after the call. */
export type Deliver = (client: Uint8Array, port: number, datagram: Uint8Array) => void;

/** The box of a process that leaves. Throws SysError. */
export class Mailbox {
  readonly #fd: number;
  readonly #reactor: Reactor;

  constructor(listener: string, reactor: Reactor, deliver: Deliver) {
    this.#fd = unixDatagram(`${boxesOf(listener)}${process.pid}.${++boxes}`);
    this.#reactor = reactor;
    reactor.add(this.#fd, READABLE, () => {
      for (;;) {
        const n = receive(this.#fd, IN.at, ROOM);
        if (n === AGAIN || n <= 0) return;
        const length = IN.bytes[2] ?? 0;
        if (n < HEAD + length || (length !== 4 && length !== 16)) continue;
        const client = IN.bytes.subarray(HEAD, HEAD + length);
        deliver(client, IN.view.getUint16(0), IN.bytes.subarray(HEAD + length, n));
      }
    });
  }

  close(): void {
    this.#reactor.forget(this.#fd);
    close(this.#fd);
  }
}

/** The boxes of others on this port. */
export class Mail {
  readonly #prefix: string;
  #fd: number | undefined;
  #names: readonly string[] = [];
  #lookAt = 0;

  constructor(listener: string) {
    this.#prefix = boxesOf(listener);
  }

  /**
   * Put a datagram into all of them: whoever knows the client takes it. False when there are none.
   */
  pass(client: Uint8Array, port: number, datagram: Uint8Array, now: number): boolean {
    if (now >= this.#lookAt) {
      const began = performance.now();
      this.#names = abstractNames(this.#prefix).slice(0, MOST);
      this.#lookAt = now + Math.max(LOOK_MS, (performance.now() - began) * LOOK_SHARE);
    }
    const length = HEAD + client.length + datagram.length;
    if (this.#names.length === 0 || length > ROOM) return false;
    OUT.view.setUint16(0, port);
    OUT.bytes[2] = client.length;
    OUT.bytes.set(client, HEAD);
    OUT.bytes.set(datagram, HEAD + client.length);
    this.#fd ??= unixDatagram();
    for (const name of this.#names) sendToName(this.#fd, name, OUT.bytes.subarray(0, length));
    return true;
  }

  close(): void {
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }
}
