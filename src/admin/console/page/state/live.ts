import { backoff, type BackoffRules, failedAgain } from "../../../../core/backoff.ts";
import type { Api } from "./api.ts";
import { EventStream, type StreamEvent } from "./event-stream.ts";

const AGAIN: BackoffRules = { first: 1000, most: 15_000, calm: 10_000 };
/** The server says something every second; this long without a word is a line that is dead. */
const SILENCE_MS = 12_000;

/** How fresh what the page shows is. `waiting` until a moment, in milliseconds since 1970. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "waiting"; readonly until: number };

/** Follow the server's events until `signal`; a line that breaks is opened again, later and later. */
export async function follow(
  api: Api,
  signal: AbortSignal,
  on: {
    readonly event: (event: StreamEvent) => void;
    readonly link: (link: Link) => void;
    /** Number of the newest log entry there is here: those after it are sent again. */
    readonly newest: () => number | undefined;
  },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const began = Date.now();
    on.link({ kind: "connecting" });
    await listen(api, signal, on).catch(() => {}); // why does not matter: it is tried again
    if (signal.aborted) return;
    failures = failedAgain(failures, Date.now() - began, AGAIN);
    const wait = backoff(failures, AGAIN);
    on.link({ kind: "waiting", until: Date.now() + wait });
    await pause(wait, signal);
  }
}

async function listen(
  api: Api,
  signal: AbortSignal,
  on: Parameters<typeof follow>[2],
): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const newest = on.newest();
    const response = await api.open("events", {
      headers: {
        Accept: "text/event-stream",
        ...(newest !== undefined && { "Last-Event-ID": String(newest) }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    const stream = new EventStream();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      on.link({ kind: "live" });
      for (const event of stream.feed(piece.value)) on.event(event);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Wait, but not when the browser says that the network is back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
