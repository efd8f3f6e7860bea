import { fromFetch, toFetch } from "../../src/net/fronts/fetch-adapter.ts";
import { type HttpHandler, respond } from "../../src/wire/http/message.ts";

/** A handler on a real socket of 127.0.0.1, without our own fronts: for tests of handlers alone. */
export function bunServer(handler: HttpHandler): { readonly port: number } & AsyncDisposable {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 30,
    async fetch(request, self) {
      const address = self.requestIP(request) ?? { address: "", port: 0 };
      const asked = fromFetch(request, address, false, "HTTP/2");
      const answer = asked ? await handler(asked) : respond(400);
      return toFetch(answer, request.method, () => {});
    },
  });
  const port = server.port ?? 0;
  return { port, [Symbol.asyncDispose]: () => server.stop(true) };
}
