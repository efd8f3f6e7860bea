import type { Trailer } from "../../wire/http/message.ts";
import { isSendable } from "../../wire/http1/response-head.ts";

/** A request for a server. */
export interface Outgoing {
  /** As `requestHead` makes it, up to `headEnd`; good until the call returns that is given it. */
  readonly head: Uint8Array;
  readonly headEnd: number;
  readonly method: string;
  readonly body: ReadableStream<Uint8Array> | undefined;
  /** Bytes of the body; undefined when only its end tells: it is sent in chunks. */
  readonly length: number | undefined;
  /** Fields behind a body that is sent in chunks, asked for at its end. */
  readonly trailers?: (() => readonly Trailer[]) | undefined;
  /** How long the server may be silent, in ms. */
  readonly readTimeout: number;
  /** When all has to be over, by the reactor's time; undefined: whenever. */
  readonly until?: number | undefined;
}

export interface RequestParts {
  /** A token. */
  readonly method: string;
  /** Origin form, visible ASCII: as the strict parser took it. */
  readonly target: string;
  /** Host among them; without Content-Length and Transfer-Encoding, which are made from the body. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: ReadableStream<Uint8Array> | undefined;
  readonly length: number | undefined;
  /** In place of `body`: bytes that whoever asks sends behind the head. */
  readonly behind?: Uint8Array | undefined;
}

/**
 * Request line and fields as Latin-1 (RFC 9112, 3). Fields that could be read back as something
 * else are left out. The connection is to stay: no Connection field.
 */
export function requestHead(parts: RequestParts): Uint8Array {
  const { method, target, headers, behind } = parts;
  const body = behind ?? parts.body;
  const length = behind?.length ?? parts.length;
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of headers) if (isSendable(name, value)) text += `${name}: ${value}\r\n`;
  if (body !== undefined)
    text +=
      length === undefined ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${length}\r\n`;
  else if (EMPTY_SAYS_SO.has(method)) text += "Content-Length: 0\r\n";
  return Buffer.from(`${text}\r\n`, "latin1");
}

/** A server expects a body with these, and is told that there is none (RFC 9110, 8.6). */
const EMPTY_SAYS_SO = new Set(["POST", "PUT", "PATCH"]);
