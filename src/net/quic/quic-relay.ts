import { bytesIp } from "../../core/ip-bytes.ts";
import { showIp } from "../../core/ip.ts";
import { DatagramForward, PEER_GONE } from "../../sys/datagram-forward.ts";
import type { Route } from "../../sys/datagram-route.ts";
import { dialDatagram } from "../../sys/datagram-socket.ts";
import { DatagramBatch } from "../../sys/datagram.ts";
import { address } from "../../sys/memory.ts";
import { close, GONE, send } from "../../sys/socket.ts";
import { mayBegin } from "../../wire/quic/datagram.ts";
import type { Remote } from "../http1/plain-transport.ts";
import { type Reactor, READABLE } from "../reactor.ts";
import { Mail, Mailbox } from "./mail.ts";

/** Datagrams moved by one system call. */
const BATCH = 64;
/** Batches before the neighbours in the event loop get their turn. */
const MAX_BATCHES = 4;
/** Bytes: no path that is not local carries more, and QUIC sends no more by default. */
const ROOM = 2048;
/** Nothing is answered from the batch itself. */
const NO_ANSWERS = 1;
/** Bytes the kernel holds for us while the server sends a burst. */
const BURST = 1024 * 1024;
/** A client silent for so long is forgotten: the server gives it up after 30 s. */
const SILENT_MS = 35_000;
/** One that has sent next to nothing may be nobody: its address proves nothing yet. */
const UNPROVEN = 3;
const UNPROVEN_MS = 5000;
const SWEEP_MS = 1000;
/** A client that began so lately and has asked nothing is shaking hands, and may be slow or unlucky. */
const HANDSHAKE_MS = 4000;
/** Clients of whom we have only seen data, and little: they moved here, or are making it up. */
const MOST_WANDERERS = 256;

/** Every relay of the thread uses them; nothing in them lasts beyond a call. */
let batch: DatagramBatch | undefined;
let forward: DatagramForward | undefined;

export interface QuicRelayParts {
  /** The sockets that clients write to. */
  readonly fds: readonly number[];
  /** The same in every process that has this port: `127.0.0.1:443`. */
  readonly listener: string;
  readonly reactor: Pick<Reactor, "add" | "remove" | "forget" | "now">;
  /** Clients at once; a new one beyond them gets no answer. */
  readonly most: number;
}

type Key = number | string;

/** A client, and its own socket to the inner server. */
interface Conversation {
  readonly key: Key;
  /** The client's datagrams come in, and ours leave, by this socket. */
  readonly outer: number;
  readonly route: Route;
  readonly fd: number;
  /** Of `fd`: by it the inner server knows the client. */
  readonly port: number;
  readonly remote: Remote;
  /** Began with data of a connection, not with the connection. */
  readonly wanders: boolean;
  /** Our server has said something to it: no other's client, then. */
  answered: boolean;
  readonly begunAt: number;
  /** Datagrams of the client. */
  heard: number;
  heardAt: number;
}

/**
 * Datagrams between QUIC clients and an inner server on loopback. The sockets that clients write
 * to are not the server's: they outlive it, and can be read by another process after this one.
 * A client is known by its address. To one that moves the server talks at the new address as soon
 * as it has seen by itself that it is the same (RFC 9000, 9).
 */
export class QuicRelay {
  /** When a client said anything last, in the reactor's time. */
  heardAt = 0;
  readonly #parts: QuicRelayParts;
  readonly #clients = new Map<Key, Conversation>();
  readonly #ports = new Map<number, Conversation>();
  readonly #mail: Mail;
  readonly #batch = (batch ??= new DatagramBatch(BATCH, ROOM, NO_ANSWERS));
  readonly #bytesAt = address(this.#batch.bytes);
  readonly #forward = (forward ??= new DatagramForward(BATCH, ROOM));
  #inner: number | undefined;
  #wanderers = 0;
  /** Who has asked nothing yet. */
  readonly #silent = new Set<Conversation>();
  #reading = false;
  #box: Mailbox | undefined;
  #sweeper: Timer | undefined;

  constructor(parts: QuicRelayParts) {
    this.#parts = parts;
    this.#mail = new Mail(parts.listener);
  }

  /** A request came to the inner server from `port`: whose it is; undefined for a stranger. */
  asks(port: number): Remote | undefined {
    const one = this.#ports.get(port);
    if (one !== undefined) this.#silent.delete(one);
    return one?.remote;
  }

  /** Whether anybody may be shaking hands. */
  get shaking(): boolean {
    const since = this.#parts.reactor.now - HANDSHAKE_MS;
    for (const one of this.#silent) if (one.begunAt > since) return true;
    return false;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** From now on new clients go to the server at `port`. */
  serve(port: number): void {
    this.#inner = port;
    if (this.#reading) return;
    this.#reading = true;
    for (const fd of this.#parts.fds)
      this.#parts.reactor.add(fd, READABLE, () => this.#fromClients(fd));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Let another process read: take no new clients, and of those that are here what it passes on. */
  leave(): void {
    if (!this.#reading) return;
    this.#reading = false;
    for (const fd of this.#parts.fds) this.#parts.reactor.remove(fd);
    this.#box = new Mailbox(this.#parts.listener, this.#parts.reactor, (client, port, datagram) => {
      if (client.length !== 4 && client.length !== 16) return;
      const known = this.#clients.get(keyOf(client, port));
      if (known !== undefined) this.#toServer(known, address(datagram), datagram.length);
    });
  }

  close(): void {
    this.leave();
    this.#box?.close();
    this.#mail.close();
    clearInterval(this.#sweeper);
    for (const one of this.#clients.values()) this.#end(one);
  }

  #fromClients(fd: number): void {
    const { room, size } = this.#batch;
    for (let round = 0; round < MAX_BATCHES; round++) {
      const count = this.#batch.receive(fd);
      for (let i = 0; i < count; i++) {
        if (this.#batch.cut(i)) continue;
        const key = keyOf(this.#batch.clientOf(i), this.#batch.portOf(i));
        const known = this.#clients.get(key);
        // It may be another process's still: that one knows, and this server says nothing to it. Not
        // only a connection's first datagram looks like one.
        const ours = known?.answered === true && !known.wanders;
        const passed = !ours && this.#pass(i);
        const one = known ?? this.#begin(fd, i, key, passed);
        if (one !== undefined)
          this.#toServer(one, this.#bytesAt + i * room, this.#batch.lengthOf(i));
      }
      if (count < size) return;
    }
  }

  /** To the processes that leave; false when there is none. */
  #pass(i: number): boolean {
    const from = i * this.#batch.room;
    const datagram = this.#batch.bytes.subarray(from, from + this.#batch.lengthOf(i));
    const { now } = this.#parts.reactor;
    return this.#mail.pass(this.#batch.clientOf(i), this.#batch.portOf(i), datagram, now);
  }

  /** Somebody we do not know: a new client, another process's, or nobody's. */
  #begin(outer: number, i: number, key: Key, passed: boolean): Conversation | undefined {
    const { reactor, most } = this.#parts;
    const client = this.#batch.clientOf(i);
    const port = this.#batch.portOf(i);
    const from = i * this.#batch.room;
    const to = from + this.#batch.lengthOf(i);
    if (this.#inner === undefined || this.#clients.size >= most || port === 0) return undefined;
    const wanders = !mayBegin(this.#batch.bytes, from, to);
    if (wanders && (passed || this.#wanderers >= MOST_WANDERERS)) return undefined;
    const inner = dialDatagram(this.#inner, BURST);
    if (inner === undefined) return undefined;
    const one: Conversation = {
      key,
      outer,
      route: this.#batch.routeOf(i),
      ...inner,
      remote: { address: showIp(bytesIp(client)), port },
      wanders,
      answered: false,
      begunAt: reactor.now,
      heard: 0,
      heardAt: reactor.now,
    };
    this.#clients.set(key, one);
    this.#ports.set(inner.port, one);
    if (wanders) this.#wanderers++;
    else this.#silent.add(one);
    reactor.add(inner.fd, READABLE, () => this.#fromServer(one));
    return one;
  }

  #toServer(one: Conversation, at: number, length: number): void {
    if (++one.heard === UNPROVEN && one.wanders) this.#wanderers--;
    one.heardAt = this.#parts.reactor.now;
    this.heardAt = one.heardAt;
    if (send(one.fd, at, length, false) === GONE) this.#end(one);
  }

  #fromServer(one: Conversation): void {
    for (let round = 0; round < MAX_BATCHES; round++) {
      const n = this.#forward.move(one.fd, one.outer, one.route);
      if (n === PEER_GONE) return this.#end(one);
      one.answered ||= n > 0;
      if (n < BATCH) return;
    }
  }

  #end(one: Conversation): void {
    if (!this.#clients.delete(one.key)) return;
    this.#ports.delete(one.port);
    this.#silent.delete(one);
    if (one.wanders && one.heard < UNPROVEN) this.#wanderers--;
    this.#parts.reactor.forget(one.fd);
    close(one.fd);
  }

  #sweep(): void {
    const { now } = this.#parts.reactor;
    for (const one of this.#clients.values()) {
      const patience = one.heard < UNPROVEN ? UNPROVEN_MS : SILENT_MS;
      if (now - one.heardAt > patience) this.#end(one);
    }
  }
}

/** IPv4 fits a number with its port, which is the faster key. */
function keyOf(client: Uint8Array, port: number): Key {
  if (client.length === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = client;
    return (((a * 256 + b) * 256 + c) * 256 + d) * 65_536 + port;
  }
  let key = String.fromCharCode(port);
  for (let i = 0; i < client.length; i += 2)
    key += String.fromCharCode((client[i]! << 8) | client[i + 1]!); // sixteen bytes
  return key;
}
