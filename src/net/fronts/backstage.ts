import type { Server } from "bun";

import type { HttpHandler, HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { respond, settled } from "../../wire/http/message.ts";
import type { Remote } from "../http1/plain-transport.ts";
import { fromFetch, hostOf, toFetch } from "./fetch-adapter.ts";
import type { Front } from "./front.ts";
import { Relay } from "./relay.ts";

interface Visitor {
  readonly front: Front;
  readonly remote: Remote;
  readonly secure: boolean;
  /** The connection it came by, which is not idle meanwhile. */
  readonly relay?: Pick<Relay, "begin" | "end">;
}

/** Seconds without a byte; the runtime's highest. */
const IDLE_S = 255;
/** The sites' own limits decide. */
const ANY_BODY = Number.MAX_SAFE_INTEGER;

/**
 * The runtime's HTTP/2 server, on a loopback port nobody is told of: our listeners relay the
 * connections that speak it. A stranger who finds the port is not on the list and is refused.
 */
export class Backstage {
  #server: Server<undefined> | undefined;
  readonly #visitors = new Map<number, Visitor>();

  /** A relay to the inner server for one client; `first` was read from it already. */
  relay(first: Uint8Array | undefined, visitor: Visitor, closed: () => void): Relay {
    this.#server ??= this.#start();
    let port = 0;
    const relay = new Relay(first, visitor.front, () => {
      this.#visitors.delete(port);
      closed();
    });
    Bun.connect({
      hostname: "127.0.0.1",
      port: this.#server.port ?? 0,
      socket: {
        ...relay.inner,
        open: (socket) => {
          port = socket.localPort;
          if (!relay.over) this.#visitors.set(port, { ...visitor, relay });
          return relay.inner.open?.(socket);
        },
      },
    }).catch(() => relay.close());
    return relay;
  }

  stop(): void {
    void this.#server?.stop(true);
    this.#server = undefined;
  }

  #start(): Server<undefined> {
    return Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      http1: false,
      http2: true,
      idleTimeout: IDLE_S,
      maxRequestBodySize: ANY_BODY,
      development: false,
      fetch: (request, server) => {
        const visitor = this.#visitors.get(server.requestIP(request)?.port ?? 0);
        if (visitor === undefined) return new Response(null, { status: 403 });
        return serve(request, visitor, "HTTP/2");
      },
    });
  }
}

/** Answer a request of the runtime's server as the front's site does. */
export async function serve(
  request: Request,
  { front, remote, secure, relay }: Visitor,
  protocol: "HTTP/2" | "HTTP/3",
): Promise<Response> {
  const began = performance.now();
  front.requests++;
  const url = new URL(request.url);
  const mount = front.routes.find(hostOf(url), url.pathname);
  const asked = fromFetch(request, { url, remote, secure, protocol }, mount?.site);
  if (asked === undefined || mount === undefined) {
    const status = asked === undefined ? 400 : 421;
    front.refused(status);
    return toFetch(respond(status, [], `${status}\n`), request.method, () => {});
  }
  mount.begin();
  relay?.begin();
  let response: HttpResponse;
  try {
    response = await answer(asked, front, mount.site.handler, mount.site.limits.maxBody);
  } catch (error) {
    front.trouble(error, asked);
    response = respond(500, [], "Internal Server Error\n");
  }
  return toFetch(response, request.method, (bytes) => {
    const ms = performance.now() - began;
    mount.count(response.status, bytes, ms / 1000);
    mount.end();
    relay?.end();
    front.log(asked, mount, response, bytes, ms);
  });
}

function answer(
  asked: HttpRequest,
  front: Front,
  handler: HttpHandler,
  maxBody: number,
): HttpResponse | Promise<HttpResponse> {
  if ((asked.contentLength ?? 0) > maxBody) {
    front.refused(413);
    return respond(413, [], "413\n");
  }
  return settled(handler(asked));
}
