import type { Server } from "bun";

import type { Lease } from "../../core/lease.ts";
import type { Certificate, Certificates } from "../certificates.ts";
import { QuicRelay } from "../quic/quic-relay.ts";
import type { ReactorLoop } from "../reactor-loop.ts";
import type { ListenSocket } from "../sockets.ts";
import { serve } from "./backstage.ts";
import type { Front } from "./front.ts";

/** How often we look whether the certificates changed. */
const LOOK_MS = 5000;
/**
 * When we leave, connections are closed in a pause: no request in hand, no client that has come just
 * now and asked nothing yet, and nobody has said anything for so long, which last acknowledgements would.
 */
const PAUSE_MS = 1000;
/** When there is none so soon clients are told to go (GOAWAY), though not every client heeds it. */
const PAUSE_WITHIN_MS = 5000;
const LOOK_FOR_PAUSE_MS = 10;
/** The last datagrams of a server that has stopped are relayed within this time. */
const FAREWELL_MS = 60;
/** A request of our own is there within this time. */
const HOLD_MS = 1000;

export interface Http3Parts {
  readonly front: Front;
  readonly socket: Lease<ListenSocket>;
  /** Address and port as all processes call it. */
  readonly listener: string;
  readonly reactor: ReactorLoop;
  readonly certificates: Certificates;
  /** Clients at once. */
  readonly most: number;
}

/**
 * HTTP/3 on the UDP port beside a TLS listener: the runtime's server on a loopback port nobody is
 * told of, made anew when a certificate changes, and our relay in front of it.
 */
export class Http3 {
  readonly #parts: Http3Parts;
  readonly #relay: QuicRelay;
  #server: Server<undefined> | undefined;
  #serving: readonly Certificate[] = [];
  #timer: Timer | undefined;
  #inHand = 0;
  #hold: { readonly path: string; held(): void } | undefined;
  #drained: Promise<void> | undefined;

  constructor(parts: Http3Parts) {
    this.#parts = parts;
    const { socket, listener, reactor, most } = parts;
    this.#relay = new QuicRelay({ fds: socket.value.fds, listener, reactor, most });
  }

  /** Take clients. More than once is once. */
  open(): void {
    if (this.#timer !== undefined || this.#drained !== undefined) return;
    this.#timer = setInterval(() => this.#begin(), LOOK_MS);
    this.#begin();
  }

  /** Take no new clients; answer those that are here; then close. Resolves when all are gone. */
  drain(deadline: AbortSignal): Promise<void> {
    return (this.#drained ??= this.#drain(deadline));
  }

  async #drain(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    this.#relay.leave();
    if (this.#server !== undefined) await this.#end(this.#server, deadline);
    this.#relay.close();
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  async #end(server: Server<undefined>, deadline: AbortSignal): Promise<void> {
    if (!(await this.#pause(PAUSE_WITHIN_MS, deadline))) {
      await this.#dismiss(server);
      await this.#pause(Infinity, deadline);
    }
    void server.stop(true);
    if (this.#relay.clients > 0) await Bun.sleep(FAREWELL_MS);
  }

  /** Wait for a pause; false when there was none in time. */
  async #pause(within: number, deadline: AbortSignal): Promise<boolean> {
    const { reactor } = this.#parts;
    const end = reactor.now + within;
    while (!deadline.aborted && reactor.now < end) {
      const silent = reactor.now - this.#relay.heardAt > PAUSE_MS;
      if (this.#inHand === 0 && silent && !this.#relay.shaking) return true;
      await Bun.sleep(LOOK_FOR_PAUSE_MS);
    }
    return false;
  }

  /**
   * Tell clients to go. The runtime closes its socket as soon as the last response has been
   * written, though what is lost on the way would have to be sent again: so the last request is
   * one of our own, which is never answered.
   */
  async #dismiss(server: Server<undefined>): Promise<void> {
    const path = `/${crypto.randomUUID()}`;
    const held = new Promise<void>((resolve) => {
      this.#hold = { path, held: resolve };
    });
    const init = { protocol: "http3", tls: { rejectUnauthorized: false } } as BunFetchRequestInit;
    fetch(`https://127.0.0.1:${server.port}${path}`, init).catch(() => {}); // that is how it ends
    await Promise.race([held, Bun.sleep(HOLD_MS)]);
    void server.stop(false);
  }

  #begin(): void {
    const all = this.#parts.certificates.all();
    const [first] = all;
    if (first === undefined || same(all, this.#serving)) return;
    // The runtime answers with the first for a name that none is for, and takes one name an entry.
    const named = all.flatMap(({ cert, key, names }) =>
      names.map((serverName) => ({ cert, key, serverName })),
    );
    const old = this.#server;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      http1: false,
      http3: true,
      tls: [{ cert: first.cert, key: first.key }, ...named],
      development: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) => this.#answer(request, server.requestIP(request)?.port ?? 0),
    });
    this.#serving = all;
    this.#relay.serve(this.#server.port ?? 0);
    void old?.stop(false);
  }

  async #answer(request: Request, port: number): Promise<Response> {
    const remote = this.#relay.asks(port);
    if (remote === undefined && this.#hold && request.url.endsWith(this.#hold.path)) {
      this.#hold.held();
      return new Promise(() => {});
    }
    if (remote === undefined) return new Response(null, { status: 403 });
    const { front } = this.#parts;
    return serve(request, { front, remote, secure: true, relay: this.#hand }, "HTTP/3");
  }

  readonly #hand = {
    begin: (): void => void this.#inHand++,
    end: (): void => void this.#inHand--,
  };
}

function same(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
