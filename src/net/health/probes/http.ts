import type { Socket } from "bun";

import type { Reactor } from "../../reactor.ts";
import type { CheckOf } from "../check.ts";
import type { Probe } from "../watch.ts";
import { connect } from "./connect.ts";
import { HttpReply } from "./http-reply.ts";

type WebCheck = CheckOf<"http"> | CheckOf<"https">;

/** Good when it answers one HTTP/1.1 request with a wanted status, and with the wanted text in the body. */
export function httpProbe(reactor: Reactor, host: string, port: number, check: WebCheck): Probe {
  const request = requestFor(host, port, check);
  return async (deadline) => {
    const made = await connect(reactor, host, port, deadline);
    return "why" in made ? made.why : exchange(made.fd, request, host, check, deadline);
  };
}

function requestFor(host: string, port: number, check: WebCheck): string {
  const plain = host.includes(":") ? `[${host}]` : host;
  const named =
    check.host ?? (port === (check.kind === "http" ? 80 : 443) ? plain : `${plain}:${port}`);
  return (
    `${check.method} ${check.path} HTTP/1.1\r\nHost: ${named}\r\n` +
    "User-Agent: tern-health\r\nAccept: */*\r\nConnection: close\r\n\r\n"
  );
}

/** The runtime owns `fd` from here on; it is gone when this resolves. */
function exchange(
  fd: number,
  request: string,
  host: string,
  check: WebCheck,
  deadline: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const reply = new HttpReply({ expect: check.expect, body: check.body });
  let socket: Socket<unknown> | undefined;
  let over = false;
  const end = (why: string | undefined): void => {
    if (over) return;
    over = true;
    deadline.removeEventListener("abort", late);
    socket?.terminate();
    resolve(why);
  };
  const late = (): void => end("timeout");
  deadline.addEventListener("abort", late, { once: true });

  const handlers = {
    data: (_: Socket<unknown>, bytes: Uint8Array) => {
      const said = reply.feed(bytes);
      if (said !== undefined) end(said === "good" ? undefined : said);
    },
    end: () => end(reply.end()),
    close: () => end(reply.end()),
    error: (_: Socket<unknown>, error: Error) => end(error.message),
  };
  const secure = (raw: Socket<unknown>, verify: boolean): void => {
    [, socket] = raw.upgradeTLS({
      data: undefined,
      tls: { rejectUnauthorized: verify, serverName: (check.host ?? host).replace(/:\d+$/, "") },
      socket: {
        ...handlers,
        handshake: (shaken, _ok, error) => {
          if (verify && error) end(showTlsError(error));
          else shaken.write(request);
        },
      },
    });
  };
  Bun.connect({
    // The types do not know it, the runtime does: adopt a connected socket.
    ...({ fd } as unknown as { unix: string }),
    socket: {
      open(raw) {
        socket = raw;
        if (over) raw.terminate();
        else if (check.kind === "http") raw.write(request);
        else secure(raw, check.verify);
      },
      ...(check.kind === "http"
        ? handlers
        : { data() {}, close: () => end("closed in the TLS handshake") }),
      connectError: (_, error) => end(error.message),
    },
  }).catch((error: unknown) => end(error instanceof Error ? error.message : String(error)));
  return promise;
}

function showTlsError(error: Error): string {
  return "code" in error ? `TLS: ${error.code}` : `TLS: ${error.message}`;
}
