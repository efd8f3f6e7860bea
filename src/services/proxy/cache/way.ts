import type { HttpAnswer, HttpRequest, HttpResponse } from "../../../wire/http/message.ts";

/** How requests of one route reach their servers, and what clients are to see of the responses. */
export interface Way {
  /** What it brings may be pages with holes, which somebody behind the cache fills: servers are told so. */
  readonly expands: boolean;
  /** What tells its responses to such a request from those of other ways to the same URL: lines for a key, or "". */
  part(request: HttpRequest): string;
  /**
   * Ask a server. Never rejects for what servers do: where none answers the response is ours, and
   * not `named`. Fields are as the server sent them, without those of the hop.
   */
  fetch(request: HttpRequest): HttpAnswer;
  /** A response as clients are to see it: the same for all of them. */
  finish(response: HttpResponse): HttpResponse;
}
