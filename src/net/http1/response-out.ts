import { discard, type HttpResponse, respond } from "../../wire/http/message.ts";
import { emitResponseHead } from "../../wire/http1/response-head.ts";
import { FlowOut } from "./flow-out.ts";
import type { Outbox } from "./outbox.ts";
import { type Framing, framingOf, headOf, putHead } from "./response-writer.ts";
import { streamOut } from "./stream-out.ts";

/** What sending needs of the session. */
export interface ResponseNeeds {
  /** The connection is gone. */
  over(): boolean;
  /** Resolves when nothing waits for the peer any more, or never will. */
  room(): Promise<void>;
  /** Call `run` when nothing waits for the peer any more. */
  whenRoom(run: () => void): void;
  /** Bytes were put outside of the session's own turn. */
  moved(): void;
  /** All of a streamed body is on its way: see what is next. */
  streamed(): void;
  /** The body failed half-way: only a broken connection tells the client. */
  broken(error: unknown): void;
  /** The rest of the body will not come, through no fault of ours. */
  cut(): void;
}

/** How a body goes out. */
export interface Manner {
  readonly framing: Framing;
  /** Of the request. */
  readonly method: string;
}

/**
 * Send the body of a response, however it comes. `finish` is called once: when the last byte is out,
 * or never will be. Answers how to give up a body that goes on after this returns, where nobody else
 * would notice that the client is gone.
 */
export function sendBody(
  response: HttpResponse,
  { framing, method }: Manner,
  out: Outbox,
  needs: ResponseNeeds,
  finish: () => void,
): FlowOut | undefined {
  const { body } = response;
  if (method === "HEAD" || body.kind === "none" || framing.kind === "bare") {
    discard(response);
    out.afterwards(finish);
    return undefined;
  }
  if (body.kind === "flow") {
    const flow = new FlowOut(body.flow, framing, out, needs, finish);
    flow.begin();
    return flow;
  }
  if (body.kind === "stream") {
    void sendStream(body.stream, framing, out, needs, finish);
    return undefined;
  }
  for (const piece of body.pieces) {
    if (piece instanceof Uint8Array) out.put(piece);
    else out.putFile(piece);
  }
  out.afterwards(() => {
    body.release?.();
    finish();
  });
  return undefined;
}

/** Put the head of a response; `keep`: the connection goes on behind it. Answers its length. */
export function sendHead(
  response: HttpResponse,
  framing: Framing,
  keep: boolean,
  out: Outbox,
): number {
  const { lines, status, named } = response;
  if (lines !== undefined && named === true) return putHead(out, status, lines, framing, !keep);
  const head = headOf(response, framing, !keep);
  out.put(head);
  return head.length;
}

/** Answer an error that no site is asked about, behind which the connection ends. */
export function sendRefusal(status: number, out: Outbox): void {
  const response = respond(status, [], `${status}\n`);
  const { body } = response;
  out.put(headOf(response, framingOf(response, "GET", 1), true));
  if (body.kind !== "pieces") return;
  for (const piece of body.pieces) if (piece instanceof Uint8Array) out.put(piece);
}

/** Send a 1xx at once (RFC 9110, 15.2). */
export function sendInterim(status: number, headers: HttpResponse["headers"], out: Outbox): void {
  out.put(emitResponseHead(status, headers));
  out.flush(false);
}

async function sendStream(
  stream: ReadableStream<Uint8Array>,
  framing: Framing,
  out: Outbox,
  needs: ResponseNeeds,
  finish: () => void,
): Promise<void> {
  try {
    if (!(await streamOut(stream, framing, out, needs))) return finish();
  } catch (error) {
    needs.broken(error);
    return finish();
  }
  out.afterwards(finish);
  needs.streamed();
}
