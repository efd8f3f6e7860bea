/** A cache between a scripted server and a client, with a clock that the test moves. */
import * as v from "valibot";

import { Bans } from "../../../../src/services/proxy/cache/bans.ts";
import { Cache } from "../../../../src/services/proxy/cache/cache.ts";
import { cacheSchema } from "../../../../src/services/proxy/cache/config.ts";
import { Memory } from "../../../../src/services/proxy/cache/memory.ts";
import { Store } from "../../../../src/services/proxy/cache/store.ts";
import { formatDate } from "../../../../src/wire/http/date.ts";
import type {
  Body,
  Flow,
  FlowSink,
  HttpRequest,
  HttpResponse,
} from "../../../../src/wire/http/message.ts";

export const START = Date.UTC(2026, 10, 22, 12);

/** What the scripted server answers. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Body;
  /** No server answers. */
  readonly ours?: boolean;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
  readonly body?: string;
  readonly interim?: (status: number) => void;
}

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Server = (request: HttpRequest, n: number) => Reply | Promise<Reply>;

export class Bench {
  wall = START;
  /** Requests the server got. */
  readonly heard: HttpRequest[] = [];
  readonly store: Store;
  readonly cache: Cache;
  server: Server;

  constructor(
    config: object,
    server: Server,
    trusted?: (address: string) => boolean,
    makeStore?: () => Store,
  ) {
    const settings = v.parse(cacheSchema, config);
    this.server = server;
    this.store = makeStore?.() ?? new Store(new Memory(settings.memory), new Bans());
    const { bans } = this.store;
    this.cache = new Cache(settings, {
      store: this.store,
      wall: () => this.wall,
      trusted,
      boundary: () => "BOUNDARY",
      invalidate: (urls) => {
        for (const value of urls) bans.add({ time: this.wall, kind: "url", value });
      },
      purge: () => 0,
      used: () => {},
    });
  }

  /** Seconds go by. */
  wait(seconds: number): void {
    this.wall += seconds * 1000;
  }

  /** Date as of so many seconds from now. */
  date(seconds = 0): string {
    return formatDate(this.wall + seconds * 1000);
  }

  async response(asked: Asked = {}): Promise<HttpResponse> {
    return await this.cache.answer(requestOf(asked), {
      expands: false,
      part: () => "",
      fetch: (request) => this.#fetch(request),
      finish: (response) => response,
    });
  }

  async get(asked: Asked = {}): Promise<Got> {
    const { status, headers, body } = await this.response(asked);
    return {
      status,
      headers: new Headers(headers.map(([n, value]) => [n, value])),
      text: await read(body),
    };
  }

  async #fetch(request: HttpRequest): Promise<HttpResponse> {
    this.heard.push(request);
    const {
      status = 200,
      headers = {},
      body = "",
      ours,
    } = await this.server(request, this.heard.length);
    const fields = Object.entries(headers).flatMap(([name, value]) =>
      (typeof value === "string" ? [value] : value).map((one): [string, string] => [name, one]),
    );
    if (ours) return { status, headers: fields, body: { kind: "none" } };
    if (!("Date" in headers)) fields.unshift(["Date", this.date()]);
    return {
      status,
      headers: fields,
      body: typeof body === "string" ? pieces(body) : body,
      named: true,
    };
  }
}

export function requestOf({
  method = "GET",
  path = "/",
  headers = {},
  from = "192.0.2.1",
  body,
  interim,
}: Asked): HttpRequest {
  const fields = new Headers({ host: "example.net", ...headers });
  const [target = "/", query = ""] = path.split("?");
  return {
    method,
    target: path,
    path: target,
    query,
    host: "example.net",
    authority: /^https?:\/\/([^/?]*)/.exec(path)?.[1],
    headers: fields,
    body: body === undefined ? undefined : (new Response(body).body ?? undefined),
    contentLength: body?.length,
    client: { address: from, port: 4711 },
    secure: false,
    protocol: "HTTP/1.1",
    signal: new AbortController().signal,
    whenGone: () => {},
    ...(interim && { interim }),
  };
}

export function pieces(text: string): Body {
  return text === "" ? { kind: "none" } : { kind: "pieces", pieces: [Buffer.from(text)] };
}

/** A body that the test sends bit by bit. */
export class Tap implements Flow {
  #sink: FlowSink | undefined;
  #waiting: (string | Uint8Array)[] = [];
  #end: "end" | Error | undefined;
  cancelled = false;
  paused = false;
  /** Bytes the other side took. */
  taken = 0;

  body(length?: number): Body {
    return { kind: "flow", flow: this, ...(length !== undefined && { length }) };
  }
  start(sink: FlowSink): void {
    this.#sink = sink;
    this.#go();
  }
  resume(): void {
    this.paused = false;
    this.#go();
  }
  cancel(): void {
    this.cancelled = true;
    this.#sink = undefined;
  }
  send(bytes: string | Uint8Array): void {
    this.#waiting.push(bytes);
    this.#go();
  }
  end(): void {
    this.#end = "end";
    this.#go();
  }
  fail(): void {
    this.#end = new Error("the server is gone");
    this.#go();
  }
  #go(): void {
    const sink = this.#sink;
    for (
      let next;
      sink && !this.paused && !this.cancelled && (next = this.#waiting.shift()) !== undefined;
    ) {
      const bytes = typeof next === "string" ? Buffer.from(next) : next;
      this.taken += bytes.length;
      this.paused = !sink.write(bytes, 0, bytes.length);
    }
    if (!sink || this.#waiting.length > 0 || this.#end === undefined || this.cancelled) return;
    this.#sink = undefined;
    if (this.#end === "end") sink.end();
    else sink.fail(this.#end);
  }
}

/** A client that reads at its own pace. */
export class Reader implements FlowSink {
  text = "";
  bytes = 0;
  state: "reading" | "end" | "failed" = "reading";
  /** Bytes it takes before it has enough. */
  room = Infinity;
  constructor(readonly flow: Flow) {}
  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.state !== "reading") throw new Error("told after the end");
    if (to - from < 10_000) this.text += Buffer.from(bytes.subarray(from, to)).toString();
    this.bytes += to - from;
    this.room -= to - from;
    return this.room > 0;
  }
  end(): void {
    this.state = "end";
  }
  fail(): void {
    this.state = "failed";
  }
  more(room = Infinity): void {
    this.room = room;
    this.flow.resume();
  }
}

/** A client for a response whose body is on its way. */
export function reader({ body }: HttpResponse, room = Infinity): Reader {
  if (body.kind !== "flow") throw new Error(`a body of kind ${body.kind}`);
  const one = new Reader(body.flow);
  one.room = room;
  body.flow.start(one);
  return one;
}

export async function read(body: Body): Promise<string> {
  if (body.kind === "none") return "";
  if (body.kind === "stream") return await new Response(body.stream).text();
  if (body.kind === "flow")
    return await new Promise((resolve, reject) => {
      let text = "";
      body.flow.start({
        write(bytes, from, to) {
          text += Buffer.from(bytes.subarray(from, to)).toString();
          return true;
        },
        end: () => resolve(text),
        fail: reject,
      });
    });
  const parts = body.pieces.map((piece) =>
    piece instanceof Uint8Array ? Buffer.from(piece).toString() : "<file>",
  );
  body.release?.();
  return parts.join("");
}

/** Everything that is due has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
