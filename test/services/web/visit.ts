/** A site over a fresh directory, and visitors to it without sockets. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import * as v from "valibot";

import type { Clock } from "../../../src/core/clock.ts";
import type { Site } from "../../../src/net/http-fronts.ts";
import type { Prepared } from "../../../src/net/quick.ts";
import type { Instance } from "../../../src/services/service.ts";
import { webSchema } from "../../../src/services/web/config.ts";
import { web } from "../../../src/services/web/web.ts";
import { type HttpRequest, type HttpResponse, settled } from "../../../src/wire/http/message.ts";
import { decodeTarget } from "../../../src/wire/http/path.ts";
import { Head, parseHead } from "../../../src/wire/http1/head.ts";
import { type FakeHost, fakeHost } from "../../fake/host.ts";

/** Files by path; a text, or bytes. Their mtime is `SINCE`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;
/** Sat, 03 Oct 2026 12:00:00 GMT */
export const SINCE = Date.UTC(2026, 9, 3, 12);

export interface Visit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly hints?: string[][];
}

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly response: HttpResponse;
}

export interface House extends AsyncDisposable {
  readonly root: string;
  readonly host: FakeHost;
  readonly instance: Instance;
  readonly site: Site;
  /** Ask over the full path. */
  get(target: string, visit?: Visit): Promise<Got>;
  /** Ask over the quick path; undefined when it knows no answer. */
  quick(
    target: string,
    headers?: Readonly<Record<string, string>>,
    method?: string,
  ): Prepared | undefined;
  put(files: Files): void;
}

/** `config` is one site as the file writes it; `files` are put under its root. */
export async function house(
  files: Files = {},
  config: Readonly<Record<string, unknown>> = {},
  wishes: { readonly clock?: Clock; readonly state?: string; readonly root?: string } = {},
): Promise<House> {
  const root = wishes.root ?? mkdtempSync(join(tmpdir(), "tern-www-"));
  putFiles(root, files);
  const host = fakeHost(wishes);
  const sections = v.parse(webSchema, { site: { root, ...config } });
  const instance = await web.prepare(sections, host);
  instance.start();
  const site = host.http.sites[0];
  if (!site) throw new Error("no site was attached");
  return {
    root,
    host,
    instance,
    site,
    async get(target, visit) {
      return read(await settled(site.handler(request(target, visit))));
    },
    quick: (target, headers = {}, method = "GET") => {
      const lines = Object.entries({ Host: "localhost", ...headers }).map(
        ([k, value]) => `${k}: ${value}\r\n`,
      );
      const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
      const head = new Head();
      const length = parseHead(bytes, 0, bytes.length, head, 16_384);
      if (length <= 0) throw new Error(`bad head: ${length}`);
      return site.quick?.(head, host.clock.now());
    },
    put: (more) => putFiles(root, more),
    async [Symbol.asyncDispose]() {
      await instance.stop(AbortSignal.timeout(1000));
      host[Symbol.dispose]();
      if (wishes.root === undefined) rmSync(root, { recursive: true, force: true });
    },
  };
}

function putFiles(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, SINCE / 1000, SINCE / 1000);
  }
}

export function request(target: string, visit: Visit = {}): HttpRequest {
  const decoded = decodeTarget(target);
  if (!decoded) throw new Error(`bad target ${target}`);
  const { hints } = visit;
  return {
    method: visit.method ?? "GET",
    target,
    path: decoded.path,
    query: decoded.query,
    host: "localhost",
    headers: new Headers(visit.headers),
    body: undefined,
    contentLength: undefined,
    client: { address: visit.address ?? "127.0.0.1", port: 5555 },
    secure: false,
    protocol: "HTTP/1.1",
    signal: new AbortController().signal,
    whenGone: () => {},
    ...(hints ? { earlyHints: (links: readonly string[]) => void hints.push([...links]) } : {}),
  };
}

export async function read(response: HttpResponse): Promise<Got> {
  const headers = new Headers();
  for (const [name, value] of response.headers) headers.append(name, value);
  const bytes = await bodyOf(response);
  return {
    status: response.status,
    headers,
    bytes,
    text: new TextDecoder().decode(bytes),
    response,
  };
}

async function bodyOf({ body }: HttpResponse): Promise<Uint8Array> {
  if (body.kind === "none") return new Uint8Array();
  if (body.kind === "flow") throw new Error("files do not flow");
  if (body.kind === "stream") return new Uint8Array(await new Response(body.stream).arrayBuffer());
  const parts = body.pieces.map((piece) => {
    if (piece instanceof Uint8Array) return piece;
    const bytes = new Uint8Array(piece.length);
    if (
      piece.length > 0 &&
      readSync(piece.fd, bytes, 0, piece.length, piece.offset) !== piece.length
    )
      throw new Error("the file is shorter than was promised");
    return bytes;
  });
  body.release?.();
  return Buffer.concat(parts);
}

/** Is this descriptor open? */
export function isOpen(fd: number): boolean {
  try {
    closeSync(openSync(`/proc/self/fd/${fd}`, "r"));
    return true;
  } catch {
    return false;
  }
}
