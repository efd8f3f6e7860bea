/** One DNS question to one server: for the command line and for telling other servers of news. */
import { connect, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";

import { limitedResponse } from "../wire/http/limited-body.ts";
import type { ClientTls } from "./tls/client-tls.ts";

/** Whom to ask, and how. */
export interface DnsServer {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp" | "tls" | "https";
  /** The name in the TLS hello, and in the URL; the certificate is not verified without `tls`. */
  readonly name?: string;
  /** Of DNS over TLS: how the server shows who it is, and we who we are. Asks for TLS 1.3. */
  readonly tls?: ClientTls;
  /** Of DNS over HTTPS. */
  readonly path?: string;
}

/** No answer came: why, in words. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** A lost datagram is sent again this often within the time there is. */
const TRIES = 3;
const MEDIA_TYPE = "application/dns-message";
/** Of any DNS message (RFC 8484, 6). */
const MAX_MESSAGE = 65_535;
/** The length in front of each message of a stream (RFC 1035, 4.2.2). */
const PREFIX = 2;

/**
 * Send a message, resolve with the first answer that has its ID; rejects with NoAnswer when none
 * came within `ms`.
 */
export async function askDns(
  message: Uint8Array,
  server: DnsServer,
  ms: number,
): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(ms);
  switch (server.transport) {
    case "udp":
      return overUdp(message, server, ms, deadline);
    case "https":
      return overHttps(message, server, deadline);
    case "tcp":
    case "tls": {
      for await (const answer of streamAnswers(message, server, deadline)) return answer;
      throw new NoAnswer("the connection was closed without an answer");
    }
  }
}

/**
 * The answers of a stream, one by one until it ends or whoever reads has enough: a transfer has
 * many. Rejects with NoAnswer when it breaks or `deadline` aborts.
 */
export async function* streamAnswers(
  message: Uint8Array,
  server: DnsServer,
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { host, port } = server;
  const socket: Socket = server.transport === "tls" ? tlsSocket(server) : connect({ host, port });
  const give = (): unknown => socket.destroy(new NoAnswer("no answer in time"));
  deadline.addEventListener("abort", give, { once: true });
  const framed = new Uint8Array(PREFIX + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, PREFIX);
  if (server.tls === undefined) socket.write(framed);
  else
    socket.once("secureConnect", () => {
      const wrong = server.tls && refusal(socket as TLSSocket, server.tls, host);
      if (wrong === undefined) socket.write(framed);
      else socket.destroy(new NoAnswer(`its certificate: ${wrong}`));
    });
  let held = Buffer.alloc(0);
  try {
    for await (const bytes of socket) {
      held = Buffer.concat([held, bytes as Buffer]);
      while (held.length >= PREFIX && held.length >= PREFIX + held.readUInt16BE(0)) {
        const end = PREFIX + held.readUInt16BE(0);
        yield new Uint8Array(held.subarray(PREFIX, end));
        held = held.subarray(end);
      }
    }
  } catch (error) {
    throw asNoAnswer(error);
  } finally {
    deadline.removeEventListener("abort", give);
    socket.destroy();
  }
}

function tlsSocket({ host, port, name, tls }: DnsServer): TLSSocket {
  const servername = tls?.serverName ?? name;
  return connectTls({
    host,
    port,
    ALPNProtocols: ["dot"],
    ...(servername !== undefined && { servername }),
    // RFC 9103, 7.1 (zones) and 9325, 3.1.1 (everything new).
    ...(tls !== undefined && { ...tls.files, minVersion: "TLSv1.3" }),
    rejectUnauthorized: false, // with `tls` nothing is sent before the certificate is looked at
  });
}

/** Why the certificate of a server is not good enough; undefined when it is. */
function refusal(socket: TLSSocket, tls: ClientTls, host: string): string | undefined {
  if (!tls.verify || socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  if (code !== "ERR_TLS_CERT_ALTNAME_INVALID") return code;
  return checkServerIdentity(tls.serverName ?? host, socket.getPeerCertificate())?.message ?? code;
}

async function overUdp(
  message: Uint8Array,
  { host, port }: DnsServer,
  ms: number,
  deadline: AbortSignal,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  deadline.addEventListener("abort", () => reject(new NoAnswer("no answer in time")));
  // Connected: only the server can answer, and its refusal is heard.
  const socket = await Bun.udpSocket({
    connect: { hostname: host, port },
    socket: {
      data: (_, bytes) => {
        if (bytes[0] === message[0] && bytes[1] === message[1]) resolve(new Uint8Array(bytes));
      },
      // The types say (socket, error), the runtime hands in the error alone.
      error: (...[first, second]: unknown[]) => reject(asNoAnswer(second ?? first)),
    },
  });
  const again = setInterval(() => socket.send(message), ms / TRIES);
  try {
    socket.send(message);
    return await promise;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

async function overHttps(
  message: Uint8Array,
  { host, port, name, path = "/dns-query" }: DnsServer,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const authority = host.includes(":") ? `[${host}]` : host;
  try {
    const response = await fetch(`https://${authority}:${port}${path}`, {
      method: "POST",
      body: new Uint8Array(message),
      headers: {
        "Content-Type": MEDIA_TYPE,
        Accept: MEDIA_TYPE,
        ...(name !== undefined && { Host: name }),
      },
      tls: { rejectUnauthorized: false, ...(name !== undefined && { serverName: name }) },
      signal,
    });
    if (!response.ok) throw new NoAnswer(`HTTP status ${response.status}`);
    return new Uint8Array(await limitedResponse(response, MAX_MESSAGE).arrayBuffer());
  } catch (error) {
    throw asNoAnswer(error);
  }
}

function asNoAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new NoAnswer(code ?? message, { cause: error });
}
