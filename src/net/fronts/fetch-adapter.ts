import { read } from "node:fs";

import { limitedStream } from "../../wire/http/limited-body.ts";
import type { HttpRequest, HttpResponse, Piece } from "../../wire/http/message.ts";
import { decodeTarget, decodeTargetForOthers } from "../../wire/http/path.ts";
import type { Site } from "../http-fronts.ts";
import type { Remote } from "../http1/plain-transport.ts";
import { flowBody } from "./flow-body.ts";

/** Bytes read from a file at a time for HTTP/2 and 3: half of it costs 4 % more CPU, twice as much 15 % more memory. */
const FILE_STEP = 128 * 1024;

/** Where a request of the runtime's came from. */
export interface Came {
  readonly url: URL;
  readonly remote: Remote;
  readonly secure: boolean;
  readonly protocol: "HTTP/2" | "HTTP/3";
}

/** The host of a URL as routes know it. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, "");
}

/**
 * The runtime's Request (HTTP/2, HTTP/3) as handlers of this site know it; undefined when its path
 * is none.
 */
export function fromFetch(
  request: Request,
  { url, remote, secure, protocol }: Came,
  site: Pick<Site, "pathsForOthers" | "limits"> | undefined,
): HttpRequest | undefined {
  const target = url.pathname + url.search;
  const decoded = site?.pathsForOthers ? decodeTargetForOthers(target) : decodeTarget(target);
  if (decoded === undefined) return undefined;
  const length = request.headers.get("content-length");
  const whole = request.body ?? undefined;
  // With a length the handler's caller has looked at it, and the runtime keeps to it.
  const body =
    whole !== undefined && length === null && site !== undefined
      ? limitedStream(whole, site.limits.maxBody)
      : whole;
  return {
    method: request.method,
    target,
    ...decoded,
    host: hostOf(url),
    authority: url.host,
    headers: request.headers,
    body,
    contentLength: body !== undefined && length !== null ? Number(length) : undefined,
    client: remote,
    secure,
    protocol,
    signal: request.signal,
    whenGone: (run) => request.signal.addEventListener("abort", run, { once: true }),
  };
}

/** `sent` is told the body's bytes once, when it is out or given up. */
export function toFetch(
  response: HttpResponse,
  method: string,
  sent: (bytes: number) => void,
): Response {
  const headers = new Headers();
  if (response.named !== true) headers.set("Server", "tern");
  for (const [name, value] of response.headers) {
    try {
      headers.append(name, value);
    } catch {
      // a value no field can carry: left out, as in HTTP/1
    }
  }
  const { body, status } = response;
  const init = { status, headers };
  if (body.kind === "none" || method === "HEAD") {
    if (body.kind === "pieces") {
      body.release?.();
      if (!headers.has("content-length"))
        headers.set("content-length", String(lengthOf(body.pieces)));
    }
    if (body.kind === "stream") void body.stream.cancel().catch(() => {});
    if (body.kind === "flow") body.flow.cancel();
    sent(0);
    return new Response(null, init);
  }
  if (body.kind === "stream") return new Response(counted(body.stream, sent), init);
  if (body.kind === "flow") {
    const given = flowBody(body.flow);
    if (given instanceof ReadableStream) return new Response(counted(given, sent), init);
    sent(given.length);
    return new Response(given, init);
  }
  const [only] = body.pieces;
  if (body.pieces.length === 1 && only instanceof Uint8Array) {
    body.release?.();
    sent(only.length);
    return new Response(only as Uint8Array<ArrayBuffer>, init);
  }
  headers.set("content-length", String(lengthOf(body.pieces)));
  const release = (): void => body.release?.();
  return new Response(counted(streamOf(body.pieces, release), sent), init);
}

function lengthOf(pieces: readonly Piece[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}

function streamOf(pieces: readonly Piece[], release: () => void): ReadableStream<Uint8Array> {
  let index = 0;
  let offset = 0;
  let released = false;
  const done = (): void => {
    if (!released) release();
    released = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = pieces[index];
        if (piece === undefined) {
          done();
          return controller.close();
        }
        if (piece instanceof Uint8Array) {
          index++;
          return controller.enqueue(piece);
        }
        const bytes = await readAt(
          piece.fd,
          piece.offset + offset,
          Math.min(FILE_STEP, piece.length - offset),
        );
        offset += bytes.length;
        if (bytes.length === 0 && offset < piece.length) {
          done();
          return controller.error(new Error("the file became shorter while it was sent"));
        }
        if (offset >= piece.length) {
          index++;
          offset = 0;
        }
        controller.enqueue(bytes);
      },
      cancel: done,
    },
    { highWaterMark: 0 },
  );
}

function counted(
  stream: ReadableStream<Uint8Array>,
  sent: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            sent(bytes);
            return controller.close();
          }
          bytes += value.length;
          controller.enqueue(value);
        } catch (error) {
          sent(bytes);
          controller.error(error);
        }
      },
      async cancel(why) {
        sent(bytes);
        await reader.cancel(why);
      },
    },
    { highWaterMark: 0 },
  );
}

function readAt(fd: number, position: number, length: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const into = new Uint8Array(length);
    read(fd, into, 0, length, position, (error, n) =>
      error ? reject(error) : resolve(into.subarray(0, n)),
    );
  });
}
