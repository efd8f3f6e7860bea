import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What one connection said and heard, byte by byte; nothing is done for it. */
export interface Wire extends Disposable {
  /** Latin-1, so that every byte is a character. */
  readonly heard: string;
  readonly bytes: number;
  readonly state: "open" | "closed";
  say(bytes: string | Uint8Array): void;
  /** Say no more (FIN). */
  hangUp(): void;
  pause(): void;
  resume(): void;
  /** Until the peer has closed; false when it has not after `ms`. */
  closed(ms?: number): Promise<boolean>;
  /** Until this much is so of what was heard; false when it does not come to be. */
  until(what: (heard: string) => boolean, ms?: number): Promise<boolean>;
}

export interface Dial {
  readonly tls?: boolean;
  readonly alpn?: string;
  /** Only count what is heard: downloads. */
  readonly forget?: boolean;
}

const PATIENCE_MS = 4000;

/** Connect to a port of 127.0.0.1. Rejects when nobody is there. */
export function dial(port: number, { tls, alpn, forget }: Dial = {}): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const at = { host: "127.0.0.1", port };
    const names = alpn === undefined ? {} : { ALPNProtocols: [alpn] };
    const socket: Socket = tls
      ? connectTls({ ...at, ...names, rejectUnauthorized: false })
      : connect(at);
    const parts: string[] = [];
    let heard = "";
    let bytes = 0;
    let state: Wire["state"] = "open";
    let wake = Promise.withResolvers<void>();
    const tell = (): void => {
      wake.resolve();
      wake = Promise.withResolvers<void>();
    };
    const wire: Wire = {
      get heard() {
        heard += parts.splice(0).join("");
        return heard;
      },
      get bytes() {
        return bytes;
      },
      get state() {
        return state;
      },
      say: (text) => void socket.write(typeof text === "string" ? latin1(text) : text),
      hangUp: () => void socket.end(),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      closed: (ms = PATIENCE_MS) => wire.until(() => state === "closed", ms),
      async until(what, ms = PATIENCE_MS) {
        const end = performance.now() + ms;
        while (!what(wire.heard)) {
          const left = end - performance.now();
          if (left <= 0) return false;
          await Promise.race([wake.promise, Bun.sleep(left)]);
        }
        return true;
      },
      [Symbol.dispose]: () => void socket.destroy(),
    };
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (!forget) parts.push(chunk.toString("latin1"));
      tell();
    });
    const over = (): void => {
      state = "closed";
      tell();
    };
    socket.on("end", over);
    socket.on("close", over);
    socket.once("error", reject); // after the start it means closed, which is told by "close"
    socket.on("error", over);
    socket.once("close", () => reject(new Error("closed before it was open")));
    socket.once(tls ? "secureConnect" : "connect", () => resolve(wire));
  });
}

/** Every character a byte. */
export function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

export interface Heard {
  readonly status: number;
  /** Status line and fields. */
  readonly head: string;
  readonly body: string;
}

/**
 * Responses to GETs and POSTs in what was heard, framed by Content-Length or chunks. Whatever is
 * no whole response is the last one, with status 0: a test that counts will see it.
 */
export function responses(heard: string): Heard[] {
  const found: Heard[] = [];
  for (let at = 0; at < heard.length;) {
    const end = heard.indexOf("\r\n\r\n", at);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(heard.slice(at, at + 13))?.[1] ?? 0);
    if (end < 0 || status === 0) return [...found, { status: 0, head: heard.slice(at), body: "" }];
    const head = heard.slice(at, end);
    const from = end + 4;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const to = length === undefined ? from + chunksOf(heard, from) : from + Number(length);
    found.push({ status, head, body: heard.slice(from, to) });
    at = to;
  }
  return found;
}

/** Bytes of a chunked body, or none when there is no body to be found. */
function chunksOf(heard: string, from: number): number {
  const size = /^[0-9a-f]+\r\n/.exec(heard.slice(from, from + 18));
  return size ? heard.indexOf("0\r\n\r\n", from) + 5 - from : 0;
}
