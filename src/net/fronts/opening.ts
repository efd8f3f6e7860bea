import type { SocketOptions } from "../../core/socket-options.ts";
import { block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import { MAX_V2, parseProxy } from "../../wire/proxy-protocol.ts";
import { type ClientHello, MAX_HELLO, parseClientHello } from "../../wire/tls/client-hello.ts";
import type { Remote } from "../http1/plain-transport.ts";
import { BROKEN, EDGE, HALF_CLOSED, type Reactor, READABLE } from "../reactor.ts";
import type { Guest } from "./guest.ts";

const LOOK = block(MAX_HELLO + 1024);

/** What has to be read before a connection's own bytes. */
export interface Wanted {
  /** A PROXY header, in a version of these. */
  readonly proxy: SocketOptions["proxyProtocol"];
  /** A ClientHello, which is looked at but left for the TLS stack. */
  readonly hello: boolean;
}

export interface Opened {
  readonly remote: Remote | undefined;
  readonly hello: ClientHello | undefined;
}

/**
 * A connection before its first request: takes the PROXY header off, and peeks at the ClientHello
 * to know which certificate is asked for. Calls `done` once; undefined means it was closed.
 */
export class Opening implements Guest {
  readonly deadline: number;
  readonly idleSince = Infinity;
  readonly #fd: number;
  readonly #reactor: Reactor;
  readonly #wanted: Wanted;
  readonly #done: (opened: Opened | undefined) => void;
  #remote: Remote | undefined;
  #proxied: boolean;
  #over = false;

  constructor(
    fd: number,
    wanted: Wanted,
    deadline: number,
    reactor: Reactor,
    done: (opened: Opened | undefined) => void,
  ) {
    this.#fd = fd;
    this.#wanted = wanted;
    this.#proxied = wanted.proxy === "off";
    this.deadline = deadline;
    this.#reactor = reactor;
    this.#done = done;
    // Bytes that were looked at but not taken must not wake us again.
    reactor.add(fd, READABLE | HALF_CLOSED | EDGE, (events) => {
      if ((events & BROKEN) !== 0 && (events & READABLE) === 0) return this.broken();
      this.look();
      if ((events & HALF_CLOSED) !== 0) this.broken(); // what is missing will not come
    });
  }

  late(): void {
    this.broken();
  }
  leaveIfIdle(): void {}
  /** Close it. */
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reactor.forget(this.#fd);
    socket.close(this.#fd);
    this.#done(undefined);
  }

  /** See what is there; called once by the owner, then whenever more comes. */
  look(): void {
    if (this.#over) return;
    const n = socket.peek(this.#fd, LOOK.at, LOOK.bytes.length);
    if (n === socket.AGAIN) return;
    if (n <= 0) return this.broken();
    const bytes = LOOK.bytes.subarray(0, n);
    if (!this.#proxied) return this.#proxy(bytes);
    if (!this.#wanted.hello) return this.#finish(undefined);
    const hello = parseClientHello(bytes);
    if (hello === undefined) return this.broken();
    if (hello !== "incomplete") this.#finish(hello);
    else if (n >= MAX_HELLO) this.broken();
  }

  #proxy(bytes: Uint8Array): void {
    const header = parseProxy(bytes);
    if (header === "incomplete") return bytes.length > MAX_V2 ? this.broken() : undefined;
    if (header === "absent" || header === "invalid" || !this.#allowed(bytes)) return this.broken();
    const { source } = header;
    if (source?.kind === "tcp") this.#remote = { address: source.host, port: source.port };
    socket.receive(this.#fd, LOOK.at, header.length);
    this.#proxied = true;
    if (this.#wanted.hello) this.look();
    else this.#finish(undefined);
  }

  #allowed(bytes: Uint8Array): boolean {
    const version = bytes[0] === 0x50 ? "v1" : "v2"; // "P"ROXY or the binary signature
    return this.#wanted.proxy === "any" || this.#wanted.proxy === version;
  }

  #finish(hello: ClientHello | undefined): void {
    this.#over = true;
    this.#reactor.remove(this.#fd);
    this.#done({ remote: this.#remote, hello });
  }
}
