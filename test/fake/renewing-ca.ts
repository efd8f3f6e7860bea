import type { Pebble } from "./pebble.ts";

/** Pebble behind a front that does what Debian's is too old for: renewal information (RFC 9773). */
export interface RenewingCa extends AsyncDisposable {
  readonly directory: string;
  /** What it answers for a certificate; by default there is nothing to hurry for. */
  advise: (id: string) => Response;
  /** What orders so far said that they replace. */
  readonly replaced: (string | undefined)[];
  /** Whether orders that say so are refused. */
  refuses: boolean;
}

const HOUR = 3_600_000;

/** Advice to renew between two times, milliseconds since 1970. */
export function advice(start: number, end: number): Response {
  const [from, to] = [start, end].map((ms) => new Date(ms).toISOString());
  return Response.json(
    { suggestedWindow: { start: from, end: to }, explanationURL: "https://ca.example/why" },
    { headers: { "retry-after": "21600" } },
  );
}

export function renewingCa({ directory, tls }: Pebble): RenewingCa {
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    fetch: async (request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/renewal/")) return ca.advise(pathname.slice("/renewal/".length));
      const body = request.method === "POST" ? await request.text() : undefined;
      const order = pathname === "/order-plz" && body !== undefined;
      const replaces = order ? replacedBy(body) : undefined;
      if (ca.refuses && replaces !== undefined) {
        ca.replaced.push(replaces);
        return Response.json(
          { type: "urn:ietf:params:acme:error:alreadyReplaced", detail: "twice", status: 409 },
          { status: 409 },
        );
      }
      // Asked by this name, Pebble makes all its URLs with it: everything comes through here.
      const answer = await fetch(new URL(pathname, directory), {
        method: request.method,
        headers: { host: server.url.host, "content-type": "application/jose+json" },
        tls: { rejectUnauthorized: false },
        ...(body !== undefined && { body }),
      });
      // Pebble refuses some nonces for no reason; the client then says the same again.
      if (order && answer.ok) ca.replaced.push(replaces);
      if (pathname !== "/dir") return answer;
      return Response.json({ ...(await answer.json()), renewalInfo: `${server.url}renewal` });
    },
  });
  const ca: RenewingCa = {
    directory: `${server.url}dir`,
    advise: () => advice(Date.now() + 1000 * HOUR, Date.now() + 1001 * HOUR),
    replaced: [],
    refuses: false,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return ca;
}

/** What the body of an order (RFC 8555, 6.2) says that it replaces. */
function replacedBy(body: string): string | undefined {
  const { payload } = JSON.parse(body) as { payload: string };
  const order = JSON.parse(Buffer.from(payload, "base64url").toString()) as { replaces?: string };
  return order.replaces;
}
