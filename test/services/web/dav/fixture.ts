/** A WebDAV tree over a fresh directory, and requests to it without sockets. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Caller, type Dav, makeDav } from "../../../../src/services/web/dav/dav.ts";
import { Tree } from "../../../../src/services/web/tree.ts";
import type { HttpRequest, HttpResponse } from "../../../../src/wire/http/message.ts";
import { memoryLog } from "../../../fake/log.ts";

export const WRITER: Caller = { mayWrite: true, user: undefined, challenge: undefined };
export const READER: Caller = { mayWrite: false, user: undefined, challenge: undefined };

/** What `child.ts` does in another process: so many LOCKs, PUTs of so many bytes. */
export const ROUNDS = 40;
export const SIZE = 300_000;

export interface Options {
  readonly root?: string;
  readonly state?: string;
  readonly locks?: boolean;
  readonly max_body?: number;
  readonly dotfiles?: "hide" | "allow";
  readonly sweep?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export interface Ask {
  readonly method: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly contentLength?: number | undefined;
  readonly caller?: Caller;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Time stands where the test puts it. */
export class Fixture implements AsyncDisposable {
  readonly root: string;
  readonly state: string;
  readonly tree: Tree;
  readonly dav: Dav;
  readonly changed: string[] = [];
  readonly log = memoryLog();
  now: number;
  readonly #directory: string;

  private constructor(directory: string, options: Options) {
    this.#directory = directory;
    this.now = options.now ?? Date.now();
    this.root = options.root ?? join(directory, "www");
    this.state = options.state ?? join(directory, "state");
    this.tree = new Tree(this.root, { dotfiles: options.dotfiles ?? "hide", symlinks: "beneath" });
    const config = {
      enabled: true,
      writers: [],
      locks: options.locks ?? true,
      max_body: options.max_body ?? 2 ** 30,
    };
    this.dav = makeDav(config, this.tree, {
      log: this.log,
      state: this.state,
      now: () => this.now,
      contentType: (name) => (name.endsWith(".txt") ? "text/plain" : "application/octet-stream"),
      onChange: (path) => void this.changed.push(path),
      sweep: options.sweep ?? false,
    });
  }

  static async make(options: Options = {}): Promise<Fixture> {
    const directory = await mkdtemp(join(tmpdir(), "dav-"));
    await mkdir(join(directory, "www"));
    await mkdir(join(directory, "state"));
    return new Fixture(directory, options);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Ask and read the whole answer. */
  async ask(ask: Ask): Promise<Answer> {
    const answer = await this.dav.handle(requestOf(ask), ask.caller ?? WRITER);
    if (!answer) throw new Error(`${ask.method} is none of WebDAV's`);
    return await read(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dav.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** `path` is decoded already, as handlers get it. */
export function requestOf(ask: Ask): HttpRequest {
  const { path = "/", body } = ask;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const stream =
    bytes instanceof Uint8Array ? new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() : bytes;
  const length = bytes instanceof Uint8Array ? bytes.length : undefined;
  return {
    method: ask.method,
    target: path,
    path,
    query: "",
    host: "files.example",
    headers: new Headers({ Host: "files.example", ...ask.headers }),
    body: stream,
    contentLength: "contentLength" in ask ? ask.contentLength : length,
    client: { address: "127.0.0.1", port: 1 },
    secure: false,
    protocol: "HTTP/1.1",
    signal: new AbortController().signal,
    whenGone: () => {},
  };
}

async function read(answer: HttpResponse): Promise<Answer> {
  const { body, status } = answer;
  const headers = new Headers(answer.headers.map(([name, value]) => [name, value]));
  switch (body.kind) {
    case "none":
      return { status, headers, text: "" };
    case "stream":
      return { status, headers, text: await new Response(body.stream).text() };
    case "flow":
      throw new Error("WebDAV does not let bodies flow");
    case "pieces": {
      const bytes = body.pieces.filter((p) => p instanceof Uint8Array);
      return { status, headers, text: Buffer.concat(bytes).toString() };
    }
  }
}

/** Chunks of a body, and then maybe an end that is none. */
export function streamOf(chunks: readonly string[], breaks = false): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      if (breaks) controller.error(new Error("the client is gone"));
      else controller.close();
    },
  });
}
