import { peerOf } from "../../sys/peer.ts";
import type { SocketAddress } from "../../sys/sockaddr.ts";
import * as socket from "../../sys/socket.ts";
import type { Front } from "../fronts/front.ts";
import { hasPreface, PREFACE } from "../fronts/plain-relay.ts";
import { BROKEN, READABLE, WRITABLE } from "../reactor.ts";
import { TurnWriter, type TurnWriterOwner } from "../turn-writer.ts";
import { READ } from "./read-buffer.ts";
import type { Session } from "./session.ts";
import type { Transport } from "./transport.ts";

/** One sendfile(2): big enough to be cheap, small enough that neighbours get their turn. */
const FILE_STEP = 2 * 1024 * 1024;
/** Reads from one socket before its neighbours get their turn. */
const MAX_READS = 8;
/** How long a client may take for the last bytes of a connection that is closed. */
const LAST_BYTES_MS = 30_000;

/** Whose connection it is. */
export interface Remote {
  readonly address: string;
  readonly port: number;
}

/** A session's bytes over a plain socket that the reactor watches. */
export class PlainTransport implements Transport, TurnWriterOwner {
  readonly secure = false;
  readonly fileStep = FILE_STEP;
  readonly fd: number;
  readonly #front: Front;
  #session: Session | undefined;
  #remote: Remote | undefined;
  #registered = false;
  readonly #writer: TurnWriter;
  /** What the session wants to be told of. */
  #reading = true;
  #writing = false;
  /** What the reactor tells. */
  #events = READABLE;
  /** What is to be done when all is sent. */
  #then: "finish" | "close" | undefined;
  #patience: Timer | undefined;
  #open = true;
  #fresh = true;

  constructor(front: Front, fd: number, remote: Remote | undefined) {
    this.#front = front;
    this.fd = fd;
    this.#remote = remote;
    this.#writer = new TurnWriter(front.reactor, fd, this);
  }

  /** Serve `session`, beginning with bytes that may be there already. */
  run(session: Session): void {
    this.#session = session;
    this.#ready(READABLE);
    if (!this.#open) return;
    this.#registered = true;
    this.#front.reactor.add(this.fd, this.#events, this.#ready);
  }

  readonly #ready = (events: number): void => {
    const session = this.#session;
    if (session === undefined) return;
    if (!this.#open) return this.#last(events);
    if ((events & READABLE) !== 0 && (this.#events & READABLE) !== 0) this.#read(session);
    else if ((events & BROKEN) !== 0) return session.broken();
    if (this.#open && (events & WRITABLE) !== 0) this.#room(session);
  };

  #room(session: Session): void {
    if (!this.#writer.push()) return;
    this.#watch();
    if (this.#then === "finish") socket.finish(this.fd);
    this.#then = undefined;
    if (this.#writing) session.writable();
  }

  /** The session is over, but for what it wrote last. */
  #last(events: number): void {
    if (this.#then !== "close") return;
    if ((events & BROKEN) === 0 && !this.#writer.push()) return;
    this.#forget();
    socket.close(this.fd);
  }

  #read(session: Session): void {
    for (let i = 0; i < MAX_READS; i++) {
      const n = socket.receive(this.fd, READ.at, READ.bytes.length);
      if (n > 0) {
        if (this.#fresh && this.#isHttp2(session, n)) return;
        session.feed(READ.bytes, 0, n);
        if (n < READ.bytes.length || !this.#open || (this.#events & READABLE) === 0) return;
        continue;
      }
      if (n === 0) session.ended();
      else if (n === socket.GONE) session.broken();
      return;
    }
  }

  /** A client with prior knowledge begins with the HTTP/2 preface, in one segment with its settings. */
  #isHttp2(session: Session, n: number): boolean {
    this.#fresh = false;
    if (READ.bytes[0] !== PREFACE[0] || !this.#front.http2 || !hasPreface(READ.bytes, 0, n))
      return false;
    const remote = this.remote();
    this.#open = false;
    if (this.#registered) this.#front.reactor.remove(this.fd);
    this.#front.relayPlain(this.fd, session, READ.bytes.slice(0, n), remote);
    return true;
  }

  write(bytes: Uint8Array, from: number, to: number, more: boolean): number {
    return this.#writer.write(bytes, from, to, more);
  }
  sendFile(file: number, offset: number, length: number): number {
    return this.#writer.sendFile(file, offset, length);
  }
  stuck(): void {
    this.#watch();
  }

  interest(reading: boolean, writing: boolean): void {
    this.#reading = reading;
    this.#writing = writing;
    this.#watch();
  }

  #watch(): void {
    const writing = this.#writing || this.#writer.waits;
    const events = (this.#reading ? READABLE : 0) | (writing ? WRITABLE : 0);
    if (events === this.#events) return;
    this.#events = events;
    if (this.#registered) this.#front.reactor.modify(this.fd, events);
  }

  /** Nothing to do: epoll tells of room as long as there is some. */
  again(): void {}

  remote(): Remote {
    return (this.#remote ??= remoteOf(peerOf(this.fd)));
  }

  finish(): void {
    if (this.#writer.push()) socket.finish(this.fd);
    else this.#then = "finish";
  }
  close(): void {
    if (this.#writer.push()) {
      this.#forget();
      socket.close(this.fd);
    } else this.#closeLater();
  }
  abort(): void {
    this.#forget();
    socket.abort(this.fd);
  }

  /** The session has said everything, the socket has no room for it. */
  #closeLater(): void {
    this.#open = false;
    this.#then = "close";
    this.interest(false, true);
    if (!this.#registered) this.#front.reactor.add(this.fd, this.#events, this.#ready);
    this.#registered = true;
    this.#patience = setTimeout(() => this.abort(), LAST_BYTES_MS);
  }

  #forget(): void {
    this.#open = false;
    this.#then = undefined;
    clearTimeout(this.#patience);
    this.#writer.drop();
    if (this.#registered) this.#front.reactor.forget(this.fd);
  }
}

/** A unix peer has no address worth a name; an IPv4 one on a dual-stack socket shows as IPv4. */
export function remoteOf(peer: SocketAddress | undefined): Remote {
  if (peer?.kind !== "inet" && peer?.kind !== "inet6") return { address: "unix", port: 0 };
  const mapped = peer.host.startsWith("::ffff:") && peer.host.includes(".");
  return { address: mapped ? peer.host.slice(7) : peer.host, port: peer.port };
}
