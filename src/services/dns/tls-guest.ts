import type { Certificate } from "../../net/certificates.ts";
import { tlsOptions } from "../../net/fronts/tls-options.ts";
import type { Remote } from "../../net/http1/plain-transport.ts";
import { Adopted } from "../../net/tls/adopt.ts";
import { AGAIN, GONE } from "../../sys/socket.ts";
import type { StreamGuest, StreamPlane } from "./stream-plane.ts";
import { DnsStream, MAX_MESSAGE, type Wire } from "./stream.ts";
import { clientBytes } from "./via.ts";

/** The protocol's name in ALPN (RFC 7858 by the IANA registry). */
const ALPN = ["dot"] as const;

/** A DNS over TLS connection: shakes hands in the runtime, which then hands over what it decrypts. */
export class TlsGuest implements StreamGuest, Wire {
  readonly client: string;
  lastActive: number;
  readonly #plane: StreamPlane;
  readonly #stream: DnsStream;
  readonly #shakenBy: number;
  #tls: Adopted | undefined;
  #shaken = false;
  #blocked = false;
  #reading = true;
  #over = false;

  constructor(plane: StreamPlane, { address, port }: Remote, patience: number) {
    this.#plane = plane;
    this.client = address;
    const { now } = plane.reactor;
    this.lastActive = now;
    this.#shakenBy = now + patience;
    const via = {
      transport: "tls",
      client: clientBytes(address),
      port,
      room: MAX_MESSAGE,
      now,
      wall: 0,
    } as const;
    this.#stream = new DnsStream(this, via, () => plane.answerer);
  }

  /** Begin: `fd` belongs to the runtime from here on. */
  shake(fd: number, certificate: Certificate): void {
    this.#plane.reactor.nudge();
    const tls = tlsOptions(certificate, ALPN, this.#plane.certificates?.minVersion ?? "1.2");
    this.#tls = new Adopted(
      fd,
      { side: "server", tls },
      {
        shaken: (_, ok) => {
          this.#shaken = ok;
          if (!ok) this.abort();
        },
        data: (bytes) => this.#data(bytes),
        drain: () => this.#drained(),
        end: () => this.#stream.ended(),
        closed: () => this.#closed(),
      },
    );
  }

  get idle(): boolean {
    return this.#shaken && this.#stream.idle;
  }
  deadline(idle: number): number {
    return this.#shaken ? this.#stream.deadline(idle) : this.#shakenBy;
  }
  end(): void {
    if (this.#shaken) this.close();
    else this.abort();
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    const socket = this.#tls?.socket;
    if (this.#over || socket === undefined) return GONE;
    const n = socket.write(bytes, from, to - from);
    if (n < 0) return GONE;
    this.#blocked = n < to - from;
    return n === 0 ? AGAIN : n;
  }
  interest(reading: boolean, writing: boolean): void {
    if (this.#over) return;
    // The runtime tells of room only after it had none; who merely let others go first is called back.
    if (writing && !this.#blocked) setImmediate(() => this.#drained());
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#tls?.socket?.resume();
    else this.#tls?.socket?.pause();
  }
  close(): void {
    this.#tls?.close();
    this.#closed();
  }
  abort(): void {
    this.#tls?.abort();
    this.#closed();
  }

  #data(bytes: Uint8Array): void {
    if (this.#over || !this.#shaken) return;
    const { reactor, wall } = this.#plane;
    this.lastActive = reactor.now;
    this.#plane.active(this);
    this.#stream.feed(bytes, 0, bytes.length, reactor.now, wall);
  }

  #drained(): void {
    this.#blocked = false;
    if (!this.#over) this.#stream.writable(this.#plane.reactor.now, this.#plane.wall);
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.gone();
    this.#plane.left(this);
  }
}
