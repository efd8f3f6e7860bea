import { abstractNames, holdName } from "../../sys/abstract-names.ts";
import { bindDatagram, dialDatagram } from "../../sys/datagram-socket.ts";
import { block } from "../../sys/memory.ts";
import { close, receive, send } from "../../sys/socket.ts";
import { type Reactor, READABLE } from "../reactor.ts";

/**
 * Datagrams between processes on one port. A process that leaves still has conversations, but the
 * port is read by another, which passes on what it knows nothing of:
 *
 *     port(2)  length(1)  address, or another name of the client  datagram
 *
 * They go over loopback: a socket of the unix kind holds ten, and a batch has sixty. Which port that
 * is says an abstract unix name that nothing is ever sent to: `tern/quic/LISTENER/PID.COUNT.PORT`.
 */
const HEAD = 3;
/** All that UDP carries over loopback. */
const ROOM = 65_507;
/** Bytes that may wait for who is leaving. */
const BUFFER = 1024 * 1024;
/**
 * How long a look at who is leaving is good for; and looking takes no more of the processor than one
 * in so much. Who leaves waits for a second of silence: we must have found it long before.
 */
const LOOK_MS = 20;
const LOOK_SHARE = 50;
const LOOK_MOST_MS = 500;
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
  #sign: number | undefined;
  readonly #reactor: Pick<Reactor, "forget">;

  constructor(listener: string, reactor: Pick<Reactor, "add" | "forget">, deliver: Deliver) {
    const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const { fd, port } = bindDatagram(at, { reusePort: false, buffer: BUFFER });
    try {
      this.#sign = holdName(`${boxesOf(listener)}${process.pid}.${++boxes}.${port}`);
    } catch (failed) {
      close(fd);
      throw failed;
    }
    this.#fd = fd;
    this.#reactor = reactor;
    reactor.add(fd, READABLE, () => {
      for (;;) {
        const n = receive(fd, IN.at, ROOM);
        if (n <= 0) return; // AGAIN, or a broken socket: there is nothing more
        const length = IN.bytes[2] ?? 0;
        if (n < HEAD + length) continue;
        const client = IN.bytes.subarray(HEAD, HEAD + length);
        deliver(client, IN.view.getUint16(0), IN.bytes.subarray(HEAD + length, n));
      }
    });
  }

  /** Nobody finds it from now on; who has found it may still put something in. */
  hide(): void {
    if (this.#sign !== undefined) close(this.#sign);
    this.#sign = undefined;
  }

  close(): void {
    this.#reactor.forget(this.#fd);
    close(this.#fd);
    this.hide();
  }
}

/** The boxes of others on this port. */
export class Mail {
  readonly #prefix: string;
  /** A socket to each, by its name. */
  #boxes = new Map<string, number>();
  #lookAt = -Infinity;

  constructor(listener: string) {
    this.#prefix = boxesOf(listener);
  }

  /**
   * Put a datagram into all of them: whoever knows the client takes it. False when there are none.
   * `now`: milliseconds that only go forward.
   */
  pass(client: Uint8Array, port: number, datagram: Uint8Array, now: number): boolean {
    if (now >= this.#lookAt) {
      const before = process.cpuUsage();
      this.#look();
      const { user, system } = process.cpuUsage(before);
      const pause = ((user + system) / 1000) * LOOK_SHARE;
      this.#lookAt = now + Math.min(Math.max(LOOK_MS, pause), LOOK_MOST_MS);
    }
    const length = HEAD + client.length + datagram.length;
    if (this.#boxes.size === 0 || length > ROOM) return false;
    OUT.view.setUint16(0, port);
    OUT.bytes[2] = client.length;
    OUT.bytes.set(client, HEAD);
    OUT.bytes.set(datagram, HEAD + client.length);
    // A box that is gone is seen with the next look; one that is full loses it, as networks do.
    for (const fd of this.#boxes.values()) send(fd, OUT.at, length, false);
    return true;
  }

  close(): void {
    for (const fd of this.#boxes.values()) close(fd);
    this.#boxes.clear();
  }

  #look(): void {
    const found = new Map<string, number>();
    for (const name of abstractNames(this.#prefix).slice(0, MOST)) {
      const fd = this.#boxes.get(name) ?? dial(name);
      if (fd !== undefined) found.set(name, fd);
    }
    for (const [name, fd] of this.#boxes) if (!found.has(name)) close(fd);
    this.#boxes = found;
  }
}

function dial(name: string): number | undefined {
  const port = Number(/\.(\d{1,5})$/.exec(name)?.[1]);
  return port > 0 && port < 65_536 ? dialDatagram(port, 0)?.fd : undefined;
}
