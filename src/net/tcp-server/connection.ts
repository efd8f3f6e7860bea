import { peerOf } from "../../sys/peer.ts";
import { boundTo } from "../../sys/socket-options.ts";
import * as socket from "../../sys/socket.ts";
import { Awaited } from "../duplex/awaited.ts";
import { PlainDuplex } from "../duplex/plain-duplex.ts";
import { type Remote, remoteOf } from "../http1/plain-transport.ts";
import type { Reactor } from "../reactor.ts";
import type { ServerTls } from "../tls/server-tls.ts";
import type { Welcomed } from "../tls/welcome.ts";

/** What a connection needs of its server. */
export interface Home<Context> {
  readonly context: Context;
  readonly reactor: Reactor;
  readonly tls: ServerTls | undefined;
  /** Shake hands on `fd`, which nobody watches. A text says why that failed; `fd` is closed then. */
  welcome(fd: number, tls: ServerTls): Promise<Welcomed | string>;
}

/** What a handshake agreed on. */
export interface Secured {
  /** As the client called us; undefined when it did not. */
  readonly serverName: string | undefined;
  readonly alpn: string | undefined;
  /** "TLSv1.3" */
  readonly version: string;
  /** The common name in the certificate that the client showed, when we trust it. */
  readonly clientName: string | undefined;
}

/** One client of a TcpServer. It is closed when its handler returns, and reset when that throws. */
export class Connection<Context = unknown> implements AsyncIterable<Uint8Array> {
  /** Whatever the program wants to remember of it; the server's own to begin with. */
  context: Context;
  /** When its handler was called, in milliseconds since 1970. */
  readonly startedAt = Date.now();
  readonly #home: Home<Context>;
  readonly #fd: number;
  #bytes: Awaited;
  #client: Remote | undefined;
  #welcomed: Welcomed | undefined;
  #lastActive: number;
  /** Who has the descriptor. */
  #holder: "us" | "borrower" | "handshake" = "us";
  #over = false;

  /** `client`: undefined leaves it to the socket to say who that is. */
  constructor(home: Home<Context>, fd: number, client?: Remote, welcomed?: Welcomed) {
    this.#home = home;
    this.context = home.context;
    this.#lastActive = home.reactor.now;
    this.#fd = fd;
    this.#client = client;
    this.#welcomed = welcomed;
    this.#bytes = new Awaited(welcomed?.duplex ?? new PlainDuplex(fd, home.reactor));
  }

  /** Who it is; what a trusted PROXY header said, if there was one. */
  get client(): Remote {
    return (this.#client ??= remoteOf(peerOf(this.#fd)));
  }
  /** Which address of ours it came to. */
  get local(): Remote {
    return remoteOf(boundTo(this.#fd));
  }
  /** Undefined as long as it is in clear text. */
  get secured(): Secured | undefined {
    if (this.#welcomed === undefined) return undefined;
    const { tls, hello, alpn } = this.#welcomed;
    const names = tls.authorized ? [tls.getPeerCertificate()?.subject?.CN].flat() : [];
    const version = tls.getTLSVersion();
    return { serverName: hello.serverName, alpn, version, clientName: names[0] };
  }
  /** For how long its handler has waited in vain for the client, in milliseconds at `now`. */
  idleFor(now: number): number {
    const { moved, reading, writing } = this.#bytes;
    if (moved || !(reading || writing)) this.#lastActive = now;
    this.#bytes.moved = false;
    return now - this.#lastActive;
  }

  /**
   * Bytes read to the beginning of `into`, at least one; 0 at the end of the stream. Without a
   * promise when they are there already. Throws ConnectionLost.
   */
  read(into: Uint8Array): number | Promise<number> {
    this.#bytes.moved = true;
    return this.#bytes.read(into);
  }

  /** Whatever comes next; undefined at the end. While it waits no memory is held for it. */
  readSome(): Promise<Uint8Array | undefined> {
    this.#bytes.moved = true;
    return this.#bytes.some();
  }

  /**
   * Nothing when all of it went out at once, else a promise of that; `bytes` must stay as they are
   * until then. Throws ConnectionLost.
   */
  write(bytes: Uint8Array): void | Promise<void> {
    this.#bytes.moved = true;
    return this.#bytes.write(bytes);
  }

  /** No more will be written; reading goes on. */
  async finish(): Promise<void> {
    await this.#bytes.flushed();
    this.#bytes.check();
    this.#bytes.duplex.finish();
  }

  /** Chunk by chunk, to the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (let some; (some = await this.readSome()) !== undefined;) yield some;
  }

  /** The same as a stream; not reading it holds the client back. */
  get readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const some = await this.readSome();
          if (some === undefined) controller.close();
          else controller.enqueue(some);
        },
      },
      { highWaterMark: 0 },
    );
  }
  /** Closing it finishes, aborting it resets the connection. */
  get writable(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({
      write: async (bytes) => this.write(bytes),
      close: () => this.finish(),
      abort: () => this.reset(),
    });
  }

  /**
   * Go on in TLS (STARTTLS), as the server's side; `tls` is the server's own unless given. Tell the
   * client before, and read nothing after that: what it sent too early would pass for TLS.
   */
  async startTls(tls: ServerTls | undefined = this.#home.tls): Promise<Secured | undefined> {
    if (tls === undefined) throw new TypeError("no TLS options, neither here nor of the server");
    const fd = await this.lend();
    this.#holder = "handshake";
    const welcomed = await this.#home.welcome(fd, tls);
    if (typeof welcomed === "string") this.#end(welcomed, true);
    else if (this.#over) welcomed.duplex.abort();
    else {
      this.#holder = "us";
      this.#welcomed = welcomed;
      this.#bytes = new Awaited(welcomed.duplex);
    }
    this.#bytes.check();
    return this.secured;
  }

  /**
   * The descriptor, for who moves bytes without us (splice, sendfile): non-blocking, watched by
   * nobody. Neither read nor write here afterwards; it is closed when the handler returns, as ever.
   */
  async lend(): Promise<number> {
    const { duplex, reading } = this.#bytes;
    if (reading) throw new Error("a read is under way");
    if (!(duplex instanceof PlainDuplex)) throw new Error("it speaks TLS: the runtime has it");
    await this.#bytes.flushed();
    this.#bytes.check();
    duplex.release();
    this.#holder = "borrower";
    return this.#fd;
  }

  /** Close it when all is written. The server does so when the handler has returned. */
  async close(): Promise<void> {
    await this.#bytes.flushed();
    this.#end("closed", false);
  }

  /** Close it now, with a RST: the client learns that this was not the end. */
  reset(why = "reset"): void {
    this.#end(why, true);
  }

  #end(why: string, abort: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#bytes.lose(why);
    // Whoever shakes hands closes it, too.
    if (this.#holder === "handshake") return;
    if (this.#holder === "borrower") (abort ? socket.abort : socket.close)(this.#fd);
    else if (abort) this.#bytes.duplex.abort();
    else this.#bytes.duplex.close();
  }
}
