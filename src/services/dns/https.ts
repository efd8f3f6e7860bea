/** DNS over HTTPS (RFC 8484): one question in each request, by GET or POST. */
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  respond,
} from "../../wire/http/message.ts";
import { lowestTtl } from "./freshness.ts";
import { MAX_MESSAGE } from "./stream.ts";
import { type Answerer, clientBytes, TRANSFER, type Via } from "./via.ts";

const MEDIA_TYPE = "application/dns-message";
const NO_STORE = ["Cache-Control", "no-store"] as const;
/** Base64url of the longest message. */
const MAX_TEXT = Math.ceil((MAX_MESSAGE * 4) / 3);

/** All answers of the thread are written here first, and copied out. */
const OUT = new Uint8Array(new ArrayBuffer(MAX_MESSAGE));

export interface HttpsParts {
  readonly path: string;
  readonly answerer: Answerer;
  /** Milliseconds of the monotonic clock, and since 1970. */
  readonly now: () => number;
  readonly wall: () => number;
}

/** The handler of a site that answers questions. */
export function dnsOverHttps({ path, answerer, now, wall }: HttpsParts): HttpHandler {
  return async (request) => {
    if (request.path !== path) return respond(404, [], "Not Found\n");
    const message = await questionOf(request);
    if (!(message instanceof Uint8Array)) return message;
    const via: Via = {
      transport: "https",
      client: clientBytes(request.client.address),
      port: request.client.port,
      room: MAX_MESSAGE,
      now: now(),
      wall: wall(),
    };
    const length = answerer.respond(message, 0, message.length, via, OUT, 0);
    if (length === 0 || length === TRANSFER) return respond(400, [NO_STORE], "Bad Request\n");
    const answer = OUT.slice(0, length);
    const age = lowestTtl(answer);
    const headers = [
      ["Content-Type", MEDIA_TYPE],
      age === undefined ? NO_STORE : (["Cache-Control", `max-age=${age}`] as const),
    ] as const;
    if (request.method === "HEAD")
      return {
        status: 200,
        headers: [...headers, ["Content-Length", String(length)]],
        body: { kind: "none" },
      };
    return { status: 200, headers, body: { kind: "pieces", pieces: [answer] } };
  };
}

/** The DNS message in a request, or why there is none. */
async function questionOf(request: HttpRequest): Promise<Uint8Array | HttpResponse> {
  switch (request.method) {
    case "GET":
    case "HEAD":
      return (
        fromQuery(request.query) ??
        respond(400, [NO_STORE], 'expected "?dns=" and a message in base64url\n')
      );
    case "POST": {
      const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim();
      if (type?.toLowerCase() !== MEDIA_TYPE)
        return respond(415, [["Accept-Post", MEDIA_TYPE]], `expected ${MEDIA_TYPE}\n`);
      return (await bodyOf(request)) ?? respond(413, [], "Content Too Large\n");
    }
    default:
      return respond(405, [["Allow", "GET, HEAD, POST"]], "Method Not Allowed\n");
  }
}

/** RFC 8484, 4.1.1: base64url without padding. */
function fromQuery(query: string): Uint8Array | undefined {
  const text = query
    .split("&")
    .find((one) => one.startsWith("dns="))
    ?.slice("dns=".length);
  if (text === undefined || text.length > MAX_TEXT || !/^[\w-]+$/.test(text)) return undefined;
  if (text.length % 4 === 1) return undefined; // six bits are no byte
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** Undefined when there is more of it than any message has. */
async function bodyOf({ body }: HttpRequest): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (body !== undefined) {
    for await (const part of body) {
      length += part.length;
      if (length > MAX_MESSAGE) return undefined;
      parts.push(part);
    }
  }
  return Buffer.concat(parts);
}
